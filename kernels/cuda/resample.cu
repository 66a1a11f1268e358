// Images (n, h, w, c) by 2 up and down, and pixel shuffle. One thread per output element, channels innermost, so that
// neighbouring threads touch neighbouring memory wherever c allows it.
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

// Index i of (n, height, width, channels) taken apart; n stays part of `row` = image * height + y.
struct Position {
    std::int64_t row, column, channel;
};
__device__ inline Position positionOf(std::int64_t i, std::int64_t width, std::int64_t channels) {
    const std::int64_t pixel = quotient(i, channels), row = quotient(pixel, width);
    return {row, pixel - row * width, i - pixel * channels};
}

// Extents are the output's. As image * 2h + y halves to image * h + y / 2, images need no treatment of their own.
template <class U>
__global__ void upsampleKernel(const U* x, U* y, std::int64_t width, std::int64_t channels, std::int64_t total) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const Position p = positionOf(i, width, channels);
        y[i] = x[(p.row / 2 * (width / 2) + p.column / 2) * channels + p.channel];
    }
}

template <class T>
__global__ void downsampleKernel(const T* x, T* y, std::int64_t width, std::int64_t channels, std::int64_t total) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const Position p = positionOf(i, width, channels);
        const T* upper = x + (p.row * 2 * (width * 2) + p.column * 2) * channels + p.channel;
        const T* lower = upper + width * 2 * channels;
        using R = RealOf<T>;
        const R sum =
            (R(toReal(upper[0])) + R(toReal(upper[channels]))) + (R(toReal(lower[0])) + R(toReal(lower[channels])));
        y[i] = fromReal<T>(sum * R(0.25));
    }
}

// The folded tensor is (n, h, w, c f f), the unfolded one (n, h f, w f, c); the loop runs over the unfolded one.
template <class U>
__global__ void shuffleKernel(const U* x, U* y, int factor, std::int64_t width, std::int64_t channels,
                              std::int64_t total, bool unfoldIt) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const Position p = positionOf(i, width, channels);  // width is w f
        const std::int64_t row = p.row / factor, column = p.column / factor, dy = p.row - row * factor,
                           dx = p.column - column * factor;
        const std::int64_t folded =
            ((row * (width / factor) + column) * channels + p.channel) * factor * factor + dy * factor + dx;
        if (unfoldIt) y[i] = x[folded];
        else y[folded] = x[i];
    }
}

void shuffle(Device& device, View from, View to, int factor, bool unfoldIt) {
    const View& large = unfoldIt ? to : from;
    dispatchSize(from.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, shuffleKernel<U>, elementwiseBlocks(device, large.count()), elementwiseThreads, from.as<U>(),
               to.as<U>(), factor, large.shape[2], large.shape[3], large.count(), unfoldIt);
    });
}

}  // namespace

void CudaBackend::doUpsampleNearest2(View x, View y) {
    Device& device = this->device();
    dispatchSize(x.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, upsampleKernel<U>, elementwiseBlocks(device, y.count()), elementwiseThreads, x.as<U>(),
               y.as<U>(), y.shape[2], y.shape[3], y.count());
    });
}

void CudaBackend::doDownsampleMean2(View x, View y) {
    Device& device = this->device();
    dispatchFloat(x.type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, downsampleKernel<T>, elementwiseBlocks(device, y.count()), elementwiseThreads, x.as<T>(),
               y.as<T>(), y.shape[2], y.shape[3], y.count());
    });
}

void CudaBackend::doPixelShuffle(View x, int factor, View y) {
    Device& device = this->device();
    shuffle(device, x, y, factor, true);
}

void CudaBackend::doPixelUnshuffle(View x, int factor, View y) {
    Device& device = this->device();
    shuffle(device, x, y, factor, false);
}

}  // namespace meander::kernels::cuda
