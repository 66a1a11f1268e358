// ZImageTransformer2DModel: Z-Image and its Turbo (2025).
#include <algorithm>

#include "engine/models/architectures/next_dit.h"
#include "engine/models/architectures/transformer_config.h"

namespace meander {
namespace {

NextDitConfig configOf(const Json& j, const std::string& what) {
    requireObject(j, what);
    requireSetting(j, "all_patch_size", Json::array({2}), what);
    requireSetting(j, "all_f_patch_size", Json::array({1}), what);
    requireSetting(j, "qk_norm", true, what);
    if (j.contains("siglip_feat_dim") && !j["siglip_feat_dim"].is_null())
        throw Failure("The transformer described in " + what
                      + " takes features of reference images (SigLIP), which Meander cannot use yet.");
    NextDitConfig c;
    c.style.width = extentIn(j, "dim", 3840, 65536, what);
    c.style.heads = extentIn(j, "n_heads", 30, 1024, what);
    c.style.keyHeads = c.style.heads;
    c.style.patch = 2;
    c.style.inner = std::int64_t(double(c.style.width) / 3 * 8);
    c.style.vector = std::min<std::int64_t>(c.style.width, 256);
    c.style.eps = float(jsonReal(j, "norm_eps", 1e-5, what));
    c.style.names = {.modulation = "adaLN_modulation.0",
                     .attentionNorm = "attention_norm1",
                     .q = "attention.to_q",
                     .k = "attention.to_k",
                     .v = "attention.to_v",
                     .queryNorm = "attention.norm_q",
                     .keyNorm = "attention.norm_k",
                     .out = "attention.to_out.0",
                     .attentionEndNorm = "attention_norm2",
                     .feedForwardNorm = "ffn_norm1",
                     .gate = "feed_forward.w1",
                     .up = "feed_forward.w3",
                     .down = "feed_forward.w2",
                     .feedForwardEndNorm = "ffn_norm2"};
    c.textAttentionNorm = c.style.names.attentionNorm;
    c.channels = extentIn(j, "in_channels", 16, 4096, what);
    c.sampleSize = 128;
    c.refiners = extentIn(j, "n_refiner_layers", 2, 512, what);
    c.layers = extentIn(j, "n_layers", 30, 512, what);
    c.textWidth = extentIn(j, "cap_feat_dim", 2560, 65536, what);
    c.timeScale = jsonReal(j, "t_scale", 1000, what);
    c.timeHidden = 1024;
    c.sequence = 32;
    c.firstPosition = 1;
    c.axes = {extentsIn(j, "axes_dims", {32, 48, 48}, 4096, what), jsonReal(j, "rope_theta", 256, what)};
    c.names = {.time1 = "t_embedder.mlp.0",
               .time2 = "t_embedder.mlp.2",
               .textNorm = "cap_embedder.0",
               .text = "cap_embedder.1",
               .patches = "all_x_embedder.2-1",
               .modulationOut = "all_final_layer.2-1.adaLN_modulation.1",
               .output = "all_final_layer.2-1.linear"};
    if (extentIn(j, "n_kv_heads", c.style.heads, 1024, what) != c.style.heads || c.style.width % c.style.heads != 0
        || c.axes.channels.size() != 3 || !c.axes.isFor(c.style.headWidth()))
        sizesDoNotFit(what);
    return c;
}

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    describeNextDit(configOf(config, what), info);
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<NextDit>(configOf(config, what), builder);
}

}  // namespace

const Architecture& zImageArchitecture() {
    static const Architecture row{"ZImageTransformer2DModel", "Diffusion transformer of one stream", "z_image",
                                  describe, build};
    return row;
}

}  // namespace meander
