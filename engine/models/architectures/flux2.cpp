// Flux2Transformer2DModel: Flux.2 dev and klein (Black Forest Labs 2025). As Flux.1, with SwiGLU, without biases, one
// modulation for all blocks of a kind, and a fourth axis of positions that counts the tokens of the text.
#include "engine/models/architectures/joint_transformer.h"
#include "engine/models/architectures/transformer_config.h"

namespace meander {
namespace {

// Of every token (index of the image, row, column, index in the text).
std::vector<double> positions(std::int64_t text, nn::Grid image) {
    std::vector<double> all;
    for (std::int64_t i = 0; i < text; ++i) all.insert(all.end(), {0.0, 0.0, 0.0, double(i)});
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) all.insert(all.end(), {0.0, double(y), double(x), 0.0});
    return all;
}

JointTransformerConfig configOf(const Json& j, const std::string& what) {
    requireObject(j, what);
    requireSetting(j, "patch_size", 1, what);
    requireSetting(j, "timestep_guidance_channels", 256, what);
    JointTransformerConfig c;
    c.style.heads = extentIn(j, "num_attention_heads", 48, 1024, what);
    c.style.headWidth = extentIn(j, "attention_head_dim", 128, 4096, what);
    const double ratio = jsonReal(j, "mlp_ratio", 3, what);
    if (!(ratio > 0 && ratio <= 64)) sizesDoNotFit(what);
    c.style.inner = std::int64_t(double(c.style.width()) * ratio);
    c.style.hasBias = false;
    c.style.isGated = true;
    c.style.sharesModulation = true;
    c.channels = extentIn(j, "in_channels", 128, 1 << 14, what);
    if (extentIn(j, "out_channels", c.channels, 1 << 14, what) != c.channels) sizesDoNotFit(what);
    c.sampleSize = 64;
    c.jointBlocks = extentIn(j, "num_layers", 8, 512, what);
    c.parallelBlocks = extentIn(j, "num_single_layers", 48, 512, what);
    c.textWidth = extentIn(j, "joint_attention_dim", 15360, 65536, what);
    if (jsonBool(j, "guidance_embeds", true, what)) c.usualGuidance = 4.0;
    c.axes = {extentsIn(j, "axes_dims_rope", {32, 32, 32, 32}, 4096, what), jsonReal(j, "rope_theta", 2000, what)};
    c.positions = positions;
    if (c.axes.channels.size() != 4 || !c.axes.isFor(c.style.headWidth)) sizesDoNotFit(what);
    c.names = {.time = "time_guidance_embed.timestep_embedder",
               .guidance = "time_guidance_embed.guidance_embedder",
               .pooled = "",
               .textNorm = "",
               .text = "context_embedder",
               .patches = "x_embedder",
               .imageModulation = "double_stream_modulation_img.linear",
               .textModulation = "double_stream_modulation_txt.linear",
               .parallelModulation = "single_stream_modulation.linear",
               .image = jointImageNames(),
               .ofText = jointTextNames(),
               .parallel = {.modulation = "",
                            .q = "",
                            .k = "",
                            .v = "",
                            .queryNorm = "attn.norm_q",
                            .keyNorm = "attn.norm_k",
                            .up = "",
                            .out = "attn.to_out",
                            .all = "attn.to_qkv_mlp_proj"}};
    c.names.image.up = "ff.linear_in";
    c.names.image.down = "ff.linear_out";
    c.names.ofText.up = "ff_context.linear_in";
    c.names.ofText.down = "ff_context.linear_out";
    return c;
}

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    describeJointTransformer(configOf(config, what), info);
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<JointTransformer>(configOf(config, what), builder);
}

}  // namespace

const Architecture& flux2Architecture() {
    static const Architecture row{"Flux2Transformer2DModel", "Diffusion transformer with joint attention", "flux2",
                                  describe, build};
    return row;
}

}  // namespace meander
