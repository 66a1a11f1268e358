// The tiny autoencoders of the TAESD family (Ollin Boer Bohan): convolutions and ReLU, states as the denoiser sees
// them. Some have a branch with a group norm in their blocks of the lowest resolution, found by its weights.
#pragma once
#include <memory>

#include "engine/models/codecs/codec.h"
#include "engine/models/codecs/tiles.h"
#include "engine/models/codecs/tiny_config.h"

namespace meander {

// Reads the weights by diffusers' names. Throws Failure. Tiles give what the whole image gives: what reaches across an
// image is computed in one piece, and tiles overlap by all that a pixel depends on.
std::unique_ptr<Codec> makeAutoencoderTiny(const TinyConfig& config, NetworkBuilder& builder,
                                           const TilePolicy& policy = {});

}  // namespace meander
