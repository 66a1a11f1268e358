// Convolution as a product, for where cuDNN is not: filters in the order (out, k, k, in), and each output pixel's
// neighbourhood as a row in the same order, so that conv = rows · filterᵀ. (cuDNN reads the very same filter: it is its
// channels-last order.)
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

template <class From, class To>
__global__ void packFilterKernel(const From* weight, To* packed, std::int64_t in, std::int64_t taps,
                                 std::int64_t total) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t outTap = quotient(i, in), channel = i - outTap * in, out = quotient(outTap, taps),
                           tap = outTap - out * taps;
        packed[i] = fromReal<To>(toReal(weight[(out * in + channel) * taps + tap]));
    }
}

template <class U>
__global__ void im2colKernel(const U* x, const Im2col u, std::int64_t firstPixel, std::int64_t total, U* rows) {
    const std::int64_t perTap = u.channels, perPixel = perTap * u.kernel * u.kernel;
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t inTile = quotient(i, perPixel), rest = i - inTile * perPixel, tap = quotient(rest, perTap),
                           channel = rest - tap * perTap;
        const std::int64_t pixel = firstPixel + inTile, imageRow = quotient(pixel, u.outWidth),
                           outX = pixel - imageRow * u.outWidth;
        const std::int64_t image = quotient(imageRow, u.outHeight), outY = imageRow - image * u.outHeight;
        const std::int64_t inY = outY * u.stride - u.padding + tap / u.kernel,
                           inX = outX * u.stride - u.padding + tap % u.kernel;
        const bool isInside = inY >= 0 && inY < u.height && inX >= 0 && inX < u.width;
        rows[i] = isInside ? x[((image * u.height + inY) * u.width + inX) * u.channels + channel]
                           : U(0);  // all bits 0 is 0 in every type
    }
}

}  // namespace

void packFilter(Device& device, View weight, void* packedFilter, DType type) {
    const std::int64_t n = weight.count();
    dispatchActivation(weight.type, [&](auto from) {
        dispatchActivation(type, [&](auto to) {
            using From = decltype(from);
            using To = decltype(to);
            launch(device, packFilterKernel<From, To>, elementwiseBlocks(device, n), elementwiseThreads,
                   weight.as<From>(), static_cast<To*>(packedFilter), weight.shape[1],
                   weight.shape[2] * weight.shape[3], n);
        });
    });
}

void im2col(Device& device, View x, const Im2col& u, std::int64_t first, std::int64_t count, void* rows) {
    const std::int64_t total = count * u.channels * u.kernel * u.kernel;
    dispatchSize(x.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, im2colKernel<U>, elementwiseBlocks(device, total), elementwiseThreads, x.as<U>(), u, first,
               total, static_cast<U*>(rows));
    });
}

}  // namespace meander::kernels::cuda
