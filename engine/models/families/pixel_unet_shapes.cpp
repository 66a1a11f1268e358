// U-Nets of pixels by the names of OpenAI (guided-diffusion, consistency models): configuration and names from their
// tensors.
#include <algorithm>

#include "engine/models/families/family.h"

namespace meander {
namespace {

// A level has as many input blocks as residual blocks and a downsampling; as many output blocks.
struct Levels {
    int count = 1, step = 1;
};

Levels levelsOf(const TensorList& n) {
    Levels l;
    const int outputs = n.blocks("output_blocks.");
    for (int i = 0; i < outputs; ++i) {
        const std::string block = "output_blocks." + std::to_string(i);
        for (const char* part : {".1.conv.weight", ".2.conv.weight", ".1.in_layers.2.weight", ".2.in_layers.2.weight"})
            l.count += n.has(block + part);
    }
    l.step = std::max(1, outputs / l.count);
    return l;
}

}  // namespace

std::string pixelUnetNames(const TensorList& n) {
    std::string table = R"(time_embedding.linear_1.*                     time_embed.0.*
time_embedding.linear_2.*                     time_embed.2.*
class_embedding.*                             label_emb.*
conv_in.*                                     input_blocks.0.0.*
conv_norm_out.*                               out.0.*
conv_out.*                                    out.2.*
down_blocks.{b}.downsamplers.0.conv.*         input_blocks.{@b+@}.0.op.*
up_blocks.{b}.upsamplers.0.conv.*             output_blocks.{@b+@-1}.1.conv.*
up_blocks.{b}.upsamplers.0.conv.*             output_blocks.{@b+@-1}.2.conv.*
)";
    const std::pair<const char*, const char*> blocks[] = {{"down_blocks.{b}.resnets.{l}", "input_blocks.{@b+l+1}.0"},
                                                          {"down_blocks.{b}.downsamplers.0", "input_blocks.{@b+@}.0"},
                                                          {"mid_block.resnets.{l}", "middle_block.{2l}"},
                                                          {"up_blocks.{b}.resnets.{l}", "output_blocks.{@b+l}.0"},
                                                          {"up_blocks.{b}.upsamplers.0", "output_blocks.{@b+@-1}.1"},
                                                          {"up_blocks.{b}.upsamplers.0", "output_blocks.{@b+@-1}.2"}};
    const std::pair<const char*, const char*> parts[] = {
        {"norm1", "in_layers.0"},  {"conv1", "in_layers.2"},  {"time_emb_proj", "emb_layers.1"},
        {"norm2", "out_layers.0"}, {"conv2", "out_layers.3"}, {"conv_shortcut", "skip_connection"}};
    for (const auto& [ours, theirs] : blocks)
        for (const auto& [part, stored] : parts)
            table.append(ours).append(".").append(part).append(".* ").append(theirs).append(".").append(stored).append(
                ".*\n");
    const std::pair<const char*, const char*> attentions[] = {
        {"down_blocks.{b}.attentions.{l}", "input_blocks.{@b+l+1}.1"},
        {"mid_block.attentions.0", "middle_block.1"},
        {"up_blocks.{b}.attentions.{l}", "output_blocks.{@b+l}.1"}};
    const std::pair<const char*, const char*> places[] = {
        {"group_norm.*", "norm.*"},     {"to_qkv.*", "qkv.*"},          {"to_q.*", "qkv.* rows 0-1/3"},
        {"to_k.*", "qkv.* rows 1-2/3"}, {"to_v.*", "qkv.* rows 2-3/3"}, {"to_out.0.*", "proj_out.*"}};
    for (const auto& [ours, theirs] : attentions)
        for (const auto& [place, stored] : places)
            table.append(ours).append(".").append(place).append(" ").append(theirs).append(".").append(stored).append(
                "\n");
    const std::string step = std::to_string(levelsOf(n).step);
    for (auto at = table.find('@'); at != std::string::npos; at = table.find('@')) table.replace(at, 1, step);
    return table;
}

// Heads have 64 channels, or, in the network for 128 pixels, are four. Guided diffusion, whose networks learn
// variances, stores q, k and v head by head.
Json pixelUnetConfig(const TensorList& n, const Family& family) {
    const auto [count, step] = levelsOf(n);
    const std::int64_t in = n.extent("input_blocks.0.0.weight", 1), out = n.extent("out.2.weight", 0),
                       base = n.extent("input_blocks.0.0.weight", 0),
                       first = n.extent("input_blocks.1.0.out_layers.3.weight", 0);
    Json channels = Json::array(), down = Json::array(), up = Json::array();
    const bool isBlock = n.has("input_blocks." + std::to_string(step) + ".0.in_layers.2.weight") && count > 1;
    for (int b = 0; b < count; ++b) {
        const std::string block = "input_blocks." + std::to_string(step * b + 1),
                          above = "output_blocks." + std::to_string(step * (count - 1 - b));
        channels.push_back(n.extent(block + ".0.out_layers.3.weight", 0));
        down.push_back(n.has(block + ".1.qkv.weight") ? "AttnDownBlock2D"
                       : isBlock                      ? "ResnetDownsampleBlock2D"
                                                      : "DownBlock2D");
        up.insert(up.begin(), n.has(above + ".1.qkv.weight") ? "AttnUpBlock2D"
                              : isBlock                      ? "ResnetUpsampleBlock2D"
                                                             : "UpBlock2D");
    }
    const bool learnsVariance = out == 2 * in;
    Json c = {{"_class_name", family.className},
              {"sample_size", 8 << (count - 1)},
              {"in_channels", in},
              {"out_channels", out},
              {"block_out_channels", channels},
              {"down_block_types", down},
              {"up_block_types", up},
              {"layers_per_block", step - 1},
              {"downsample_type", isBlock ? "resnet" : "conv"},
              {"upsample_type", isBlock ? "resnet" : "conv"},
              {"attention_head_dim", std::min<std::int64_t>(64, base)},
              {"attn_norm_num_groups", 32},
              {"resnet_time_scale_shift",
               n.extent("input_blocks.1.0.emb_layers.1.weight", 0) == 2 * first ? "scale_shift" : "default"},
              {"add_attention", n.has("middle_block.1.qkv.weight")},
              {"interleaved_heads", learnsVariance}};
    if (learnsVariance && count == 5) c["attention_heads"] = 4;
    if (n.has("label_emb.weight")) c["num_class_embeds"] = n.extent("label_emb.weight", 0);
    return c;
}

}  // namespace meander
