#include "engine/models/architectures/unet_config.h"

#include <algorithm>

namespace meander {
namespace {

[[noreturn]] void unsupported(const std::string& what, const std::string& why) {
    throw Failure("The U-Net described in " + what + " cannot be used yet: " + why + ".");
}

void requireDefault(const Json& j, const char* key, const Json& usual, const std::string& what) {
    if (!j.contains(key) || j[key].is_null() || j[key] == usual) return;
    unsupported(what, "its setting '" + std::string(key) + "' is " + j[key].dump() + ", and Meander only knows "
                          + (usual.is_null() ? "models without it" : usual.dump()));
}

void refuseOtherKinds(const Json& j, const std::string& what) {
    for (const char* key : {"class_embed_type", "encoder_hid_dim", "encoder_hid_dim_type", "num_class_embeds",
                            "timestep_post_act", "time_embedding_act_fn"})
        requireDefault(j, key, nullptr, what);
    if (j.contains("addition_embed_type") && !j["addition_embed_type"].is_null())
        requireDefault(j, "addition_embed_type", "text_time", what);
    requireDefault(j, "time_embedding_type", "positional", what);
    requireDefault(j, "resnet_time_scale_shift", "default", what);
    requireDefault(j, "attention_type", "default", what);
    requireDefault(j, "conv_in_kernel", 3, what);
    requireDefault(j, "conv_out_kernel", 3, what);
    for (const char* key : {"dual_cross_attention", "only_cross_attention", "center_input_sample",
                            "class_embeddings_concat", "resnet_skip_time_act"})
        requireDefault(j, key, false, what);
    const std::string act = jsonText(j, "act_fn", "silu", what);
    if (act != "silu" && act != "swish") unsupported(what, "its activation is '" + act + "' instead of silu");
}

int positive(std::int64_t v, std::int64_t largest, const char* key, const std::string& what) {
    if (v < 1 || v > largest)
        throw Failure("The entry '" + std::string(key) + "' of " + what + " is " + std::to_string(v)
                      + ", which is not possible. The file may be damaged.");
    return int(v);
}

// One number per down block, or one for all.
std::vector<int> perBlock(const Json& j, const char* key, std::int64_t fallback, std::size_t blocks,
                          std::int64_t largest, const std::string& what) {
    const auto list = jsonIntegers(j, key, std::vector<std::int64_t>(blocks, fallback), blocks, what);
    if (list.size() != blocks)
        throw Failure("The entry '" + std::string(key) + "' of " + what + " has " + std::to_string(list.size())
                      + " numbers for " + std::to_string(blocks) + " blocks. The file may be damaged.");
    std::vector<int> numbers;
    for (auto n : list) numbers.push_back(positive(n, largest, key, what));
    return numbers;
}

// Layers of each transformer of each block: one number for all, one per block, or a list per block. `more`:
// transformers beyond the residual blocks listed.
std::vector<std::vector<int>> depthPerBlock(const Json& j, const char* key, const std::vector<int>& layers, int more,
                                            const std::string& what) {
    const bool isNested = j.contains(key) && j[key].is_array()
                          && std::any_of(j[key].begin(), j[key].end(), [](const Json& e) { return e.is_array(); });
    std::vector<std::vector<int>> depth;
    if (!isNested)
        for (const int d : perBlock(j, key, 1, layers.size(), 64, what)) depth.emplace_back(1, d);
    else if (j[key].size() == layers.size())
        for (const Json& e : j[key]) {
            depth.emplace_back();
            for (const auto d : jsonIntegers({{key, e}}, key, {}, 0, what))
                depth.back().push_back(int(std::clamp<std::int64_t>(d, 0, 64)));
        }
    if (depth.size() != layers.size()
        || std::any_of(depth.begin(), depth.end(), [](const auto& d) { return d.empty(); }))
        throw Failure("The entry '" + std::string(key) + "' of " + what
                      + " does not fit its blocks. The file may be "
                        "damaged.");
    for (std::size_t i = 0; i < depth.size(); ++i) depth[i].resize(std::size_t(layers[i] + more), depth[i].back());
    return depth;
}

bool attentionOf(const std::string& type, const char* plain, const char* crossed, const std::string& what) {
    if (type == plain) return false;
    if (type == crossed) return true;
    unsupported(what, "it has a block of the type '" + type + "'");
}

void checkWidths(const UNetConfig& c, const std::string& what) {
    for (const auto& b : c.down) {
        if (b.channels % c.normGroups != 0)
            throw Failure("In " + what + ", " + std::to_string(b.channels) + " channels cannot be split into "
                          + std::to_string(c.normGroups) + " groups. The file may be damaged.");
        if (b.attention && b.channels % b.heads != 0)
            throw Failure("In " + what + ", " + std::to_string(b.channels) + " channels cannot be split into "
                          + std::to_string(b.heads) + " heads. The file may be damaged.");
    }
    const int factor = 1 << (c.down.size() - 1);
    if (c.sampleHeight % factor != 0 || c.sampleWidth % factor != 0)
        unsupported(what, "its size cannot be halved " + std::to_string(c.down.size() - 1) + " times");
}

}  // namespace

UNetConfig unetConfig(const Json& j, const std::string& what) {
    if (!j.is_object()) throw Failure("The file " + what + " does not describe a network.");
    refuseOtherKinds(j, what);
    UNetConfig c;
    c.inChannels = positive(jsonInteger(j, "in_channels", 4, what), 1024, "in_channels", what);
    c.outChannels = positive(jsonInteger(j, "out_channels", 4, what), 1024, "out_channels", what);
    const auto size = jsonIntegers(j, "sample_size", {64, 64}, 2, what);
    if (size.size() != 2)
        throw Failure("The entry 'sample_size' of " + what + " is not one size or two. The file may be damaged.");
    c.sampleHeight = positive(size[0], 8192, "sample_size", what);
    c.sampleWidth = positive(size[1], 8192, "sample_size", what);
    const auto types =
        jsonTexts(j, "down_block_types",
                  {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}, what);
    const auto upTypes = jsonTexts(
        j, "up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}, what);
    const std::size_t n = types.size();
    if (n < 1 || n > 8 || upTypes.size() != n)
        throw Failure("In " + what + ", the numbers of blocks on the way down and up differ. The file may be damaged.");
    const std::int64_t fallbackHeads = j.contains("attention_head_dim") && j["attention_head_dim"].is_number_integer()
                                           ? jsonInteger(j, "attention_head_dim", 8, what)
                                           : 8;
    const auto channels = perBlock(j, "block_out_channels", 320, n, 65536, what);
    const auto layers = perBlock(j, "layers_per_block", 2, n, 64, what);
    // What diffusers calls attention_head_dim is the number of heads, for compatibility with the first models.
    const bool named = j.contains("num_attention_heads") && !j["num_attention_heads"].is_null();
    const auto heads = perBlock(j, named ? "num_attention_heads" : "attention_head_dim", fallbackHeads, n, 1024, what);
    const auto depth = depthPerBlock(j, "transformer_layers_per_block", layers, 0, what);
    auto upDepth = depth;
    std::reverse(upDepth.begin(), upDepth.end());
    for (std::size_t i = 0; i < n; ++i) upDepth[i].resize(std::size_t(layers[n - 1 - i]) + 1, upDepth[i].back());
    if (j.contains("reverse_transformer_layers_per_block") && !j["reverse_transformer_layers_per_block"].is_null())
        upDepth = depthPerBlock(j, "reverse_transformer_layers_per_block", {layers.rbegin(), layers.rend()}, 1, what);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t k = n - 1 - i;
        c.down.push_back({channels[i], layers[i], attentionOf(types[i], "DownBlock2D", "CrossAttnDownBlock2D", what),
                          heads[i], depth[i]});
        c.up.push_back({channels[k], layers[k], attentionOf(upTypes[i], "UpBlock2D", "CrossAttnUpBlock2D", what),
                        heads[k], upDepth[i]});
    }
    c.midHeads = heads.back();
    c.midTransformerLayers = depth.back().back();
    const std::string middle = jsonText(j, "mid_block_type", "UNetMidBlock2DCrossAttn", what);
    c.midAttention = middle == "UNetMidBlock2DCrossAttn";
    if (!c.midAttention && middle != "UNetMidBlock2D") unsupported(what, "its middle block is a '" + middle + "'");
    c.crossAttentionWidth =
        positive(jsonInteger(j, "cross_attention_dim", 1280, what), 65536, "cross_attention_dim", what);
    c.normGroups = positive(jsonInteger(j, "norm_num_groups", 32, what), 65536, "norm_num_groups", what);
    c.normEps = float(jsonReal(j, "norm_eps", 1e-5, what));
    if (!(c.normEps > 0 && c.normEps < 1))
        throw Failure("The entry 'norm_eps' of " + what + " must lie between 0 and 1. The file may be damaged.");
    c.linearProjection = jsonBool(j, "use_linear_projection", false, what);
    c.cosFirst = jsonBool(j, "flip_sin_to_cos", true, what);
    c.frequencyShift = jsonReal(j, "freq_shift", 0, what);
    c.downsamplePadding = int(std::clamp<std::int64_t>(jsonInteger(j, "downsample_padding", 1, what), 0, 2));
    if (c.downsamplePadding != 1) unsupported(what, "its downsampling pads by " + std::to_string(c.downsamplePadding));
    c.midScale = float(jsonReal(j, "mid_block_scale_factor", 1, what));
    if (j.contains("time_cond_proj_dim") && !j["time_cond_proj_dim"].is_null())
        c.guidanceWidth =
            2 * positive(jsonInteger(j, "time_cond_proj_dim", 256, what) / 2, 32768, "time_cond_proj_dim", what);
    if (jsonText(j, "addition_embed_type", "", what) == "text_time") {
        c.addedTimeWidth =
            positive(jsonInteger(j, "addition_time_embed_dim", 256, what), 65536, "addition_time_embed_dim", what);
        c.addedWidth = positive(jsonInteger(j, "projection_class_embeddings_input_dim", 2816, what), 65536,
                                "projection_class_embeddings_input_dim", what);
    }
    checkWidths(c, what);
    return c;
}

std::vector<TapSite> transformerBlocks(const UNetConfig& c) {
    std::vector<TapSite> blocks;
    const auto add = [&](const std::string& name, const std::vector<int>& layers, int heads, int level) {
        const int h = c.sampleHeight >> level, w = c.sampleWidth >> level;
        for (std::size_t a = 0; a < layers.size(); ++a)
            for (int l = 0; l < layers[a]; ++l)
                blocks.push_back(
                    {name + ".attentions." + std::to_string(a) + ".transformer_blocks." + std::to_string(l), heads, h,
                     w, h * w});
    };
    const int levels = int(c.down.size());
    for (int i = 0; i < levels; ++i)
        if (const auto& d = c.down[std::size_t(i)]; d.attention)
            add("down_blocks." + std::to_string(i), d.transformerLayers, d.heads, i);
    if (c.midAttention) add("mid_block", {c.midTransformerLayers}, c.midHeads, levels - 1);
    for (int i = 0; i < levels; ++i)
        if (const auto& u = c.up[std::size_t(i)]; u.attention)
            add("up_blocks." + std::to_string(i), u.transformerLayers, u.heads, levels - 1 - i);
    return blocks;
}

// All skips live until they are used; beside them the widest block holds its input, its normalised copy and its output,
// or four token buffers and the feed-forward pair.
std::size_t bytesPerRow(const UNetConfig& config, int height, int width, std::size_t element) {
    std::size_t skips = std::size_t(height) * std::size_t(width) * std::size_t(config.down.front().channels),
                widest = 0;
    for (std::size_t i = 0; i < config.down.size(); ++i) {
        const UNetBlockConfig& c = config.down[i];
        const auto channels = std::size_t(c.channels);
        const std::size_t area = std::size_t(height >> i) * std::size_t(width >> i),
                          up = i + 1 < config.down.size() ? std::size_t(config.down[i + 1].channels) : channels;
        skips += area * channels * std::size_t(c.layers) + (i + 1 < config.down.size() ? area / 4 * channels : 0);
        widest = std::max(
            widest, area * std::max<std::size_t>(c.attention ? 12 * channels : 0, 2 * (up + channels) + 2 * channels));
    }
    return (skips + widest) * element;
}

UNetConfig sd15UNetConfig() {
    const Json j = {{"sample_size", 64},
                    {"block_out_channels", {320, 640, 1280, 1280}},
                    {"cross_attention_dim", 768},
                    {"attention_head_dim", 8}};
    return unetConfig(j, "the configuration of Stable Diffusion 1.5");
}

}  // namespace meander
