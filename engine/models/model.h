// A model: network + parametrization + process + conditioning + codec. Created, used and destroyed on the engine
// thread; ModelInfo is a value anyone may hold.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/imaging/pixel_map.h"
#include "engine/models/conditions.h"
#include "engine/models/prompt_dialect.h"
#include "engine/models/state_spec.h"
#include "engine/nn/hook.h"
#include "engine/process/distillation.h"
#include "engine/process/parametrization.h"
#include "engine/taps/taps.h"
#include "engine/tensor/tensor.h"

namespace meander {

enum class ConditioningKind : std::uint8_t { None, Class, Text };

// What a network takes of an image beside its state.
enum class ImageCondition : std::uint8_t {
    None,
    Inpainting,  // the image outside a mask, and the mask
    Editing      // the whole image
};

// How a fact about a model is known.
struct Finding {
    std::string key;     // of the fact: "prediction", "process", "kind", "codec" ...
    std::string value;   // as shown: "v"
    std::string reason;  // a sentence: which key, tensor or setting of the files says so, or what was assumed
    enum Source : std::uint8_t { Read, Assumed, Declared } source = Read;
};

struct ModelInfo {
    std::string id;            // "builtin:sprites-unet", "analytic:ring8" or an absolute path
    std::string name;          // "Sprites U-Net"
    std::string summary;       // one sentence: what it draws
    std::string family;        // "U-Net with cross-attention", "DiT", "exact mixture", "MLP"
    std::string architecture;  // class of its network in diffusers: "FluxTransformer2DModel"; empty: has none there
    Parametrization parametrization = Parametrization::X0;
    Process process = Process::varianceExploding(0.002, 80);
    double sigmaData = 0.5;
    Distillation distillation = Distillation::None;
    StateSpec state;
    std::optional<PixelMap> pixels;  // how a state looks without a network; none: points, or not known
    ConditioningKind conditioning = ConditioningKind::None;
    ImageCondition imageCondition = ImageCondition::None;
    std::vector<std::string> classes;  // for Class
    int textTokens = 0;                // context length, for Text
    std::string tokenizer;             // folder of its vocabulary, for Text
    std::vector<TapSite> attention;    // cross-attention sites, in execution order
    // Transformer blocks in execution order; heads, grid and tokens (= height · width) are those of their
    // self-attention. Known without the weights.
    std::vector<TapSite> blocks;
    int trunks = 0;                 // SiteKind::Trunk, outermost first; known without the weights
    bool isUNet = false;            // its trunks end at skip connections
    std::int64_t contextWidth = 0;  // numbers per token of what Denoiser::prepare keeps of a text
    std::int64_t parameters = 0;    // number of weights
    std::size_t weightBytes = 0;
    std::size_t bytesPerRow = 0;            // estimate of activation memory for one row of a call
    double secondsPerRow = 0;               // estimate, from the last measurement on this machine; 0 when unknown
    std::optional<double> builtInGuidance;  // scale distilled into the weights
    bool takesGuidance = false;             // conditioned on a guidance scale (guidance-distilled with a scale input)
    // What a new draft should start with: sampler, schedule, steps, guidance, prompt, count (keys of the recipe).
    Json recommended;
    std::vector<Finding> findings;     // what the files say about the model, and what had to be assumed
    std::vector<std::string> missing;  // sentences: parts that are needed and were not found, and where
    // Exact models: what is known in closed form.
    bool hasDensity = false;
    bool drawsData = false;  // drawData gives draws of what it was made or trained for
};

// The image that a model draws into or changes, of the size of the run.
struct SourceImage {
    HostTensor image;  // (1, h, w, 3) F32 in [0, 1]
    HostTensor mask;   // (1, h, w, 1) F32, 1 where it is drawn anew, else 0; empty for models that take none
};

// What a row is conditioned on, as a person says it. Neither text nor class: unconditional.
struct Prompt {
    std::string text;
    std::optional<int> classIndex;
    bool unconditional = false;
    bool isNegative = false;    // what to lead away from
    int height = 0, width = 0;  // of the image in pixels, for models conditioned on it; 0: the model's own
    PromptDialect dialect = PromptDialect::Plain;
    int clipSkip = 1;  // states of the n-th layer of a CLIP text encoder, counted from the last
    std::shared_ptr<const SourceImage> source = {};  // null: none, for models that take one
    bool operator==(const Prompt&) const = default;
};

// Rows of one network call; rows may be of different runs and at different times.
struct NetworkBatch {
    Tensor x;                   // (rows, state...) native input, already scaled by Conversion::input; F32 or F64
    std::vector<double> times;  // per row, Conversion::time
    std::vector<double> taus;   // per row, integration clock (exact models use it)
    std::vector<double>
        targets;  // per row, the clock value stepped to, for models that are told; NaN when the sampler does not say
    std::vector<ConditioningPtr> conditioning;  // per row; null: unconditional
    nn::Hooks hooks;                            // models without sites ignore them
    // Per row: the scale that a guidance-distilled network is conditioned on (ModelInfo::takesGuidance); empty: none.
    std::vector<std::optional<double>> guidance;
};

class Model {
public:
    virtual ~Model() = default;
    const ModelInfo& info() const { return m_info; }

