// How states look as images where no network is needed for it: pixels folded into channels (pixel shuffle), then an
// affine map. Data of a model's description, so that any state of any run, unfinished ones too, is shown on the scale
// of its codec.
#pragma once
#include "engine/tensor/tensor.h"

namespace meander {

// image = scale · unfold(state) + offset. A state (h, w, 3·fold²) is an image (h·fold, w·fold, 3); pixels in [0, 1].
struct PixelMap {
    int fold = 1;
    double scale = 0.5, offset = 0.5;
    bool operator==(const PixelMap&) const = default;
};

// (n, h, w, 3·fold²) ↔ (n, h·fold, w·fold, 3) F32: channel (c·fold + dy)·fold + dx of a place is pixel (dy, dx) of
// colour c in its block, as in PyTorch's pixel_shuffle. Empty when the shape does not fit.
HostTensor unfoldPixels(const HostTensor& states, int fold);
HostTensor foldPixels(const HostTensor& images, int fold);

// (n, h, w, 3·fold²) → (n, h·fold, w·fold, 3) F32, not clipped. Empty when the shape does not fit.
HostTensor applyPixelMap(const PixelMap& map, const HostTensor& states);

}  // namespace meander
