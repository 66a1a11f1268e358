// Configuration of diffusers' UNet2DConditionModel, as far as Meander computes it; anything else is refused with a
// sentence.
#pragma once
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/taps/taps.h"

namespace meander {

struct UNetBlockConfig {
    int channels = 320;
    int layers = 2;         // residual blocks of a down block; up blocks have one more
    bool attention = true;  // CrossAttn… block
    int heads = 8;
    std::vector<int> transformerLayers;  // of each attention of the block
};

struct UNetConfig {
    int inChannels = 4, outChannels = 4;
    int sampleHeight = 64, sampleWidth = 64;
    std::vector<UNetBlockConfig> down;  // as listed in the file
    std::vector<UNetBlockConfig> up;    // as listed: coarsest first
    // The middle: a residual block, then a transformer and another residual block (UNetMidBlock2DCrossAttn) or nothing
    // more (UNetMidBlock2D: SSD-1B, Vega).
    bool midAttention = true;
    int midHeads = 8, midTransformerLayers = 1;
    int crossAttentionWidth = 768;
    int normGroups = 32;
    float normEps = 1e-5f;
    bool linearProjection = false;  // proj_in and proj_out are matrices, not 1 × 1 filters
    bool cosFirst = true;
    double frequencyShift = 0;
    int downsamplePadding = 1;
    float midScale = 1;     // output scale factor of the middle block
    int guidanceWidth = 0;  // sinusoids of the guidance scale that the network is conditioned on; 0: it is not
    // Addition embedding of Stable Diffusion XL: pooled text and sinusoids of `addedTimeWidth` per size; 0: none.
    int addedWidth = 0, addedTimeWidth = 256;
};

// `what` names the file. Throws Failure.
UNetConfig unetConfig(const Json& json, const std::string& what);
// The transformer blocks in execution order, for the sample size: names, heads and self-attention grids.
std::vector<TapSite> transformerBlocks(const UNetConfig& config);
// Estimate of what one row of a call holds while it is computed; `element`: bytes of a number.
std::size_t bytesPerRow(const UNetConfig& config, int height, int width, std::size_t element);
// Stable Diffusion 1.5: 859 520 964 weights.
UNetConfig sd15UNetConfig();

}  // namespace meander
