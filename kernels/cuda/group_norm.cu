// Group norm of channels-last images or tokens, fused with the activation that always follows it.
//
// A group of up to `mostInOne` numbers is one block's: it sums, then normalises, scales and activates what the cache
// still holds. Larger groups (the decoder's last images) take three kernels:
//  1. Each block takes a run of pixels of one image and sums every channel over it, so that a warp reads neighbouring
//     channels. It leaves one pair (Σ d, Σ d²) per channel and lane, with d the distance from the group's first value
//     in the image: the variance then does not cancel however far the mean is from zero.
//  2. One block per image and group adds the pairs in a fixed order, in double, to mean and 1/deviation.
//  3. An elementwise pass normalises, scales, activates.
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int groupThreads = 256;

struct Geometry {
    std::int64_t pixels;  // per image
    std::int64_t channels;
    int groups;
    int channelLanes;  // threads side by side on channels; groupThreads / channelLanes walk the pixels
    int chunks;        // blocks per image
    std::int64_t pixelsPerChunk;
};

// 1/√(variance + ε); rounding may leave a small negative variance, NaN stays.
__device__ inline float inverseDeviation(double variance, float eps) {
    return float(1.0 / sqrt((variance > 0.0 || variance != variance ? variance : 0.0) + eps));
}

template <class T, int N>
__device__ inline void scaleAndShift(float (&v)[N], std::int64_t channel, const Values<T>& gamma,
                                     const Values<T>& beta) {
    float parameter[N];
    if (gamma.given()) {
        gamma.load(channel, parameter);
#pragma unroll
        for (int k = 0; k < N; ++k) v[k] *= parameter[k];
    }
    if (beta.given()) {
        beta.load(channel, parameter);
#pragma unroll
        for (int k = 0; k < N; ++k) v[k] += parameter[k];
    }
}

// partial: (image, chunk, pixel lane, channel, 2)
template <class T>
__global__ void __launch_bounds__(groupThreads) groupSumsKernel(const T* x, const Geometry g, float* partial) {
    const std::int64_t image = blockIdx.x / g.chunks, chunk = blockIdx.x % g.chunks;
    const int pixelLanes = groupThreads / g.channelLanes, lane = int(threadIdx.x) % g.channelLanes,
              pixelLane = int(threadIdx.x) / g.channelLanes;
    const T* from = x + image * g.pixels * g.channels;
    const std::int64_t first = chunk * g.pixelsPerChunk,
                       end = first + g.pixelsPerChunk < g.pixels ? first + g.pixelsPerChunk : g.pixels;
    const std::int64_t perGroup = g.channels / g.groups;
    float* to = partial + ((image * g.chunks + chunk) * pixelLanes + pixelLane) * g.channels * 2;
    for (std::int64_t c = lane; c < g.channels; c += g.channelLanes) {
        const float origin = toReal(from[c / perGroup * perGroup]);
        float sum = 0.0f, squares = 0.0f;
        for (std::int64_t p = first + pixelLane; p < end; p += pixelLanes) {
            const float d = toReal(from[p * g.channels + c]) - origin;
            sum += d;
            squares += d * d;
        }
        to[c * 2] = sum;
        to[c * 2 + 1] = squares;
    }
}

