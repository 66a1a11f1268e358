#include "engine/models/model_loras.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "engine/models/architectures/unet_config.h"
#include "engine/weights/lora/with_lora.h"
#include "engine/weights/renamed.h"

namespace meander {
namespace {

class Uses final : public LoraUse {
public:
    void add(std::shared_ptr<const WithLora> source) {
        const std::lock_guard lock(m_mutex);
        m_sources.push_back(std::move(source));
    }
    std::vector<std::string> unused(std::size_t n) const override {
        const std::lock_guard lock(m_mutex);
        std::vector<std::string> left;
        for (std::size_t i = 0; i < m_sources.size(); ++i) {
            const auto names = m_sources[i]->unused(n);
            if (i == 0) left = names;
            else std::erase_if(left, [&](const auto& name) { return !std::count(names.begin(), names.end(), name); });
        }
        return left;
    }

private:
    mutable std::mutex m_mutex;
    std::vector<std::shared_ptr<const WithLora>> m_sources;
};

using Loras = std::vector<AppliedLora>;

// A LoRA on the names of the file goes below the table of names, one on ours above it.
void wrap(PartFiles& part, const Loras& loras, const std::vector<std::string>& prefixes, const NameTable* others,
          const std::shared_ptr<Uses>& uses) {
    const auto wrapped = [loras, prefixes, uses](std::shared_ptr<WeightSource> source, const NameTable* names,
                                                 std::shared_ptr<const WithLora> below) {
        auto with = std::make_shared<WithLora>(std::move(source), loras, prefixes, names, std::move(below));
        uses->add(with);
        return with;
    };
    if (!part.names) {
        part.open = [open = part.open, wrapped, others]() -> std::shared_ptr<WeightSource> {
            return wrapped(open(), others, nullptr);
        };
        return;
    }
    part.open = [stored = part.openStored, names = part.names, wrapped]() -> std::shared_ptr<WeightSource> {
        const auto below = wrapped(stored(), nullptr, nullptr);
        return wrapped(std::make_shared<Renamed>(below, *names), nullptr, below);
    };
}

// How LDM names the modules of a network that is stored under the names of diffusers.
const NameTable* otherNames(const PartFiles& network) {
    const std::string name = network.config.value("_class_name", std::string());
    struct Row {
        const char *className, *table;
    };
    static const Row rows[] = {{"UNet2DConditionModel", "ldm_unet"},   {"FluxTransformer2DModel", "flux"},
                               {"Flux2Transformer2DModel", "flux2"},   {"SD3Transformer2DModel", "sd3"},
                               {"ZImageTransformer2DModel", "zimage"}, {"Lumina2Transformer2DModel", "lumina2"}};
    for (const Row& r : rows)
        if (name == r.className) return NameTable::named(r.table);
    return nullptr;
}

// The linear layers that files of the first generation number, in the order of their modules: all of the attention and
// the first of the feed-forward network, on the way down, up, and in the middle.
std::vector<std::string> numberedModules(const PartFiles& network) {
    if (network.config.value("_class_name", std::string()) != "UNet2DConditionModel") return {};
    std::vector<std::string> modules, middle;
    for (const TapSite& block : transformerBlocks(unetConfig(network.config, network.what)))
        for (const char* layer : {"attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj",
                                  "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0"})
            (block.path.starts_with("mid_block") ? middle : modules).push_back(block.path + "." + layer);
    modules.insert(modules.end(), middle.begin(), middle.end());
    return modules;
}
std::vector<std::string> numberedTextModules(const PartFiles& encoder) {
    std::vector<std::string> modules;
    for (std::int64_t i = 0; i < jsonInteger(encoder.config, "num_hidden_layers", 0, encoder.what); ++i)
        for (const char* layer : {"k_proj", "v_proj", "q_proj", "out_proj"})
            modules.push_back("text_model.encoder.layers." + std::to_string(i) + ".self_attn." + layer);
    return modules;
}

std::shared_ptr<const Lora> openLora(const std::string& path, const ModelFiles& files) {
    auto file = WeightFile::open(path);
    if (!file) throw Failure(file.error().text);
    auto lora = std::make_shared<Lora>(std::move(*file));
    if (lora->has("unet:0")) lora->nameModules("unet", numberedModules(files.network));
    if (lora->has("text_encoder:0") && !files.text.empty())
        lora->nameModules("text_encoder", numberedTextModules(files.text.front().encoder));
    return lora;
}

}  // namespace

WithLoras withLoras(ModelFiles files, const std::vector<LoraChoice>& choices) {
    const auto uses = std::make_shared<Uses>();
    Loras loras;
    for (const LoraChoice& c : choices) loras.push_back({openLora(c.path, files), c.strength});
    if (loras.empty()) return {std::move(files), uses};
    wrap(files.network, loras, loraPrefixesOfDenoiser(), otherNames(files.network), uses);
    for (std::size_t i = 0; i < files.text.size(); ++i)
        wrap(files.text[i].encoder, loras, loraPrefixesOfTextEncoder(int(i)), nullptr, uses);
    return {std::move(files), uses};
}

}  // namespace meander
