// Softmax over the last dimension, and the softmax in the middle of an attention that is not fused: one block per row,
// three passes (maximum, sum of exponentials, output), the row coming from the cache after the first. A row that is
// masked altogether becomes zeros.
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int softmaxThreads = 128;

template <class R> __device__ inline R minusInfinity() { return R(-INFINITY); }

// Reads by `valueAt(column)`, writes by `store(column, probability)`; both see a column from the same thread, so in
// place is safe.
template <class R, class ValueAt, class Store>
__device__ inline void softmaxRow(std::int64_t columns, R* scratch, ValueAt valueAt, Store store) {
    R largest = minusInfinity<R>();
    for (std::int64_t c = threadIdx.x; c < columns; c += softmaxThreads) largest = Max{}(largest, valueAt(c));
    largest = blockCombine<softmaxThreads>(largest, scratch, Max{});
    if (largest == minusInfinity<R>()) {  // the same for all threads of the block
        for (std::int64_t c = threadIdx.x; c < columns; c += softmaxThreads) store(c, R(0));
        return;
    }
    R sum = R(0);
    for (std::int64_t c = threadIdx.x; c < columns; c += softmaxThreads) sum += exp(valueAt(c) - largest);
    sum = blockCombine<softmaxThreads>(sum, scratch, Add{});
    for (std::int64_t c = threadIdx.x; c < columns; c += softmaxThreads) store(c, exp(valueAt(c) - largest) / sum);
}

template <class T>
__global__ void __launch_bounds__(softmaxThreads) softmaxKernel(const T* x, T* y, std::int64_t columns) {
    using R = RealOf<T>;
    __shared__ R scratch[softmaxThreads];
    const std::int64_t offset = blockIdx.x * columns;
    softmaxRow<R>(
        columns, scratch, [&](std::int64_t c) { return toReal(x[offset + c]); },
        [&](std::int64_t c, R p) { y[offset + c] = fromReal<T>(p); });
}

// scores and probabilities may be the same memory when T is float, scores and copy always: a thread reads a column
// before it writes it, and never after.
template <class T>
__global__ void __launch_bounds__(softmaxThreads)
    softmaxScoresKernel(const float* scores, std::int64_t keys, const SoftmaxMask mask, T* probabilities, float* copy) {
    __shared__ float scratch[softmaxThreads];
    const std::int64_t row = blockIdx.x, offset = row * keys, query = mask.firstQuery + row % mask.queries;
    softmaxRow<float>(
        keys, scratch,
        [&](std::int64_t c) {
            if (mask.causal && c > query) return minusInfinity<float>();
            const float s = scores[offset + c];
            return mask.keyBias ? s + mask.keyBias[c] : s;
        },
        [&](std::int64_t c, float p) {
            probabilities[offset + c] = fromReal<T>(p);
            if (copy) copy[offset + c] = p;
        });
}

}  // namespace

void CudaBackend::doSoftmax(View x, View y) {
    Device& device = this->device();
    dispatchActivation(x.type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, softmaxKernel<T>, leadingCount(x), softmaxThreads, x.as<T>(), y.as<T>(), lastExtent(x));
    });
}

void softmaxScores(Device& device, const float* scores, std::int64_t rows, std::int64_t keys, const SoftmaxMask& mask,
                   void* probabilities, DType type, float* copy) {
    dispatchActivation(type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, softmaxScoresKernel<T>, rows, softmaxThreads, scores, keys, mask, static_cast<T*>(probabilities),
               copy);
    });
}

}  // namespace meander::kernels::cuda
