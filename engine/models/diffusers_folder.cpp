// A model folder as diffusers writes it: model_index.json names the parts, each in a folder of its own with its
// configuration.
#include <filesystem>

#include "engine/core/printable.h"
#include "engine/core/python_json.h"
#include "engine/models/architectures/architecture.h"
#include "engine/models/checkpoint.h"
#include "engine/models/model_files.h"
#include "engine/models/recommendation.h"
#include "engine/models/scheduler_config.h"
#include "engine/weights/weight_file.h"

namespace meander {

namespace fs = std::filesystem;

namespace {

Json configOf(const fs::path& path) {
    constexpr JsonLimits limits{std::size_t(4) << 20, 16};
    const auto text = readTextFile(path.string(), limits.bytes);
    if (!text) throw Failure(text.error().text);
    auto json = parseJson(withoutNan(*text), "'" + path.string() + "'", limits);
    if (!json) throw Failure(json.error().text);
    if (!json->is_object())
        throw Failure("The file '" + path.string() + "' is not a configuration. Download it again.");
    return std::move(*json);
}

bool names(const Json& index, const std::string& component) {
    return index.contains(component) && index[component].is_array() && index[component].size() == 2
           && index[component][1].is_string();
}

// The first variant that is there: full precision before half.
std::shared_ptr<FileWeights> weightsIn(const fs::path& folder, const std::string& stem) {
    std::string first;
    for (const char* variant : {"", ".fp16", ".bf16", ".non_ema"}) {
        auto weights = FileWeights::open(folder.string(), stem + variant);
        if (weights) return std::move(*weights);
        if (first.empty()) first = weights.error().text;
    }
    throw Failure(first);
}

PartFiles partIn(const fs::path& folder, const std::string& stem) {
    PartFiles part;
    part.config = configOf(folder / "config.json");
    part.what = "'" + (folder / "config.json").string() + "'";
    // A codec may be arithmetic alone.
    std::error_code error;
    bool hasWeights = false;
    for (const auto& entry : fs::directory_iterator(folder, error))
        hasWeights |= entry.path().filename().string().starts_with(stem);
    if (stem == "diffusion_pytorch_model" && !hasWeights && folder.filename() == "codec") {
        part.open = [] { return std::make_shared<FileWeights>(std::vector<WeightFile>()); };
        return part;
    }
    auto weights = weightsIn(folder, stem);
    const std::shared_ptr<FileWeights> shared = std::move(weights);
    // Codecs of early versions name their attention otherwise.
    std::optional<NameTable> names;
    if (jsonText(part.config, "_class_name", "", part.what) == "AutoencoderKL")
        names = *NameTable::named("diffusers_vae");
    if (jsonText(part.config, "_class_name", "", part.what) == "DiTTransformer2DModel")
        names = *NameTable::named("diffusers_dit");
    PartFiles filled = partOf(shared, "", std::move(part.config), shared->files().front().name(), std::move(names));
    filled.what = part.what;
    return filled;
}

void addText(ModelFiles& files, const fs::path& folder, const Json& index) {
    for (const std::string suffix : {"", "_2", "_3", "_4"})
        if (names(index, "text_encoder" + suffix))
            files.text.push_back(
                {partIn(folder / ("text_encoder" + suffix), "model"), (folder / ("tokenizer" + suffix)).string()});
    if (files.text.empty()) return;
    const auto entry = [&](const char* key) { return jsonText(files.network.config, key, "", files.network.what); };
    const PartFiles& first = files.text.front().encoder;
    const auto classes = jsonTexts(first.config, "architectures", {"CLIPTextModel"}, first.what);
    // A CLIP text encoder alone is read in one way, whatever network attends to it.
    const bool isClip = files.text.size() == 1 && !classes.empty() && classes.front() == "CLIPTextModel";
    if (entry("addition_embed_type") == "text_time") files.conditioner = "sdxl";
    else if (jsonText(index, "_class_name", "", files.network.what).starts_with("PixArtAlpha"))
        files.conditioner = "pixart_alpha";
    else if (isClip) files.conditioner = "clip";
    else if (const Architecture* network = findArchitecture(entry("_class_name")))
        files.conditioner = network->conditioner;
    // Schnell, which takes no guidance, reads shorter texts.
    if (files.conditioner == "flux" && !jsonBool(files.network.config, "guidance_embeds", false, files.network.what))
        files.conditioner = "flux_schnell";
}

void addTraining(ModelFiles& files, const fs::path& folder) {
    const fs::path path = folder / "scheduler" / "scheduler_config.json";
    const Json config = configOf(path);
    const SchedulerMeaning meaning = meaningOfScheduler(config, "'" + path.string() + "'");
    files.process = meaning.process;
    files.parametrization = meaning.parametrization;
    files.distillation = meaning.distillation;
    files.sigmaData = meaning.sigmaData;
    const std::string name = config.value("_class_name", std::string()),
                      scheduler = "The scheduler of the folder is " + name + ".";
    const auto add = [&](const char* key, const std::string& value, const std::vector<std::string>& silent) {
        std::string missing;
        for (const auto& s : silent) missing += (missing.empty() ? "" : ", ") + s;
        if (missing.empty()) files.findings.push_back({key, value, scheduler});
        else
            files.findings.push_back(
                {key, value,
                 scheduler + " Its configuration does not state " + missing + ", so the default of diffusers is taken.",
                 Finding::Assumed});
    };
    add("prediction", nameOf(files.parametrization), meaning.unstatedPrediction);
    add("process", files.process.name(), meaning.unstatedProcess);
    if (files.distillation != Distillation::None)
        files.findings.push_back({"kind", checkpointRule(files.distillation).name, scheduler});
}

void become(ModelFiles& files, Distillation kind, const std::string& value, const std::string& reason,
            Finding::Source source = Finding::Read) {
    files.distillation = kind;
    if (kind == Distillation::Lcm && files.parametrization == Parametrization::V)
        files.parametrization = Parametrization::LcmV;
    if (kind == Distillation::Lcm && files.parametrization == Parametrization::Epsilon)
        files.parametrization = Parametrization::LcmEpsilon;
    files.findings.push_back({"kind", value, reason, source});
}

// Distilled networks often keep the scheduler of their teacher: further inputs and names that the folder states tell.
void addKind(ModelFiles& files, const Json& index) {
    if (files.distillation != Distillation::None) return;
    if (const auto& c = files.network.config; c.contains("time_cond_proj_dim") && c["time_cond_proj_dim"].is_number())
        return become(files, Distillation::Lcm, checkpointRule(Distillation::Lcm).name,
                      "The network is conditioned on a guidance scale (time_cond_proj_dim).");
    const bool isFlow = files.process.kind() == ProcessKind::RectifiedFlow;
    for (const Json* config : {&index, static_cast<const Json*>(&files.network.config)})
        for (const char* key : {"_class_name", "_name_or_path"}) {
            const std::string stated = jsonText(*config, key, "", "'" + files.path + "'"),
                              name = stated.substr(stated.find_last_of("/\\") + 1);
            const auto named = distillationNamed(name, isFlow);
            if (!named) continue;
            files.recommended = named->recommended;
            if (named->holdsGuidance) files.builtInGuidance = 1;
            const bool isOrdinary = named->kind == Distillation::None;
            return become(files, named->kind, isOrdinary ? named->word : checkpointRule(named->kind).name,
                          "The folder names itself '" + printable(name) + "' (" + key + ").", Finding::Assumed);
        }
}

// Stable Diffusion XL: usual settings, and what an empty prompt is.
void addXlSettings(ModelFiles& files, const Json& index) {
    if (files.conditioner != "sdxl") return;
    if (files.distillation == Distillation::None && !files.builtInGuidance)
        files.recommended = {{"steps", 25}, {"guidance", 6}};
    if (index.contains("force_zeros_for_empty_prompt") && index["force_zeros_for_empty_prompt"].is_boolean())
        files.findings.push_back({"empty prompt",
                                  index["force_zeros_for_empty_prompt"].get<bool>() ? "zeros" : "the empty text",
                                  "The folder states it (force_zeros_for_empty_prompt of model_index.json)."});
}

void addOwnSettings(ModelFiles& files, const Json& index) {
    const Json own = index.value("meander", Json::object());
    if (!own.is_object()) return;
    const std::string what = "'" + files.path + "/model_index.json'";
    if (const std::string kind = jsonText(own, "kind", "", what); !kind.empty()) {
        const auto known = distillationOf(kind);
        if (!known) throw Failure("The entry 'kind' of " + what + " is '" + kind + "', which Meander does not know.");
        files.distillation = *known;
        std::erase_if(files.findings, [](const Finding& f) { return f.key == "kind"; });
        files.findings.push_back({"kind", checkpointRule(*known).name, "The folder states it (model_index.json)."});
    }
    if (own.contains("guidance_embedded")) files.builtInGuidance = jsonReal(own, "guidance_embedded", 1, what);
    if (own.contains("recommended")) files.recommended = own["recommended"];
}

}  // namespace

bool isDiffusersFolder(const std::string& path) {
    std::error_code error;
    return fs::is_regular_file(fs::path(path) / "model_index.json", error);
}

ModelFiles openDiffusersFolder(const std::string& path) {
    const fs::path folder = path;
    ModelFiles files;
    files.path = path;
    files.name = folder.filename().string();
    files.layout = "diffusers folder";
    const Json index = configOf(folder / "model_index.json");
    const std::string network = names(index, "unet") ? "unet" : "transformer";
    if (!names(index, network))
        throw Failure("The folder '" + path
                      + "' holds no denoising network: its model_index.json names neither a unet nor a transformer.");
    files.network = partIn(folder / network, "diffusion_pytorch_model");
    if (index.contains("id2label")) files.network.config["id2label"] = index["id2label"];  // of classes
    addText(files, folder, index);
    for (const char* codec : {"codec", "vae", "vqvae"})
        if (!files.codec && names(index, codec)) files.codec = partIn(folder / codec, "diffusion_pytorch_model");
    if (!files.codec && jsonText(files.network.config, "_class_name", "", files.network.what) == "UNet2DModel")
        addPixels(files);
    addTraining(files, folder);
    addKind(files, index);
    addXlSettings(files, index);
    addOwnSettings(files, index);
    return files;
}

}  // namespace meander
