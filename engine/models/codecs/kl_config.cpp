#include "engine/models/codecs/kl_config.h"

#include <algorithm>

namespace meander {
namespace {

[[noreturn]] void damaged(const std::string& what, const std::string& why) {
    throw Failure("The codec described in " + what + " is not possible: " + why + ". The file may be damaged.");
}

int positive(const Json& j, const char* key, int fallback, int largest, const std::string& what) {
    const std::int64_t v = jsonInteger(j, key, fallback, what);
    if (v < 1 || v > largest) damaged(what, "its entry '" + std::string(key) + "' is " + std::to_string(v));
    return int(v);
}

std::vector<int> channelsOf(const Json& j, const char* key, const std::string& what) {
    std::vector<int> channels;
    for (const std::int64_t c : jsonIntegers(j, key, {64}, 1, what)) {
        if (c < 1 || c > 8192) damaged(what, "its entry '" + std::string(key) + "' contains " + std::to_string(c));
        channels.push_back(int(c));
    }
    if (channels.empty() || channels.size() > 8)
        damaged(what, "its entry '" + std::string(key) + "' has " + std::to_string(channels.size()) + " levels");
    return channels;
}

void requireBlocks(const Json& j, const char* key, const std::string& only, std::size_t levels,
                   const std::string& what) {
    const auto types = jsonTexts(j, key, std::vector<std::string>(levels, only), what);
    for (const std::string& type : types)
        if (type != only)
            throw Failure("The codec described in " + what + " cannot be used yet: it has a block of the type '" + type
                          + "', and Meander only knows '" + only + "'.");
    if (types.size() != levels)
        damaged(what, "its entry '" + std::string(key) + "' has " + std::to_string(types.size()) + " blocks for "
                          + std::to_string(levels) + " levels");
}

void requireRgb(const Json& j, const char* key, const std::string& what) {
    if (const std::int64_t n = jsonInteger(j, key, 3, what); n != 3)
        throw Failure("The codec described in " + what + " cannot be used yet: its images have " + std::to_string(n)
                      + " channels, and Meander only knows 3.");
}

KlConfig architectureOf(const Json& j, int latentChannels, int layers, const std::string& what) {
    if (!j.is_object()) throw Failure("The file " + what + " does not describe a codec.");
    KlConfig c;
    requireRgb(j, "in_channels", what);
    requireRgb(j, "out_channels", what);
    c.latentChannels = positive(j, "latent_channels", latentChannels, 1024, what);
    c.encoder = channelsOf(j, "block_out_channels", what);
    const bool isUneven = j.contains("decoder_block_out_channels") && !j["decoder_block_out_channels"].is_null();
    c.decoder = isUneven ? channelsOf(j, "decoder_block_out_channels", what) : c.encoder;
    if (c.decoder.size() != c.encoder.size()) damaged(what, "its encoder and decoder have different levels");
    requireBlocks(j, "down_block_types", "DownEncoderBlock2D", c.encoder.size(), what);
    requireBlocks(j, "up_block_types", "UpDecoderBlock2D", c.encoder.size(), what);
    c.layers = positive(j, "layers_per_block", layers, 64, what);
    c.groups = positive(j, "norm_num_groups", 32, 8192, what);
    for (const auto* side : {&c.encoder, &c.decoder})
        for (const int channels : *side)
            if (channels % c.groups != 0)
                damaged(what, std::to_string(channels) + " channels cannot be split into " + std::to_string(c.groups)
                                  + " groups");
    const std::string activation = jsonText(j, "act_fn", "silu", what);
    if (activation != "silu" && activation != "swish")
        throw Failure("The codec described in " + what + " cannot be used yet: its activation is '" + activation
                      + "', and Meander only knows 'silu'.");
    c.hasAttention = jsonBool(j, "mid_block_add_attention", true, what);
    c.hasQuantConv = jsonBool(j, "use_quant_conv", true, what);
    c.hasPostQuantConv = jsonBool(j, "use_post_quant_conv", true, what);
    return c;
}

}  // namespace

KlConfig klConfig(const Json& j, const std::string& what) {
    KlConfig c = architectureOf(j, 4, 1, what);
    const double scale = jsonReal(j, "scaling_factor", 0.18215, what), shift = jsonReal(j, "shift_factor", 0, what);
    const std::size_t n = std::size_t(c.latentChannels);
    c.mean = jsonReals(j, "latents_mean", std::vector<double>(n, shift), what);
    c.deviation = jsonReals(j, "latents_std", std::vector<double>(n, 1.0), what);
    if (c.mean.size() != n || c.deviation.size() != n)
        damaged(what, "its means and deviations are not one per channel of its " + std::to_string(n));
    for (double& d : c.deviation) d /= scale;
    if (!(scale > 0) || std::any_of(c.deviation.begin(), c.deviation.end(), [](double d) { return !(d > 0); }))
        damaged(what, "its scale must be positive");
    return c;
}

KlConfig flux2KlConfig(const Json& j, const std::string& what) {
    KlConfig c = architectureOf(j, 32, 2, what);
    const auto patch = jsonIntegers(j, "patch_size", {2, 2}, 2, what);
    if (patch.size() != 2 || patch[0] != patch[1] || patch[0] < 1 || patch[0] > 16)
        damaged(what, "its patches are not squares of 1 to 16 cells");
    c.patch = int(patch[0]);
    c.statisticsEps = jsonReal(j, "batch_norm_eps", 1e-4, what);
    if (!(c.statisticsEps >= 0)) damaged(what, "its entry 'batch_norm_eps' is negative");
    return c;
}

}  // namespace meander
