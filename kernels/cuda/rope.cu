// Rotary position embedding: one thread per pair of channels, and one per channel that is not turned.
#include <algorithm>

#include "kernels/api/row_offsets.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"

namespace meander::kernels::cuda {
namespace {

struct RopeGeometry {
    std::int64_t tokens, heads, width, pairs;
    bool isPerImage;  // angles (b, t, p), else (t, p)
    bool isInterleaved;
    std::int64_t axes[Shape::maxRank];  // pairs of each
};

// The two channels of a pair.
struct Channels {
    std::int64_t first, second;
};
__device__ inline Channels channelsOf(std::int64_t pair, const RopeGeometry& g) {
    if (g.isInterleaved) return {2 * pair, 2 * pair + 1};
    std::int64_t before = 0;
    int axis = 0;
    while (pair - before >= g.axes[axis]) before += g.axes[axis++];
    const std::int64_t first = before + pair;  // 2 · before + (pair − before)
    return {first, first + g.axes[axis]};
}

template <class T>
__global__ void ropeKernel(const T* x, RowOffsets xAt, T* y, RowOffsets yAt, const float* cos, const float* sin,
                           const RopeGeometry g, std::int64_t total) {
    const std::int64_t perHead = g.width - g.pairs;
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t row = quotient(i, perHead), item = i - row * perHead;
        const T* from = x + xAt(row);
        T* to = y + yAt(row);
        if (item >= g.pairs) {
            to[item + g.pairs] = from[item + g.pairs];
            continue;
        }
        const std::int64_t token = quotient(row, g.heads),
                           angle =
                               (g.isPerImage ? token : token - quotient(token, g.tokens) * g.tokens) * g.pairs + item;
        const Channels c = channelsOf(item, g);
        const float a = toReal(from[c.first]), b = toReal(from[c.second]);
        to[c.first] = fromReal<T>(a * cos[angle] - b * sin[angle]);
        to[c.second] = fromReal<T>(b * cos[angle] + a * sin[angle]);
    }
}

}  // namespace

void CudaBackend::doRope(View x, const RopeArgs& r, View y) {
    Device& device = this->device();
    RopeGeometry g{x.shape[1],
                   x.shape[2],
                   x.shape[3],
                   r.cos.shape[-1],
                   r.cos.shape.rank() == 3,
                   r.pairing == RopePairing::Interleaved,
                   {}};
    std::copy(r.axes.begin(), r.axes.end(), g.axes);
    if (r.axes.empty()) g.axes[0] = g.pairs;
    const std::int64_t total = leadingCount(x) * (g.width - g.pairs);
    dispatchActivation(x.type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, ropeKernel<T>, elementwiseBlocks(device, total), elementwiseThreads, x.as<T>(), RowOffsets(x),
               y.as<T>(), RowOffsets(y), r.cos.as<float>(), r.sin.as<float>(), g, total);
    });
}

}  // namespace meander::kernels::cuda
