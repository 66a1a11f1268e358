// Addressed normals: the formula of kernels/api/philox.h, the very same source the CPU compiles, one thread per four
// numbers.
//
// The integer part is exact. Box-Muller runs in double: log is within 1 ulp and sin, cos within 2 on the device (CUDA
// programming guide), as glibc's are within 1, so after rounding to float both devices agree in all but about one
// number in 10^8, and there by one ulp.
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int maxAddresses = 64;
struct Addresses {
    NoiseAddress at[maxAddresses];
};

template <class T>
__global__ void normalKernel(const Addresses addresses, std::int64_t perRow, std::int64_t blocksPerRow,
                             std::int64_t total, T* y) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t row = i / blocksPerRow, block = i - row * blocksPerRow;
        double four[4];
        normal4(addresses.at[row], std::uint32_t(block), four);
        for (int k = 0; k < 4; ++k)
            if (block * 4 + k < perRow) y[row * perRow + block * 4 + k] = T(four[k]);
    }
}

}  // namespace

void CudaBackend::doNormal(std::span<const NoiseAddress> addresses, View y) {
    Device& device = this->device();
    const std::int64_t rows = std::int64_t(addresses.size());
    const std::int64_t perRow = y.count() / rows, blocksPerRow = ceilDiv(perRow, 4);
    const auto run = [&](auto zero) {
        using T = decltype(zero);
        for (std::int64_t first = 0; first < rows; first += maxAddresses) {
            Addresses chunk{};
            const std::int64_t now = std::min<std::int64_t>(maxAddresses, rows - first);
            for (std::int64_t r = 0; r < now; ++r) chunk.at[r] = addresses[std::size_t(first + r)];
            launch(device, normalKernel<T>, elementwiseBlocks(device, now * blocksPerRow), elementwiseThreads, chunk,
                   perRow, blocksPerRow, now * blocksPerRow, y.as<T>() + first * perRow);
        }
    };
    if (y.type == DType::F32) run(float{});
    else run(double{});
}

}  // namespace meander::kernels::cuda
