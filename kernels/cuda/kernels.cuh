// What all kernels share: launching, dispatch over types, reading and writing numbers, reduction within a block.
//
// Habits of this module, so that a kernel can be believed by reading it:
// - Grids are one-dimensional (the second dimension ends at 65535, the first does not); a kernel takes its coordinates
// apart itself.
// - Elementwise kernels run a grid-stride loop over 64-bit indices, so no extent overflows them.
// - Arithmetic is in float for F32, F16 and BF16 and in double for F64; reductions that leave the device are in double.
// - Every sum has one fixed order: no atomics on numbers, so the same input gives the same bits.
// - All threads of a block reach every __syncthreads(): no return before one.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/device.h"

namespace meander::kernels::cuda {

// Starts `blocks` blocks; nothing for none. The status is checked: a wrong configuration is told here, a fault inside
// at the next wait.
template <class... Parameters, class... Arguments>
void launch(const Device& device, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
            Arguments&&... arguments) {
    if (blocks <= 0) return;
    if (blocks > 0x7fffffff)
        throw DeviceError("The tensor is too large for one operation on the GPU. Choose a smaller image or batch.");
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(unsigned(blocks));
    config.blockDim = dim3(unsigned(threads));
    config.stream = device.stream();
    check(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...), "an operation was started");
}

constexpr int elementwiseThreads = 256;
inline std::int64_t ceilDiv(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
// Blocks for a grid-stride loop over n items: enough to fill the device several times, not more.
inline std::int64_t elementwiseBlocks(const Device& device, std::int64_t n) {
    const std::int64_t most = std::int64_t(device.multiprocessors()) * 32, wanted = ceilDiv(n, elementwiseThreads);
    return wanted < most ? wanted : most;
}

// dispatch(type, [&](auto zero) { using T = decltype(zero); ... }): runs the body with the type's C++ counterpart.
template <class Body> void dispatchFloat(DType type, Body&& body) {
    switch (type) {
    case DType::F32: return body(float{});
    case DType::F64: return body(double{});
    case DType::F16: return body(__half{});
    case DType::BF16: return body(__nv_bfloat16{});
    case DType::I32: break;
    }
    throw std::invalid_argument("an operation on floating-point numbers was given i32");
}
template <class Body> void dispatchActivation(DType type, Body&& body) {
    switch (type) {
    case DType::F32: return body(float{});
    case DType::F16: return body(__half{});
    case DType::BF16: return body(__nv_bfloat16{});
    default: throw std::invalid_argument(std::string("an operation on activations was given ") + nameOf(type));
    }
}
// Moving without looking: an unsigned type of the element's size.
template <class Body> void dispatchSize(DType type, Body&& body) {
    switch (sizeOf(type)) {
    case 2: return body(std::uint16_t{});
    case 4: return body(std::uint32_t{});
    default: return body(std::uint64_t{});
    }
}

template <class T> using RealOf = std::conditional_t<std::is_same_v<T, double>, double, float>;

__device__ inline float toReal(float x) { return x; }
__device__ inline double toReal(double x) { return x; }
__device__ inline float toReal(__half x) { return __half2float(x); }
__device__ inline float toReal(__nv_bfloat16 x) { return __bfloat162float(x); }

template <class T, class R> __device__ inline T fromReal(R x) {
    if constexpr (std::is_same_v<T, __half>) return __float2half_rn(float(x));
    else if constexpr (std::is_same_v<T, __nv_bfloat16>) return __float2bfloat16_rn(float(x));
    else return T(x);
}

// A borrowed vector beside activations of type T: biases, gammas, modulation, which may be F32 or T.
template <class T> struct Values {
    const void* data = nullptr;
    bool isFloat = true;

    Values() = default;
    explicit Values(const View& v) : data(v.data), isFloat(v.type == DType::F32) {}
    __device__ bool given() const { return data != nullptr; }
    // out[k] = element first + k. The question after the type stands outside the loop: inside, nvcc would multiply the
    // loop's versions.
    template <int N> __device__ void load(std::int64_t first, float (&out)[N]) const {
        if (isFloat) {
#pragma unroll
            for (int k = 0; k < N; ++k) out[k] = static_cast<const float*>(data)[first + k];
        } else {
#pragma unroll
            for (int k = 0; k < N; ++k) out[k] = float(toReal(static_cast<const T*>(data)[first + k]));
        }
    }
};

// N elements moved by one load or store. The address must be a multiple of the size: see `packed`.
template <class T, int N> struct alignas(sizeof(T) * N) Pack { T at[N]; };
template <class T> constexpr int packSize = int(16 / sizeof(T));
// May rows of `columns` elements of T at these addresses be moved in packs of 16 bytes? Null addresses do not matter.
template <class T, class... Pointers> bool packed(std::int64_t columns, Pointers... pointers) {
    return columns % packSize<T> == 0 && ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

// Quotient and remainder; 32-bit division, five times cheaper, where both fit.
__device__ inline std::int64_t quotient(std::int64_t i, std::int64_t d) {
    if ((std::uint64_t(i) | std::uint64_t(d)) >> 32) return i / d;
    return std::int64_t(std::uint32_t(i) / std::uint32_t(d));
}

// Used inside unary operations, epilogues and norms alike; R is float or double. N values at once, with the question
// which activation it is outside the loop.
template <class R, int N> __device__ inline void activate(Activation a, R (&x)[N]) {
    switch (a) {
    case Activation::None: break;
    case Activation::Silu:
#pragma unroll
        for (int k = 0; k < N; ++k) x[k] = x[k] / (R(1) + exp(-x[k]));
        break;
    case Activation::GeluErf:
#pragma unroll
        for (int k = 0; k < N; ++k)
            x[k] = R(0.5) * x[k] * erfc(x[k] * R(-0.70710678118654752440));  // 1 + erf(u) without its cancellation
        break;
    case Activation::GeluTanh:
#pragma unroll
        for (int k = 0; k < N; ++k)
            x[k] = x[k]
                   / (R(1)
                      + exp(R(-1.59576912160573071176)
                            * (x[k] + R(0.044715) * x[k] * x[k] * x[k])));  // (1 + tanh u) / 2 = 1 / (1 + e^-2u)
        break;
    case Activation::QuickGelu:
#pragma unroll
        for (int k = 0; k < N; ++k) x[k] = x[k] / (R(1) + exp(R(-1.702) * x[k]));
        break;
    case Activation::Relu:
#pragma unroll
        for (int k = 0; k < N; ++k) x[k] = x[k] < R(0) ? R(0) : x[k];  // NaN stays
        break;
    }
}

// Combination of one value per thread over the block, in a fixed tree; every thread receives the result. `Threads` is
// the block's size, a power of two. `scratch` holds Threads values in shared memory and may be reused at once.
template <int Threads, class R, class F> __device__ inline R blockCombine(R value, R* scratch, F combine) {
    const int t = int(threadIdx.x);
    scratch[t] = value;
    __syncthreads();
#pragma unroll
    for (int half = Threads / 2; half > 0; half /= 2) {
        if (t < half) scratch[t] = combine(scratch[t], scratch[t + half]);
        __syncthreads();
    }
    const R result = scratch[0];
    __syncthreads();
    return result;
}
struct Add {
    template <class R> __device__ R operator()(R a, R b) const { return a + b; }
};
struct Max {
    template <class R> __device__ R operator()(R a, R b) const { return a > b ? a : b; }
};

}  // namespace meander::kernels::cuda
