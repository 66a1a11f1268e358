// The explicit table of built-in models, and the way from an id or a path to a model.
#include <algorithm>
#include <filesystem>

#include "engine/core/resources.h"
#include "engine/models/analytic/analytic_model.h"
#include "engine/models/analytic/manifold_model.h"
#include "engine/models/architectures/architecture.h"
#include "engine/models/architectures/mlp2d.h"
#include "engine/models/model_files.h"
#include "engine/models/model_id.h"
#include "engine/models/model_loras.h"
#include "engine/models/network_model.h"
#include "engine/models/recommendation.h"
#include "engine/models/tokenizers/tokenizer.h"
#include "engine/weights/lora/lora.h"

namespace meander {
namespace {

namespace fs = std::filesystem;

// A trained model of the resources: a folder (text-conditioned images) or a file (points in the plane). What a folder
// recommends itself (steps, guidance) stands in its model_index.json alone.
struct BuiltIn {
    const char *name, *label, *summary, *resource, *recommended;
};

constexpr const char* flowRecipe =
    R"({"sampler": {"id": "euler"}, "schedule": {"id": "uniform_t"}, "steps": 20, "guidance": [], "images": 512})";
constexpr const char* reflowRecipe =
    R"({"sampler": {"id": "euler"}, "schedule": {"id": "uniform_t"}, "steps": 2, "guidance": [], "images": 512})";
constexpr const char* consistencyRecipe =
    R"({"sampler": {"id": "lcm"}, "schedule": {"id": "uniform_t"}, "steps": 4, "guidance": [], "images": 512})";
constexpr const char* shortcutRecipe =
    R"({"sampler": {"id": "shortcut"}, "schedule": {"id": "uniform_t"}, "steps": 4, "guidance": [], "images": 512})";

const BuiltIn builtIns[] = {
    {"sprites-unet", "Sprites U-Net",
     "Draws coloured shapes above, below or beside each other from a sentence; variance preserving, v-prediction.",
     "models/sprites-unet",
     R"({"sampler": {"id": "dpmpp_2m"}, "schedule": {"id": "model_steps", "params": {"spacing": "trailing"}},
         "images": 4, "prompt": "a red circle above a blue square on a white background"})"},
    {"sprites-dit", "Sprites DiT",
     "The same scenes from a diffusion transformer with cross-attention, trained as a rectified flow.",
     "models/sprites-dit",
     R"({"sampler": {"id": "euler"}, "schedule": {"id": "uniform_t"}, "images": 4,
         "prompt": "a yellow triangle left of a green circle on a black background"})"},
    {"sprites-lcm", "Sprites LCM",
     "The sprites U-Net distilled into a latent consistency model: an image in four evaluations.", "models/sprites-lcm",
     R"({"sampler": {"id": "lcm"}, "schedule": {"id": "model_steps", "params": {"spacing": "lcm"}}, "images": 4,
         "prompt": "a blue square below a red triangle on a gray background"})"},
    {"flow2d-moons", "Two moons, flow", "A small network that learned two moons in the plane by flow matching.",
     "models/flow2d/moons-flow.safetensors", flowRecipe},
    {"flow2d-moons-reflow", "Two moons, reflow",
     "A small network that learned two moons and was straightened by one reflow: few steps suffice.",
     "models/flow2d/moons-reflow.safetensors", reflowRecipe},
    {"flow2d-moons-consistency", "Two moons, consistency",
     "A small network that was distilled to jump from any noise level to two moons at once.",
     "models/flow2d/moons-consistency.safetensors", consistencyRecipe},
    {"flow2d-moons-shortcut", "Two moons, shortcut",
     "A small network that learned two moons together with the length of its steps: 1, 2, 4 … 64 equal steps.",
     "models/flow2d/moons-shortcut.safetensors", shortcutRecipe},
    {"flow2d-spiral", "Spiral, flow", "A small network that learned a spiral in the plane by flow matching.",
     "models/flow2d/spiral-flow.safetensors", flowRecipe},
    {"flow2d-spiral-reflow", "Spiral, reflow",
     "A small network that learned a spiral and was straightened by one reflow: few steps suffice.",
     "models/flow2d/spiral-reflow.safetensors", reflowRecipe},
    {"flow2d-spiral-consistency", "Spiral, consistency",
     "A small network that was distilled to jump from any noise level to a spiral at once.",
     "models/flow2d/spiral-consistency.safetensors", consistencyRecipe},
    {"flow2d-spiral-shortcut", "Spiral, shortcut",
     "A small network that learned a spiral together with the length of its steps: 1, 2, 4 … 64 equal steps.",
     "models/flow2d/spiral-shortcut.safetensors", shortcutRecipe},
    {"flow2d-checkerboard", "Checkerboard, flow",
     "A small network that learned a checkerboard in the plane by flow matching.",
     "models/flow2d/checkerboard-flow.safetensors", flowRecipe},
    {"flow2d-checkerboard-reflow", "Checkerboard, reflow",
     "A small network that learned a checkerboard and was straightened by one reflow: few steps suffice.",
     "models/flow2d/checkerboard-reflow.safetensors", reflowRecipe},
    {"flow2d-checkerboard-consistency", "Checkerboard, consistency",
     "A small network that was distilled to jump from any noise level to a checkerboard at once.",
     "models/flow2d/checkerboard-consistency.safetensors", consistencyRecipe},
    {"flow2d-checkerboard-shortcut", "Checkerboard, shortcut",
     "A small network that learned a checkerboard together with the length of its steps: 1, 2, 4 … 64 equal steps.",
     "models/flow2d/checkerboard-shortcut.safetensors", shortcutRecipe},
    {"flow2d-eight-gaussians", "Eight Gaussians, flow",
     "A small network that learned eight Gaussians in the plane by flow matching.",
     "models/flow2d/eight-gaussians-flow.safetensors", flowRecipe},
    {"flow2d-eight-gaussians-reflow", "Eight Gaussians, reflow",
     "A small network that learned eight Gaussians and was straightened by one reflow: few steps suffice.",
     "models/flow2d/eight-gaussians-reflow.safetensors", reflowRecipe},
    {"flow2d-eight-gaussians-consistency", "Eight Gaussians, consistency",
     "A small network that was distilled to jump from any noise level to eight Gaussians at once.",
     "models/flow2d/eight-gaussians-consistency.safetensors", consistencyRecipe},
    {"flow2d-eight-gaussians-shortcut", "Eight Gaussians, shortcut",
     "A small network that learned eight Gaussians together with the length of its steps: 1, 2, 4 … 64 equal steps.",
     "models/flow2d/eight-gaussians-shortcut.safetensors", shortcutRecipe},
};