// statistics: (image, group, 2), mean and 1/deviation. One block per image and group.
template <class T>
__global__ void __launch_bounds__(groupThreads)
    groupStatisticsKernel(const T* x, const Geometry g, const float* partial, float eps, float* statistics) {
    __shared__ double scratch[groupThreads];
    const std::int64_t image = blockIdx.x / g.groups, group = blockIdx.x % g.groups, perGroup = g.channels / g.groups;
    const std::int64_t runs = std::int64_t(g.chunks) * (groupThreads / g.channelLanes);
    const float* from = partial + (image * runs * g.channels + group * perGroup) * 2;
    double sum = 0.0, squares = 0.0;
    for (std::int64_t i = threadIdx.x; i < runs * perGroup; i += groupThreads) {
        const std::int64_t run = i / perGroup, c = i - run * perGroup;
        const float* pair = from + (run * g.channels + c) * 2;
        sum += pair[0];
        squares += pair[1];
    }
    sum = blockCombine<groupThreads>(sum, scratch, Add{});
    squares = blockCombine<groupThreads>(squares, scratch, Add{});
    if (threadIdx.x == 0) {
        const double count = double(g.pixels) * double(perGroup), offset = sum / count;
        const double variance = squares / count - offset * offset;
        const double origin = toReal(x[image * g.pixels * g.channels + group * perGroup]);
        statistics[blockIdx.x * 2] = float(origin + offset);
        statistics[blockIdx.x * 2 + 1] = inverseDeviation(variance, eps);
    }
}

template <class T, int N>
__global__ void groupApplyKernel(const T* x, const Geometry g, const float* statistics, Values<T> gamma, Values<T> beta,
                                 Activation activation, T* y, std::int64_t packs) {
    const std::int64_t perImage = g.pixels * g.channels, perGroup = g.channels / g.groups;
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < packs;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t e = i * N, image = quotient(e, perImage),
                           first = e - quotient(e, g.channels) * g.channels;  // a pack never leaves its pixel
        Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(x + e);
        float v[N];
#pragma unroll
        for (int k = 0; k < N; ++k) {
            const float* s = statistics + (image * g.groups + quotient(first + k, perGroup)) * 2;
            v[k] = (toReal(pack.at[k]) - s[0]) * s[1];
        }
        scaleAndShift(v, first, gamma, beta);
        activate(activation, v);
#pragma unroll
        for (int k = 0; k < N; ++k) pack.at[k] = fromReal<T>(v[k]);
        *reinterpret_cast<Pack<T, N>*>(y + e) = pack;
    }
}

constexpr int wholeThreads = 512;
constexpr std::int64_t mostInOne = std::int64_t(1) << 18;

// One block per image and group, packs of N channels of the group; origin and order of the sums as in the kernels
// above.
template <class T, int N>
__global__ void __launch_bounds__(wholeThreads)
    groupNormKernel(const T* x, std::int64_t pixels, std::int64_t channels, int groups, float eps, Values<T> gamma,
                    Values<T> beta, Activation activation, T* y) {
    __shared__ double scratch[wholeThreads];
    const std::int64_t image = blockIdx.x / groups, perGroup = channels / groups,
                       start = image * pixels * channels + blockIdx.x % groups * perGroup;
    const int packs = int(perGroup / N);
    const std::int64_t total = pixels * packs;
    const float origin = toReal(x[start]);
    float sum = 0.0f, squares = 0.0f;
    for (std::int64_t i = threadIdx.x; i < total; i += wholeThreads) {
        const std::int64_t pixel = quotient(i, packs), at = start + pixel * channels + (i - pixel * packs) * N;
        const Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(x + at);
#pragma unroll
        for (int k = 0; k < N; ++k) {
            const float d = toReal(pack.at[k]) - origin;
            sum += d;
            squares += d * d;
        }
    }
    const double count = double(pixels) * double(perGroup),
                 offset = blockCombine<wholeThreads>(double(sum), scratch, Add{}) / count,
                 square = blockCombine<wholeThreads>(double(squares), scratch, Add{}) / count;
    const float mean = float(origin + offset), inverse = inverseDeviation(square - offset * offset, eps);

    for (std::int64_t i = threadIdx.x; i < total; i += wholeThreads) {
        const std::int64_t pixel = quotient(i, packs), inGroup = (i - pixel * packs) * N,
                           at = start + pixel * channels + inGroup, channel = blockIdx.x % groups * perGroup + inGroup;
        Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(x + at);
        float v[N];
#pragma unroll
        for (int k = 0; k < N; ++k) v[k] = (toReal(pack.at[k]) - mean) * inverse;
        scaleAndShift(v, channel, gamma, beta);
        activate(activation, v);
#pragma unroll
        for (int k = 0; k < N; ++k) pack.at[k] = fromReal<T>(v[k]);
        *reinterpret_cast<Pack<T, N>*>(y + at) = pack;
    }
}

