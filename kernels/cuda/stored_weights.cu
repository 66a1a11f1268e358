// Stored weights widened to the type of the activations, for the product that follows.
#include "kernels/api/weight_blocks.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

// One thread, one group of 32 elements of a row.
template <class T>
__global__ void widenKernel(const std::uint8_t* data, WeightFormat format, const float* rowScales,
                            std::int64_t rowBytes, std::int64_t in, std::int64_t groups, std::int64_t total, T* to) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t row = quotient(i, groups), group = i - row * groups, first = group * blocks::groupSize;
        const int count = int(in - first < blocks::groupSize ? in - first : blocks::groupSize);
        const float scale = rowScales ? rowScales[row] : 1.0f;
        float v[blocks::groupSize];
        blocks::decodeGroup(format, data + row * rowBytes, group, count, v);
        for (int k = 0; k < count; ++k) to[row * in + first + k] = fromReal<T>(v[k] * scale);
    }
}

}  // namespace

void widenWeights(Device& device, const WeightMatrix& w, void* to, DType type) {
    const std::int64_t groups = ceilDiv(w.in, std::int64_t(blocks::groupSize)), total = groups * w.out;
    dispatchActivation(type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, widenKernel<T>, elementwiseBlocks(device, total), elementwiseThreads,
               static_cast<const std::uint8_t*>(w.data), w.format, w.rowScales, std::int64_t(w.rowBytes()), w.in,
               groups, total, static_cast<T*>(to));
    });
}

}  // namespace meander::kernels::cuda
