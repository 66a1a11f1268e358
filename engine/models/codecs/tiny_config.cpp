#include "engine/models/codecs/tiny_config.h"

namespace meander {
namespace {

[[noreturn]] void damaged(const std::string& what, const std::string& why) {
    throw Failure("The tiny autoencoder described in " + what + " is not possible: " + why
                  + ". The file may be damaged.");
}
[[noreturn]] void unsupported(const std::string& what, const std::string& why) {
    throw Failure("The tiny autoencoder described in " + what + " cannot be used yet: " + why + ".");
}

std::vector<int> numbersOf(const Json& j, const char* key, std::vector<std::int64_t> fallback, int largest,
                           const std::string& what) {
    std::vector<int> numbers;
    for (const std::int64_t n : jsonIntegers(j, key, fallback, 1, what)) {
        if (n < 1 || n > largest) damaged(what, "its entry '" + std::string(key) + "' contains " + std::to_string(n));
        numbers.push_back(int(n));
    }
    if (numbers.empty() || numbers.size() > 8)
        damaged(what, "its entry '" + std::string(key) + "' has " + std::to_string(numbers.size()) + " levels");
    return numbers;
}

void requireText(const Json& j, const char* key, const std::string& only, const std::string& what) {
    if (const std::string value = jsonText(j, key, only, what); value != only)
        unsupported(what,
                    "its setting '" + std::string(key) + "' is '" + value + "', and Meander only knows '" + only + "'");
}
void requireNumber(const Json& j, const char* key, std::int64_t only, const std::string& what) {
    if (const std::int64_t value = jsonInteger(j, key, only, what); value != only)
        unsupported(what, "its setting '" + std::string(key) + "' is " + std::to_string(value)
                              + ", and Meander only knows " + std::to_string(only));
}

}  // namespace

TinyConfig tinyConfig(const Json& j, const std::string& what) {
    if (!j.is_object()) throw Failure("The file " + what + " does not describe a codec.");
    requireNumber(j, "in_channels", 3, what);
    requireNumber(j, "out_channels", 3, what);
    requireNumber(j, "upsampling_scaling_factor", 2, what);
    requireText(j, "act_fn", "relu", what);
    requireText(j, "upsample_fn", "nearest", what);
    TinyConfig c;
    const std::int64_t latent = jsonInteger(j, "latent_channels", 4, what);
    if (latent < 1 || latent > 1024) damaged(what, "it has " + std::to_string(latent) + " latent channels");
    c.latentChannels = int(latent);
    c.encoder = numbersOf(j, "num_encoder_blocks", {1, 3, 3, 3}, 64, what);
    c.decoder = numbersOf(j, "num_decoder_blocks", {3, 3, 3, 1}, 64, what);
    const auto encoder = numbersOf(j, "encoder_block_out_channels", {64, 64, 64, 64}, 4096, what),
               decoder = numbersOf(j, "decoder_block_out_channels", {64, 64, 64, 64}, 4096, what);
    if (encoder.size() != c.encoder.size() || decoder.size() != c.decoder.size() || encoder.size() != decoder.size())
        damaged(what, "its encoder and decoder have different levels");
    c.width = encoder.front();
    for (const auto* side : {&encoder, &decoder})
        for (const int channels : *side)
            if (channels != c.width) unsupported(what, "its levels have different widths");
    c.scale = jsonReal(j, "scaling_factor", 1, what);
    c.shift = jsonReal(j, "shift_factor", 0, what);
    if (!(c.scale > 0)) damaged(what, "its scale must be positive");
    c.hasEncoder = jsonBool(j, "has_encoder", true, what);
    return c;
}

}  // namespace meander
