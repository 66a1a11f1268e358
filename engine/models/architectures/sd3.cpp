// SD3Transformer2DModel: Stable Diffusion 3 and 3.5 (Esser et al. 2024). Joint blocks with a learned table of
// positions; 3.5 norms the heads, 3.5 medium attends within the image a second time.
#include "engine/models/architectures/joint_transformer.h"
#include "engine/models/architectures/transformer_config.h"

namespace meander {
namespace {

JointTransformerConfig configOf(const Json& j, const std::string& what) {
    requireObject(j, what);
    JointTransformerConfig c;
    c.style.heads = extentIn(j, "num_attention_heads", 18, 1024, what);
    c.style.headWidth = extentIn(j, "attention_head_dim", 64, 4096, what);
    c.style.patch = extentIn(j, "patch_size", 2, 64, what);
    c.style.inner = 4 * c.style.width();
    c.style.hasHeadNorms = j.contains("qk_norm") && !j["qk_norm"].is_null();
    if (c.style.hasHeadNorms) requireSetting(j, "qk_norm", "rms_norm", what);
    c.channels = extentIn(j, "in_channels", 16, 4096, what);
    if (extentIn(j, "out_channels", c.channels, 4096, what) != c.channels)
        throw Failure("The transformer described in " + what
                      + " has other channels at its input than at its output, which Meander cannot use yet.");
    c.sampleSize = extentIn(j, "sample_size", 128, 8192, what);
    c.jointBlocks = extentIn(j, "num_layers", 18, 512, what);
    c.textWidth = extentIn(j, "joint_attention_dim", 4096, 65536, what);
    c.pooledWidth = extentIn(j, "pooled_projection_dim", 2048, 65536, what);
    c.tableSide = extentIn(j, "pos_embed_max_size", 96, 8192, what);
    c.secondAttention = extentsIn(j, "dual_attention_layers", {}, 512, what);
    c.endsText = true;
    c.isConvolution = true;
    c.hasPlaceFirst = true;
    if (extentIn(j, "caption_projection_dim", 1152, 65536, what) != c.style.width() || c.sampleSize % c.style.patch != 0
        || c.sampleSize / c.style.patch > c.tableSide)
        sizesDoNotFit(what);
    c.names = {.time = "time_text_embed.timestep_embedder",
               .guidance = "",
               .pooled = "time_text_embed.text_embedder",
               .textNorm = "",
               .text = "context_embedder",
               .patches = "pos_embed.proj",
               .imageModulation = "",
               .textModulation = "",
               .parallelModulation = "",
               .image = jointImageNames(),
               .ofText = jointTextNames(),
               .parallel = {}};
    return c;
}

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    describeJointTransformer(configOf(config, what), info);
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<JointTransformer>(configOf(config, what), builder);
}

}  // namespace

const Architecture& sd3Architecture() {
    static const Architecture row{"SD3Transformer2DModel", "Diffusion transformer with joint attention", "sd3",
                                  describe, build};
    return row;
}

}  // namespace meander
