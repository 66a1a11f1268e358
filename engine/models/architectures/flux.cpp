// FluxTransformer2DModel: Flux.1 dev and schnell (Black Forest Labs 2024). Joint blocks, then parallel ones.
// ChromaTransformer2DModel is Flux.1 with a small network in place of the modulations, the guidance and the pooled
// text.
#include "engine/models/architectures/joint_transformer.h"
#include "engine/models/architectures/transformer_config.h"

namespace meander {
namespace {

// Of every token (index, row, column); the text lies at the origin.
std::vector<double> positions(std::int64_t text, nn::Grid image) {
    std::vector<double> all(std::size_t(3 * text), 0.0);
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) all.insert(all.end(), {0.0, double(y), double(x)});
    return all;
}

JointTransformerConfig configOf(const Json& j, const std::string& what) {
    constexpr int patch = 2;  // of the latent; to diffusers the packed patches are the input
    requireObject(j, what);
    requireSetting(j, "patch_size", 1, what);
    JointTransformerConfig c;
    c.style.heads = extentIn(j, "num_attention_heads", 24, 1024, what);
    c.style.headWidth = extentIn(j, "attention_head_dim", 128, 4096, what);
    c.style.patch = patch;
    c.style.inner = 4 * c.style.width();
    const int packed = extentIn(j, "in_channels", 64, 1 << 14, what);
    if (extentIn(j, "out_channels", packed, 1 << 14, what) != packed)
        throw Failure("The transformer described in " + what
                      + " has other channels at its input than at its output (filling in, depth or edges?), which "
                        "Meander cannot use yet.");
    c.channels = packed / (patch * patch);
    c.sampleSize = 128;
    c.jointBlocks = extentIn(j, "num_layers", 19, 512, what);
    c.parallelBlocks = extentIn(j, "num_single_layers", 38, 512, what);
    c.textWidth = extentIn(j, "joint_attention_dim", 4096, 65536, what);
    c.pooledWidth = extentIn(j, "pooled_projection_dim", 768, 65536, what);
    if (jsonBool(j, "guidance_embeds", false, what)) c.usualGuidance = 3.5;
    c.axes = {extentsIn(j, "axes_dims_rope", {16, 56, 56}, 4096, what), 10000};
    c.positions = positions;
    if (packed % (patch * patch) != 0 || c.axes.channels.size() != 3 || !c.axes.isFor(c.style.headWidth))
        sizesDoNotFit(what);
    c.names = {.time = "time_text_embed.timestep_embedder",
               .guidance = "time_text_embed.guidance_embedder",
               .pooled = "time_text_embed.text_embedder",
               .textNorm = "",
               .text = "context_embedder",
               .patches = "x_embedder",
               .imageModulation = "",
               .textModulation = "",
               .parallelModulation = "",
               .image = jointImageNames(),
               .ofText = jointTextNames(),
               .parallel = {.modulation = "norm.linear",
                            .q = "attn.to_q",
                            .k = "attn.to_k",
                            .v = "attn.to_v",
                            .queryNorm = "attn.norm_q",
                            .keyNorm = "attn.norm_k",
                            .up = "proj_mlp",
                            .out = "proj_out",
                            .all = ""}};
    return c;
}

JointTransformerConfig chromaConfigOf(const Json& j, const std::string& what) {
    JointTransformerConfig c = configOf(j, what);
    c.usualGuidance.reset();
    c.pooledWidth = 0;
    c.style.sharesModulation = true;  // none is stored in the blocks
    c.approximator = {extentIn(j, "approximator_layers", 5, 512, what),
                      extentIn(j, "approximator_hidden_dim", 5120, 65536, what),
                      extentIn(j, "approximator_num_channels", 64, 4096, what)};
    if (c.approximator.waves % 8 != 0) sizesDoNotFit(what);
    return c;
}

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    describeJointTransformer(configOf(config, what), info);
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<JointTransformer>(configOf(config, what), builder);
}

void describeChroma(const Json& config, const std::string& what, ModelInfo& info) {
    describeJointTransformer(chromaConfigOf(config, what), info);
}

std::unique_ptr<Denoiser> buildChroma(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<JointTransformer>(chromaConfigOf(config, what), builder);
}

}  // namespace

const Architecture& chromaArchitecture() {
    static const Architecture row{"ChromaTransformer2DModel", "Diffusion transformer with joint attention", "chroma",
                                  describeChroma, buildChroma};
    return row;
}

const Architecture& fluxArchitecture() {
    static const Architecture row{"FluxTransformer2DModel", "Diffusion transformer with joint attention", "flux",
                                  describe, build};
    return row;
}

}  // namespace meander
