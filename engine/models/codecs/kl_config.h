// Configuration of diffusers' AutoencoderKL and AutoencoderKLFlux2, as far as Meander computes it; anything else is
// refused with a sentence.
#pragma once
#include <string>
#include <vector>

#include "engine/core/json.h"

namespace meander {

struct KlConfig {
    int latentChannels = 4;
    std::vector<int> encoder, decoder;  // channels per level, finest first
    int layers = 1;                     // residual blocks of a level; the decoder has one more
    int groups = 32;
    bool hasAttention = true;                           // in the middle
    bool hasQuantConv = true, hasPostQuantConv = true;  // 1 × 1 after the encoder, before the decoder
    std::vector<double> mean, deviation;                // of the latents, per channel; empty: in the weights (Flux.2)
    int patch = 1;                                      // patch² cells of a latent are the channels of one state
    double statisticsEps = 0;                           // Flux.2: added to the running variances

    int scale() const { return 1 << (encoder.size() - 1); }  // pixels per latent cell
    int stateChannels() const { return latentChannels * patch * patch; }
    int factor() const { return scale() * patch; }
};

// `what` names the file. Throw Failure.
KlConfig klConfig(const Json& json, const std::string& what);
KlConfig flux2KlConfig(const Json& json, const std::string& what);

}  // namespace meander
