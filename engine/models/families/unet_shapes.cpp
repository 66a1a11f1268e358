// U-Nets of LDM and SGM: their configuration from the shapes of their tensors.
#include <algorithm>

#include "engine/models/families/family.h"

namespace meander {
namespace {

constexpr int layers = 2, step = layers + 1;  // residual blocks of a level, and input blocks with its downsampling
constexpr std::int64_t headWidth = 64;        // of all U-Nets after Stable Diffusion 1, which has 8 heads at each level

std::string inputBlock(int level) { return "input_blocks." + std::to_string(step * level + 1); }

struct Level {
    std::int64_t channels;
    int depth;  // transformer blocks; 0: no attention
};

std::vector<Level> levelsOf(const TensorList& n) {
    std::vector<Level> levels;
    for (int b = 0;; ++b) {
        const std::string block = inputBlock(b);
        const std::int64_t channels = n.extent(block + ".0.out_layers.3.weight", 0);
        if (channels == 0) return levels;
        levels.push_back({channels, n.blocks(block + ".1.transformer_blocks.")});
    }
}

}  // namespace

Json ldmUnetConfig(const TensorList& n, const Family& family) {
    const std::vector<Level> levels = levelsOf(n);
    Json channels = Json::array(), depth = Json::array(), heads = Json::array(), down = Json::array(),
         up = Json::array(), upDepth = Json::array();
    for (const Level& level : levels) {
        channels.push_back(level.channels);
        depth.push_back(std::max(1, level.depth));
        heads.push_back(std::max<std::int64_t>(1, level.channels / headWidth));
        down.push_back(level.depth ? "CrossAttnDownBlock2D" : "DownBlock2D");
        up.insert(up.begin(), level.depth ? "CrossAttnUpBlock2D" : "UpBlock2D");
    }
    bool isMirrored = true;
    for (int u = 0; u < int(levels.size()); ++u) {
        const int usual = levels[levels.size() - 1 - std::size_t(u)].depth;
        Json of = Json::array();
        for (int l = 0; l < step; ++l) {
            const int blocks = n.blocks("output_blocks." + std::to_string(step * u + l) + ".1.transformer_blocks.");
            isMirrored &= blocks == usual;
            of.push_back(std::max(1, blocks));
        }
        upDepth.push_back(of);
    }
    const auto projection = n.find("input_blocks.*.1.proj_in.weight"),
               context = n.find("input_blocks.*.1.transformer_blocks.0.attn2.to_k.weight");
    const std::int64_t added = n.extent("label_emb.0.0.weight", 1),
                       guidance = n.extent("time_embed.cond_proj.weight", 1);
    Json c = {
        {"_class_name", family.className},
        {"sample_size", family.size / 8},
        {"in_channels", n.extent("input_blocks.0.0.weight", 1)},
        {"out_channels", n.extent("out.2.weight", 0)},
        {"down_block_types", down},
        {"mid_block_type",
         n.hasAny("middle_block.1.transformer_blocks.") ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D"},
        {"up_block_types", up},
        {"block_out_channels", channels},
        {"layers_per_block", layers},
        {"transformer_layers_per_block", depth},
        {"cross_attention_dim", context ? n.extent(*context, 1) : 0},
        {"attention_head_dim", heads},
        {"use_linear_projection", projection && n.rank(*projection) == 2},
        {"norm_num_groups", 32},
        {"norm_eps", 1e-5},
        {"act_fn", "silu"},
        {"flip_sin_to_cos", true},
        {"freq_shift", 0},
    };
    if (std::string(family.id).starts_with("sd1")) c["attention_head_dim"] = 8;
    if (!isMirrored) c["reverse_transformer_layers_per_block"] = upDepth;
    if (added > 0) {
        c["addition_embed_type"] = "text_time";
        c["addition_time_embed_dim"] = 256;
        c["projection_class_embeddings_input_dim"] = added;
    }
    if (guidance > 0) c["time_cond_proj_dim"] = guidance;
    return c;
}

}  // namespace meander