std::optional<std::string> resourceOf(const BuiltIn& b) { return findResource(b.resource); }

// A model of the resources or a path, opened: which it is, and its description without weights.
struct Found {
    ModelInfo info;
    std::optional<ModelFiles> files;
    std::string mlp;  // path of an MLP
};

// Files may be known, without anything to run them.
void requireRunnable(const ModelFiles& files) {
    const std::string name = files.network.config.value("_class_name", std::string());
    if (!files.family.empty() && (files.isOnlyRecognised || !findArchitecture(name)))
        throw Failure("The model in '" + files.path + "' is " + files.family
                      + ". Meander recognises it and cannot run it yet.");
}

Found findTrained(const std::string& path) {
    std::error_code error;
    if (!fs::exists(path, error))
        throw Failure("There is no model at '" + path + "'. Check the path, or choose a built-in model.");
    const std::string absolute = fs::absolute(path, error).lexically_normal().string();
    Found f;
    if (isDiffusersFolder(absolute)) f.files = openDiffusersFolder(absolute);
    else if (fs::is_directory(path, error))
        throw Failure("The folder '" + path
                      + "' holds no model that Meander knows: it has no model_index.json. Choose a folder in the "
                        "format of diffusers, or a file of weights.");
    else if (isMlp2d(absolute)) f.mlp = absolute;
    else f.files = openModelFile(absolute);
    if (f.files) requireRunnable(*f.files);
    f.info = f.files ? inspectNetwork(*f.files) : inspectMlp2d(f.mlp);
    return f;
}

// Steps and scale of guidance that the files of a model recommend, over other recommendations.
void takeOwnSettings(ModelInfo& info, const ModelFiles& files) {
    if (!files.recommended.is_object()) return;
    Json own = files.recommended;
    if (own.contains("guidance") && own["guidance"].is_number()) {
        Json rules = Json::array();
        if (own["guidance"] != 1.0) rules.push_back({{"id", "cfg"}, {"params", {{"scale", own["guidance"]}}}});
        own["guidance"] = rules;
    }
    info.recommended.update(own);
}

