// How states look as images where no network is needed for it: pixels folded into channels (pixel shuffle) or, of a
// latent, a linear map of the channels of each cell; then an affine map. Data of a model's description, so that any
// state of any run, unfinished ones too, is shown on the scale of its codec.
#pragma once
#include <array>
#include <vector>

#include "engine/tensor/tensor.h"

namespace meander {

// image_k = scale · projected(state)_k + offset + bias_k; pixels in [0, 1]. With an empty matrix a state
// (h, w, 3·fold²) is an image (h·fold, w·fold, 3); else a state (h, w, c) is an image (h, w, 3) of one pixel per cell.
struct PixelMap {
    int fold = 1;
    double scale = 0.5, offset = 0.5;
    std::vector<double> matrix;  // (3, c), row by row
    std::array<double, 3> bias{};

    bool isExact() const { return matrix.empty(); }  // decodes; a matrix only approximates the codec
    bool operator==(const PixelMap&) const = default;
};

// (n, h, w, 3·fold²) ↔ (n, h·fold, w·fold, 3) F32: channel (c·fold + dy)·fold + dx of a place is pixel (dy, dx) of
// colour c in its block, as in PyTorch's pixel_shuffle. Empty when the shape does not fit.
HostTensor unfoldPixels(const HostTensor& states, int fold);
HostTensor foldPixels(const HostTensor& images, int fold);

// The colours before the affine map, (n, h', w', 3) F32. Empty when the shape does not fit.
HostTensor projectPixels(const PixelMap& map, const HostTensor& states);
// (n, h, w, c) → (n, h', w', 3) F32, not clipped. Empty when the shape does not fit.
HostTensor applyPixelMap(const PixelMap& map, const HostTensor& states);

// The linear map of cells (n, h, w, c) that comes nearest to images (n, h·f, w·f, 3), averaged over the pixels of each
// cell (least squares with a bias). Needs more cells than channels.
PixelMap fittedPixelMap(const HostTensor& states, const HostTensor& images);

}  // namespace meander
