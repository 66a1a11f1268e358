// Lumina2Transformer2DModel: Lumina Image 2 (Qin et al. 2025).
#include <algorithm>

#include "engine/models/architectures/next_dit.h"
#include "engine/models/architectures/transformer_config.h"

namespace meander {
namespace {

NextDitConfig configOf(const Json& j, const std::string& what) {
    requireObject(j, what);
    NextDitConfig c;
    c.style.width = extentIn(j, "hidden_size", 2304, 65536, what);
    c.style.heads = extentIn(j, "num_attention_heads", 24, 1024, what);
    c.style.keyHeads = extentIn(j, "num_kv_heads", 8, 1024, what);
    c.style.patch = extentIn(j, "patch_size", 2, 64, what);
    const std::int64_t multiple = extentIn(j, "multiple_of", 256, 65536, what);
    const double factor = jsonReal(j, "ffn_dim_multiplier", 1, what);
    if (!(factor > 0 && factor <= 64)) sizesDoNotFit(what);
    c.style.inner = (std::int64_t(4 * double(c.style.width) * factor) + multiple - 1) / multiple * multiple;
    c.style.vector = std::min<std::int64_t>(c.style.width, 1024);
    c.style.eps = float(jsonReal(j, "norm_eps", 1e-5, what));
    c.style.names = {.modulation = "norm1.linear",
                     .attentionNorm = "norm1.norm",
                     .q = "attn.to_q",
                     .k = "attn.to_k",
                     .v = "attn.to_v",
                     .queryNorm = "attn.norm_q",
                     .keyNorm = "attn.norm_k",
                     .out = "attn.to_out.0",
                     .attentionEndNorm = "norm2",
                     .feedForwardNorm = "ffn_norm1",
                     .gate = "feed_forward.linear_1",
                     .up = "feed_forward.linear_3",
                     .down = "feed_forward.linear_2",
                     .feedForwardEndNorm = "ffn_norm2"};
    c.textAttentionNorm = "norm1";
    c.channels = extentIn(j, "in_channels", 16, 4096, what);
    c.sampleSize = extentIn(j, "sample_size", 128, 8192, what);
    c.refiners = extentIn(j, "num_refiner_layers", 2, 512, what);
    c.layers = extentIn(j, "num_layers", 26, 512, what);
    c.textWidth = extentIn(j, "cap_feat_dim", 1024, 65536, what);
    c.timeHidden = c.style.vector;
    c.isTimeActivated = true;
    c.axes = {extentsIn(j, "axes_dim_rope", {32, 32, 32}, 4096, what), 10000};
    c.names = {.time1 = "time_caption_embed.timestep_embedder.linear_1",
               .time2 = "time_caption_embed.timestep_embedder.linear_2",
               .textNorm = "time_caption_embed.caption_embedder.0",
               .text = "time_caption_embed.caption_embedder.1",
               .patches = "x_embedder",
               .modulationOut = "norm_out.linear_1",
               .output = "norm_out.linear_2"};
    if (extentIn(j, "out_channels", c.channels, 4096, what) != c.channels || c.sampleSize % c.style.patch != 0
        || c.style.width % c.style.heads != 0 || c.style.heads % c.style.keyHeads != 0 || c.axes.channels.size() != 3
        || !c.axes.isFor(c.style.headWidth()))
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

const Architecture& lumina2Architecture() {
    static const Architecture row{"Lumina2Transformer2DModel", "Diffusion transformer of one stream", "lumina2",
                                  describe, build};
    return row;
}

}  // namespace meander
