// The KL autoencoders of latent diffusion (Rombach et al. 2022): 4, 16 or 32 latent channels, and the form of Flux.2.
#pragma once
#include <memory>

#include "engine/models/codecs/codec.h"
#include "engine/models/codecs/kl_config.h"
#include "engine/models/codecs/tiles.h"

namespace meander {

// Reads the weights by diffusers' names. Encoding gives the mean of the distribution. Throws Failure.
std::unique_ptr<Codec> makeAutoencoderKl(const KlConfig& config, NetworkBuilder& builder,
                                         const TilePolicy& policy = {});

}  // namespace meander
