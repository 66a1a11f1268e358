// Configuration of diffusers' AutoencoderTiny, as far as Meander computes it; anything else is refused with a sentence.
#pragma once
#include <string>
#include <vector>

#include "engine/core/json.h"

namespace meander {

struct TinyConfig {
    int latentChannels = 4;
    int width = 64;                                             // channels of every layer
    std::vector<int> encoder{1, 3, 3, 3}, decoder{3, 3, 3, 1};  // blocks per level, in the order of execution
    double scale = 1, shift = 0;                                // state = (latent − shift) · scale
    bool hasEncoder = true;  // "has_encoder", our own entry: files with a decoder alone

    int factor() const { return 1 << (decoder.size() - 1); }
};

// `what` names the file. Throws Failure.
TinyConfig tinyConfig(const Json& json, const std::string& what);

}  // namespace meander