Found findModel(const ModelId& id) {
    if (id.scheme.empty()) {
        Found f = findTrained(id.name);
        f.info.recommended = generalRecommendation(f.info);
        if (f.files) takeOwnSettings(f.info, *f.files);
        return f;
    }
    id.finish();
    for (const auto& b : builtIns) {
        if (id.name != b.name) continue;
        const auto path = resourceOf(b);
        if (!path)
            throw Failure("The built-in model '" + id.name
                          + "' is not in this installation. Install Meander's models, or set MEANDER_RESOURCES to the "
                            "folder that holds them.");
        Found f = findTrained(*path);
        f.info.id = id.text;
        f.info.name = b.label;
        f.info.summary = b.summary;
        f.info.recommended = Json::parse(b.recommended);
        if (f.files) takeOwnSettings(f.info, *f.files);
        return f;
    }
    std::string names;
    for (const auto& b : builtIns) names.append(names.empty() ? "" : ", ").append(b.name);
    throw Failure("There is no built-in model '" + id.name + "'. Choose one of: " + names + ".");
}

// Runs at a border: a Failure, and whatever a library threw, becomes an Error.
template <class F> auto atBorder(const std::string& what, F work) -> Result<decltype(work())> {
    try {
        return work();
    } catch (const Failure& f) {
        return Error{f.what()};
    } catch (const kernels::OutOfMemory& e) {
        return Error{"There is not enough memory for the model '" + what
                         + "'. Close other programs, or choose a smaller model.",
                     e.what()};
    } catch (const std::bad_alloc& e) {
        return Error{"There is not enough memory for the model '" + what
                         + "'. Close other programs, or choose a smaller model.",
                     e.what()};
    } catch (const std::exception& e) {
        return Error{"The model '" + what + "' could not be opened. Its files may be damaged.", e.what()};
    }
}

std::unique_ptr<Model> loadWithLoras(ModelInfo info, const ModelFiles& files, Backend& backend,
                                     const LoadOptions& options) {
    const WithLoras changed = withLoras(files, options.loras);
    auto model = std::make_unique<NetworkModel>(std::move(info), changed.files, backend, options);
    for (std::size_t i = 0; i < options.loras.size(); ++i) {
        const auto unused = changed.use->unused(i);
        const std::size_t all = Lora(std::move(*WeightFile::open(options.loras[i].path))).modules().size();
        if (unused.size() == all && all > 0)
            throw Failure("Nothing in the LoRA '" + options.loras[i].path + "' belongs to " + model->info().name
                          + ": its " + std::to_string(all) + " modules have other names (" + unused.front()
                          + "). It was made for another family of models.");
    }
    return model;
}

ModelId parsed(const std::string& text) {
    auto id = ModelId::parse(text);
    if (!id) throw Failure(id.error().text);
    return std::move(*id);
}

std::unique_ptr<Model> makeExact(const ModelId& id) {
    if (auto curved = makeManifoldModel(id)) return curved;
    return makeAnalyticModel(id);
}

}  // namespace

std::vector<CatalogEntry> builtInModels() {
    std::vector<CatalogEntry> entries;
    for (const auto& b : builtIns)
        if (resourceOf(b)) entries.push_back({std::string("builtin:") + b.name, b.label, b.summary});
    for (auto& e : analyticModels()) entries.push_back(std::move(e));
    for (auto& e : manifoldModels()) entries.push_back(std::move(e));
    return entries;
}

Result<ModelInfo> inspectModel(const std::string& idOrPath) {
    return atBorder(idOrPath, [&]() -> ModelInfo {
        const ModelId id = parsed(idOrPath);
        return id.scheme == "analytic" ? makeExact(id)->info() : findModel(id).info;
    });
}

Result<std::unique_ptr<Model>> loadModel(const std::string& idOrPath, Backend& backend, const LoadOptions& options) {
    return atBorder(idOrPath, [&]() -> std::unique_ptr<Model> {
        const ModelId id = parsed(idOrPath);
        if (id.scheme == "analytic") return makeExact(id);
        Found f = findModel(id);
        if (f.files && !options.loras.empty()) return loadWithLoras(std::move(f.info), *f.files, backend, options);
        if (f.files) return std::make_unique<NetworkModel>(std::move(f.info), *f.files, backend, options);
        return loadMlp2d(std::move(f.info), f.mlp, backend);
    });
}

Result<std::vector<Token>> tokenizePrompt(const std::string& idOrPath, const std::string& prompt) {
    return atBorder(idOrPath, [&]() -> std::vector<Token> {
        const ModelId id = parsed(idOrPath);
        if (id.scheme == "analytic") return {};
        const Found f = findModel(id);
        if (f.info.tokenizer.empty()) return {};
        auto tokenizer = openTokenizer(f.info.tokenizer);
        if (!tokenizer) throw Failure(tokenizer.error().text);
        return (*tokenizer)->encode(prompt);
    });
}

}  // namespace meander
