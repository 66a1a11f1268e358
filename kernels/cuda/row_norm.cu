// Layer norm (with adaLN modulation) and RMS norm: one block per row.
//
// Three passes over the row: mean, squared distance from the mean, output. The row comes from memory once and from the
// cache twice, and the variance is exact where E[x²] − E[x]² would cancel. Threads walk the row in packs of 16 bytes
// where the addresses allow it.
#include "kernels/api/row_offsets.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int rowThreads = 128;

// Calls f(column, value) for this thread's share of the row.
template <class T, int N, class F> __device__ inline void forRow(const T* row, std::int64_t columns, F f) {
    for (std::int64_t c = std::int64_t(threadIdx.x) * N; c < columns; c += rowThreads * N) {
        const Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(row + c);
#pragma unroll
        for (int k = 0; k < N; ++k) f(c + k, toReal(pack.at[k]));
    }
}

// Writes what f(column, values) makes of N neighbours at a time.
template <class T, int N, class F> __device__ inline void mapRow(const T* row, T* out, std::int64_t columns, F f) {
    for (std::int64_t c = std::int64_t(threadIdx.x) * N; c < columns; c += rowThreads * N) {
        Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(row + c);
        float v[N];
#pragma unroll
        for (int k = 0; k < N; ++k) v[k] = toReal(pack.at[k]);
        f(c, v);
#pragma unroll
        for (int k = 0; k < N; ++k) pack.at[k] = fromReal<T>(v[k]);
        *reinterpret_cast<Pack<T, N>*>(out + c) = pack;
    }
}

// v[k] = v[k] * (factors[first + k] + extra) or v[k] + summands[first + k], where they are given.
template <class T, int N>
__device__ inline void scaleBy(const Values<T>& factors, std::int64_t first, float extra, float (&v)[N]) {
    if (!factors.given()) return;
    float f[N];
    factors.load(first, f);
#pragma unroll
    for (int k = 0; k < N; ++k) v[k] *= f[k] + extra;
}
template <class T, int N> __device__ inline void shiftBy(const Values<T>& summands, std::int64_t first, float (&v)[N]) {
    if (!summands.given()) return;
    float s[N];
    summands.load(first, s);
#pragma unroll
    for (int k = 0; k < N; ++k) v[k] += s[k];
}

template <class T, int N>
__global__ void __launch_bounds__(rowThreads)
    layerNormKernel(const T* x, RowOffsets xAt, T* y, RowOffsets yAt, std::int64_t columns, Values<T> gamma,
                    Values<T> beta, float eps, Values<T> scale, Values<T> shift, std::int64_t rowsPerGroup) {
    __shared__ float scratch[rowThreads];
    const std::int64_t r = blockIdx.x;
    const T* row = x + xAt(r);
    float sum = 0.0f;
    forRow<T, N>(row, columns, [&](std::int64_t, float v) { sum += v; });
    const float mean = blockCombine<rowThreads>(sum, scratch, Add{}) / float(columns);
    float squares = 0.0f;
    forRow<T, N>(row, columns, [&](std::int64_t, float v) { squares += (v - mean) * (v - mean); });
    const float inverse = 1.0f / sqrtf(blockCombine<rowThreads>(squares, scratch, Add{}) / float(columns) + eps);
    const std::int64_t group = r / rowsPerGroup * columns;
    mapRow<T, N>(row, y + yAt(r), columns, [&](std::int64_t c, float(&v)[N]) {
#pragma unroll
        for (int k = 0; k < N; ++k) v[k] = (v[k] - mean) * inverse;
        scaleBy(gamma, c, 0.0f, v);
        shiftBy(beta, c, v);
        scaleBy(scale, group + c, 1.0f, v);
        shiftBy(shift, group + c, v);
    });
}

template <class T, int N>
__global__ void __launch_bounds__(rowThreads)
    rmsNormKernel(const T* x, RowOffsets xAt, T* y, RowOffsets yAt, std::int64_t columns, Values<T> gamma, float eps) {
    __shared__ float scratch[rowThreads];
    const std::int64_t r = blockIdx.x;
    const T* row = x + xAt(r);
    float squares = 0.0f;
    forRow<T, N>(row, columns, [&](std::int64_t, float v) { squares += v * v; });
    const float inverse = 1.0f / sqrtf(blockCombine<rowThreads>(squares, scratch, Add{}) / float(columns) + eps);
    mapRow<T, N>(row, y + yAt(r), columns, [&](std::int64_t c, float(&v)[N]) {
#pragma unroll
        for (int k = 0; k < N; ++k) v[k] *= inverse;
        scaleBy(gamma, c, 0.0f, v);
    });
}

template <class T>
bool inPacks(std::int64_t columns, const View& x, const RowOffsets& xAt, const View& y, const RowOffsets& yAt) {
    return packed<T>(columns, x.data, y.data) && xAt.areMultiplesOf(packSize<T>) && yAt.areMultiplesOf(packSize<T>);
}

}  // namespace

void CudaBackend::doLayerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) {
    Device& device = this->device();
    const std::int64_t columns = lastExtent(x), rows = leadingCount(x);
    const View& modulation = scale ? scale : shift;
    const std::int64_t groups = modulation ? leadingCount(modulation) : 1;
    const RowOffsets xAt(x), yAt(y);
    dispatchActivation(x.type, [&](auto zero) {
        using T = decltype(zero);
        auto* kernel = inPacks<T>(columns, x, xAt, y, yAt) ? layerNormKernel<T, packSize<T>> : layerNormKernel<T, 1>;
        launch(device, kernel, rows, rowThreads, x.as<T>(), xAt, y.as<T>(), yAt, columns, Values<T>(gamma),
               Values<T>(beta), eps, Values<T>(scale), Values<T>(shift), rows / groups);
    });
}

void CudaBackend::doRmsNorm(View x, View gamma, float eps, View y) {
    Device& device = this->device();
    const std::int64_t columns = lastExtent(x), rows = leadingCount(x);
    const RowOffsets xAt(x), yAt(y);
    dispatchActivation(x.type, [&](auto zero) {
        using T = decltype(zero);
        auto* kernel = inPacks<T>(columns, x, xAt, y, yAt) ? rmsNormKernel<T, packSize<T>> : rmsNormKernel<T, 1>;
        launch(device, kernel, rows, rowThreads, x.as<T>(), xAt, y.as<T>(), yAt, columns, Values<T>(gamma), eps);
    });
}

}  // namespace meander::kernels::cuda