// The widest pack of at most 16 bytes that divides a group and lies at such addresses.
template <class T> auto wholeKernel(const View& x, const View& y, std::int64_t perGroup) {
    const auto fits = [&](int n) {
        const std::size_t bytes = std::size_t(n) * sizeof(T);
        return bytes <= 16 && perGroup % n == 0 && reinterpret_cast<std::uintptr_t>(x.data) % bytes == 0
               && reinterpret_cast<std::uintptr_t>(y.data) % bytes == 0;
    };
    if constexpr (packSize<T> >= 8)
        if (fits(8)) return groupNormKernel<T, 8>;
    return fits(4) ? groupNormKernel<T, 4> : fits(2) ? groupNormKernel<T, 2> : groupNormKernel<T, 1>;
}

// Depends on the image's extents alone, not on the device nor on how many images there are: an image gets the same
// bits in any batch.
Geometry geometryOf(const View& x, int groups) {
    Geometry g{};
    g.channels = x.shape[-1];
    g.pixels = x.shape.rowCount() / g.channels;
    g.groups = groups;
    g.channelLanes = 32;
    while (g.channelLanes < groupThreads && g.channelLanes < g.channels) g.channelLanes *= 2;
    const std::int64_t pixelLanes = groupThreads / g.channelLanes,
                       most = ceilDiv(g.pixels, pixelLanes * 8);  // at least 8 pixels per thread
    g.pixelsPerChunk = ceilDiv(g.pixels, most < 256 ? most : 256);
    g.chunks = int(ceilDiv(g.pixels, g.pixelsPerChunk));
    return g;
}

}  // namespace

void CudaBackend::doGroupNorm(View x, View gamma, View beta, int groups, float eps, Activation a, View y) {
    Device& device = this->device();
    const std::int64_t channels = x.shape[-1], pixels = x.shape.rowCount() / channels;
    if (pixels * (channels / groups) <= mostInOne)
        return dispatchActivation(x.type, [&](auto zero) {
            using T = decltype(zero);
            launch(device, wholeKernel<T>(x, y, channels / groups), x.shape[0] * groups, wholeThreads, x.as<T>(),
                   pixels, channels, groups, eps, Values<T>(gamma), Values<T>(beta), a, y.as<T>());
        });
    const Geometry g = geometryOf(x, groups);
    const std::int64_t images = x.shape[0], runs = std::int64_t(g.chunks) * (groupThreads / g.channelLanes);
    const Buffer partial(device, std::size_t(images * runs * g.channels * 2) * sizeof(float));
    const Buffer statistics(device, std::size_t(images * groups * 2) * sizeof(float));
    dispatchActivation(x.type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, groupSumsKernel<T>, images * g.chunks, groupThreads, x.as<T>(), g, partial.as<float>());
        launch(device, groupStatisticsKernel<T>, images * groups, groupThreads, x.as<T>(), g, partial.as<float>(), eps,
               statistics.as<float>());
        const bool vectorised = packed<T>(g.channels, x.data, y.data);
        auto* kernel = vectorised ? groupApplyKernel<T, packSize<T>> : groupApplyKernel<T, 1>;
        const std::int64_t packs = x.count() / (vectorised ? packSize<T> : 1);
        launch(device, kernel, elementwiseBlocks(device, packs), elementwiseThreads, x.as<T>(), g,
               statistics.as<float>(), Values<T>(gamma), Values<T>(beta), a, y.as<T>(), packs);
    });
}

}  // namespace meander::kernels::cuda