    // Throws Failure with a sentence.
    virtual ConditioningPtr condition(const Prompt& prompt) = 0;
    // The network's raw output F, (rows, state...), same type as x.
    virtual Tensor predict(const NetworkBatch& batch) = 0;

    // x0 or x̂0 → images F32 in [0, 1], not clipped, and back. Only for images.
    virtual HostTensor decode(const HostTensor& state) const;  // (n, state...) → (n, h, w, 3)
    virtual HostTensor encode(const HostTensor& images) const;

    // Frees what only runs that have ended needed: the prepared conditions of their texts.
    virtual void release() {}

    // Exact models only: log density of the noisy state in native coordinates, per row.
    virtual std::vector<double> logDensity(const HostTensor& x, double tau, const Prompt& prompt) const;
    // What is wrong with the model when its answer to `batch` is not finite: a sentence with the weight or the layer at
    // fault and a remedy; empty: not known. Slow: looks through all weights, and evaluates again.
    virtual std::string faultOf(const NetworkBatch& batch);
    // Exact draws of x0 (ground truth for views and tests); empty when unknown.
    virtual HostTensor drawData(std::int64_t n, std::uint64_t seed, const Prompt& prompt) const;

protected:
    ModelInfo m_info;
};

struct LoraChoice {
    std::string path;
    double strength = 1;
    bool operator==(const LoraChoice&) const = default;
};

struct LoadOptions {
    std::string precision = "auto";  // "f32", "bf16", "auto" (bf16 where it is fast and the model is large)
    // The format that the matrices of the network are kept in: "file" (as they are stored), or the name of a format
    // that can be quantised to (weights/quantised.h).
    std::string weights = "file";
    std::vector<LoraChoice> loras;  // merged into the weights, in order
};
struct CatalogEntry {
    std::string id, name, summary;
};
// Built-in models: trained ones found in the resources and exact ones. Explicit table in models/catalog.cpp.
std::vector<CatalogEntry> builtInModels();
// The same model on images of other sizes: state, image, and the grids of its sites follow. Throws Failure when the
// network does not take the size. Sizes in pixels.
ModelInfo resized(ModelInfo info, int height, int width);
// Reads what a model is, without its weights.
Result<ModelInfo> inspectModel(const std::string& idOrPath);
Result<std::unique_ptr<Model>> loadModel(const std::string& idOrPath, Backend& backend,
                                         const LoadOptions& options = {});
// Words and sub-tokens of a prompt for a text model; empty list when the model takes no text.
Result<std::vector<Token>> tokenizePrompt(const std::string& idOrPath, const std::string& prompt);

}  // namespace meander
