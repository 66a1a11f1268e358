// QwenImageTransformer2DModel: Qwen-Image 1 (Wu et al. 2025). Joint blocks only; the image's positions are centred, the
// text follows on the diagonal.
#include <algorithm>

#include "engine/models/architectures/joint_transformer.h"
#include "engine/models/architectures/transformer_config.h"

namespace meander {
namespace {

// Of every token (frame, row, column).
std::vector<double> positions(std::int64_t text, nn::Grid image) {
    const int first = std::max(image.height / 2, image.width / 2), top = image.height - image.height / 2,
              left = image.width - image.width / 2;
    std::vector<double> all;
    for (std::int64_t i = 0; i < text; ++i) all.insert(all.end(), 3, double(first + i));
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) all.insert(all.end(), {0.0, double(y - top), double(x - left)});
    return all;
}

JointTransformerConfig configOf(const Json& j, const std::string& what) {
    requireObject(j, what);
    for (const char* key : {"guidance_embeds", "zero_cond_t", "use_additional_t_cond", "use_layer3d_rope"})
        requireSetting(j, key, false, what);
    JointTransformerConfig c;
    c.style.heads = extentIn(j, "num_attention_heads", 24, 1024, what);
    c.style.headWidth = extentIn(j, "attention_head_dim", 128, 4096, what);
    c.style.patch = extentIn(j, "patch_size", 2, 64, what);
    c.style.inner = 4 * c.style.width();
    c.channels = extentIn(j, "out_channels", 16, 4096, what);
    c.sampleSize = 128;
    c.jointBlocks = extentIn(j, "num_layers", 60, 512, what);
    c.textWidth = extentIn(j, "joint_attention_dim", 3584, 65536, what);
    c.hasTextNorm = true;
    c.axes = {extentsIn(j, "axes_dims_rope", {16, 56, 56}, 4096, what), 10000};
    c.positions = positions;
    if (extentIn(j, "in_channels", 64, 1 << 14, what) != c.channels * c.style.patch * c.style.patch
        || c.sampleSize % c.style.patch != 0 || c.axes.channels.size() != 3 || !c.axes.isFor(c.style.headWidth))
        sizesDoNotFit(what);
    c.names = {.time = "time_text_embed.timestep_embedder",
               .guidance = "",
               .pooled = "",
               .textNorm = "txt_norm",
               .text = "txt_in",
               .patches = "img_in",
               .imageModulation = "",
               .textModulation = "",
               .parallelModulation = "",
               .image = jointImageNames(),
               .ofText = jointTextNames(),
               .parallel = {}};
    c.names.image.modulation = "img_mod.1";
    c.names.image.up = "img_mlp.net.0.proj";
    c.names.image.down = "img_mlp.net.2";
    c.names.ofText.modulation = "txt_mod.1";
    c.names.ofText.up = "txt_mlp.net.0.proj";
    c.names.ofText.down = "txt_mlp.net.2";
    return c;
}

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    describeJointTransformer(configOf(config, what), info);
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<JointTransformer>(configOf(config, what), builder);
}

}  // namespace

const Architecture& qwenImageArchitecture() {
    static const Architecture row{"QwenImageTransformer2DModel", "Diffusion transformer with joint attention",
                                  "qwen_image", describe, build};
    return row;
}

}  // namespace meander
