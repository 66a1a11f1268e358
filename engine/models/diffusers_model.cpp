#include "engine/models/diffusers_model.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "engine/models/architectures/pixart.h"
#include "engine/models/architectures/unet.h"
#include "engine/weights/weight_file.h"

namespace meander {
namespace {

constexpr std::size_t promptsKept = 32, stacksKept = 4;
constexpr std::int64_t largeModel = 100'000'000;  // weights from which "auto" prefers bf16

// The table of networks: one line each.
struct NetworkKind {
    const char *className, *family;
    void (*describe)(const Json& config, const std::string& what, ModelInfo& info);
    std::unique_ptr<TextNetwork> (*build)(const Json& config, const std::string& what, NetworkBuilder& builder);
};

void describeUNet(const Json& config, const std::string& what, ModelInfo& info) {
    const UNetConfig c = unetConfig(config, what);
    if (c.inChannels != c.outChannels)
        throw Failure("The U-Net described in " + what
                      + " has other channels at its input than at its output (an inpainting model?), which Meander "
                        "cannot use yet.");
    info.stateShape = {c.sampleHeight, c.sampleWidth, c.inChannels};
    info.blocks = transformerBlocks(c);
    info.bytesPerRow = bytesPerRow(c, c.sampleHeight, c.sampleWidth, sizeof(float));
    info.takesGuidance = c.guidanceWidth > 0;
}
std::unique_ptr<TextNetwork> buildUNet(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<UNet>(unetConfig(config, what), builder);
}

void describePixArt(const Json& config, const std::string& what, ModelInfo& info) {
    const PixArtConfig c = pixArtConfig(config, what);
    info.stateShape = {c.sampleSize, c.sampleSize, c.inChannels};
    info.blocks = transformerBlocks(c);
    info.bytesPerRow = bytesPerRow(c, c.sampleSize, c.sampleSize, sizeof(float));
}
std::unique_ptr<TextNetwork> buildPixArt(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<PixArt>(pixArtConfig(config, what), builder);
}

const NetworkKind kinds[] = {
    {"UNet2DConditionModel", "U-Net with cross-attention", describeUNet, buildUNet},
    {"PixArtTransformer2DModel", "Diffusion transformer with cross-attention", describePixArt, buildPixArt},
};

const NetworkKind& kindOf(const DiffusersFolder& folder) {
    const std::string name = jsonText(folder.network, "_class_name", "", folder.configName(folder.networkName));
    for (const auto& k : kinds)
        if (name == k.className) return k;
    std::string known;
    for (const auto& k : kinds) known.append(known.empty() ? "" : ", ").append(k.className);
    throw Failure("The network in '" + folder.path + "' is a '" + name
                  + "', which Meander cannot compute yet. It knows: " + known + ".");
}

// Half precision where it is fast and the model is large, unless told otherwise.
DType computeType(const Backend& backend, const std::string& precision, std::int64_t parameters) {
    if (precision == "f32") return DType::F32;
    if (precision == "bf16") return DType::BF16;
    if (precision == "auto") {
        if (parameters < largeModel) return DType::F32;  // before the question: the answer may have to be measured
        const auto fast = backend.fastTypes();
        return std::find(fast.begin(), fast.end(), DType::BF16) != fast.end() ? DType::BF16 : DType::F32;
    }
    throw Failure("The precision '" + precision + "' does not exist. Choose auto, f32 or bf16.");
}

std::string weightsStem(const std::string& component) {
    return component == "text_encoder" ? "model" : "diffusion_pytorch_model";
}

std::unique_ptr<FileWeights> weightsOf(const DiffusersFolder& folder, const std::string& component) {
    auto weights = FileWeights::open(folder.component(component), weightsStem(component));
    if (!weights) throw Failure(weights.error().text);
    return std::move(*weights);
}

}  // namespace

ModelInfo inspectDiffusers(const DiffusersFolder& folder) {
    const NetworkKind& kind = kindOf(folder);
    ModelInfo info;
    info.id = folder.path;
    info.name = std::filesystem::path(folder.path).filename().string();
    info.family = kind.family;
    const auto meaning =
        meaningOfScheduler(folder.scheduler, "'" + folder.component("scheduler") + "/scheduler_config.json'");
    info.process = meaning.process;
    info.parametrization = meaning.parametrization;
    info.distillation = meaning.isLcm ? Distillation::Lcm : Distillation::None;
    kind.describe(folder.network, folder.configName(folder.networkName), info);
    if (!folder.textEncoder.is_object())
        throw Failure("The model in '" + folder.path
                      + "' has no text encoder, and Meander cannot use this kind of network without one yet.");
    const auto architectures =
        jsonTexts(folder.textEncoder, "architectures", {"CLIPTextModel"}, folder.configName("text_encoder"));
    const std::string encoder = architectures.empty() ? "CLIPTextModel" : architectures.front();
    if (encoder != "CLIPTextModel")
        throw Failure("The text encoder in '" + folder.path + "' is a '" + encoder
                      + "', which Meander cannot compute yet. It knows CLIPTextModel.");
    if (!folder.codec.is_object())
        throw Failure("The model in '" + folder.path + "' has an image codec that Meander cannot use yet.");
    info.imageShape = codecFrom(folder.codec, folder.configName("codec"))->imageShape(info.stateShape);
    info.conditioning = ConditioningKind::Text;
    info.textTokens = clipTextConfig(folder.textEncoder, folder.configName("text_encoder")).positions;
    info.tokenizer = folder.component("tokenizer");
    // Each of the blocks looks at the text once, after itself; the network, once built, tells the same.
    for (const TapSite& b : info.blocks)
        info.attention.push_back({b.path + ".attn2", b.heads, b.height, b.width, info.textTokens});
    info.parameters =
        weightsOf(folder, folder.networkName)->parameters() + weightsOf(folder, "text_encoder")->parameters();
    info.weightBytes = std::size_t(info.parameters) * sizeof(float);
    const Json& own = folder.index.contains("meander") ? folder.index["meander"] : Json();
    if (own.is_object() && own.contains("guidance_embedded"))
        info.builtInGuidance = jsonReal(own, "guidance_embedded", 1, "'" + folder.path + "/model_index.json'");
    return info;
}

DiffusersModel::DiffusersModel(ModelInfo info, const DiffusersFolder& folder, Backend& backend,
                               const LoadOptions& options)
    : m_backend(backend), m_tokenizer([&] {
          auto tokenizer = ClipTokenizer::open(folder.component("tokenizer"));
          if (!tokenizer) throw Failure(tokenizer.error().text);
          return std::move(*tokenizer);
      }()) {
    m_info = std::move(info);
    m_codec = codecFrom(folder.codec, folder.configName("codec"));
    const auto textWeights = weightsOf(folder, "text_encoder");
    NetworkBuilder textBuilder(backend, *textWeights, DType::F32);
    m_encoder = std::make_unique<ClipTextEncoder>(clipTextConfig(folder.textEncoder, folder.configName("text_encoder")),
                                                  textBuilder);
    if (m_tokenizer.length() > m_encoder->config().positions)
        throw Failure("The tokenizer in '" + folder.path
                      + "' makes more tokens than the text encoder reads. They do not belong together.");
    const auto weights = weightsOf(folder, folder.networkName);
    NetworkBuilder builder(backend, *weights, computeType(backend, options.precision, weights->parameters()));
    m_network = kindOf(folder).build(folder.network, folder.configName(folder.networkName), builder);
    m_info.parameters = textBuilder.parameters + m_network->parameters;
    m_info.weightBytes = textBuilder.weightBytes + m_network->weightBytes;
    m_info.textTokens = m_tokenizer.length();
    const int height = int(m_info.stateShape[0]), width = int(m_info.stateShape[1]);
    m_info.attention = m_network->crossAttentions(height, width, m_info.textTokens);
    m_info.bytesPerRow = m_network->bytesPerRow(height, width);
}

ConditioningPtr DiffusersModel::condition(const Prompt& prompt) {
    const std::string text = prompt.unconditional ? std::string() : prompt.text;
    const auto known = std::find_if(m_prompts.begin(), m_prompts.end(), [&](const auto& p) { return p.first == text; });
    if (known != m_prompts.end()) {
        m_prompts.splice(m_prompts.begin(), m_prompts, known);
        return known->second;
    }
    auto c = std::make_shared<Conditioning>();
    c->tokens = m_tokenizer.encode(text);
    std::vector<int> ids;
    for (const auto& t : c->tokens) ids.push_back(t.id);
    c->context = m_network->prepareText((*m_encoder)(ids));
    m_prompts.emplace_front(text, c);
    if (m_prompts.size() > promptsKept) m_prompts.pop_back();
    return c;
}

Tensor DiffusersModel::textOf(const std::vector<ConditioningPtr>& rows) {
    const auto known = std::find_if(m_stacks.begin(), m_stacks.end(), [&](const Stack& s) { return s.rows == rows; });
    if (known != m_stacks.end()) {
        m_stacks.splice(m_stacks.begin(), m_stacks, known);
        return known->text;
    }
    std::vector<Tensor> parts;
    for (const auto& row : rows) {
        const ConditioningPtr c = row ? row : condition({.text = {}, .classIndex = {}, .unconditional = true});
        if (!c->context) throw std::invalid_argument("the conditioning of a row was prepared by another model");
        parts.push_back(c->context);
    }
    m_stacks.push_front({rows, stackRows(parts)});
    if (m_stacks.size() > stacksKept) m_stacks.pop_back();
    return m_stacks.front().text;
}

Tensor DiffusersModel::predict(const NetworkBatch& batch) {
    const Shape s = batch.x.shape();
    if (s.rank() != 4 || std::int64_t(batch.times.size()) != s[0] || std::int64_t(batch.conditioning.size()) != s[0])
        throw std::invalid_argument("the batch " + s.text() + " does not fit its times and conditionings");
    return m_network
        ->forward(batch.x.converted(DType::F32), batch.times, textOf(batch.conditioning), batch.hooks, batch.guidance)
        .converted(batch.x.type());
}

}  // namespace meander
