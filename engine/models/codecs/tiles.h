// Images of any size in bounded memory: a codec computes tiles that overlap, and their results are blended linearly.
// Deterministic: the tiles follow from the extents alone.
//
// What a network does across the whole image (attention, statistics of group norms) it then does within a tile. A codec
// therefore computes its coarse part, which is small, in one piece, and tiles the fine part only.
#pragma once
#include <functional>
#include <limits>

#include "engine/tensor/tensor.h"

namespace meander {

// In cells, the places of a state.
struct Tiling {
    int size = 64;
    int overlap = 16;  // least overlap of neighbours
    int margin = 4;    // results so near to a cut count for nothing: zeros stood beyond it
};

struct TilePolicy {
    Tiling tiles;
    // Activations of more bytes than this, or than the device has room for, are computed in tiles.
    std::size_t largestWhole = std::size_t(2) << 30;
};

// Bytes that can still be allocated on a device, as far as that is known.
std::size_t roomOn(const Backend& backend);

// What `compute` gives for x (1, h, w, c), in tiles. A cell is `inUnits` elements of x along each side and `outUnits`
// of the result. `compute` may write into its argument.
Tensor inTiles(const Tensor& x, const Tiling& tiling, int inUnits, int outUnits,
               const std::function<Tensor(Tensor)>& compute);

// In one piece where `bytes` of activations are allowed and possible, otherwise in tiles.
Tensor wholeOrInTiles(Tensor x, std::size_t bytes, const TilePolicy& policy, int inUnits, int outUnits,
                      const std::function<Tensor(Tensor)>& compute);

}  // namespace meander
