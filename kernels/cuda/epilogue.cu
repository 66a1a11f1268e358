// What happens to a product before it is stored, where the library could not do it inside the product: one elementwise
// pass,
//   y = (activation(product + bias + rowBias) * multiply * gate + residual) * residualScale.
// `product` is of y's type or F32, so that half types are rounded once. It may be y, and so may `residual`: a thread
// reads its elements of all of them before it writes them.
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

template <class From, class T> struct Parts {
    const From* product;
    Values<T> bias, rowBias, gate;
    std::int64_t rowsPerBias, rowsPerGate;  // rows that share one row of rowBias, of gate
    const T *multiply, *residual;
    Activation activation;
    float scale;
};

template <class From, class T, int N>
__global__ void epilogueKernel(const Parts<From, T> e, std::int64_t columns, T* y, std::int64_t packs) {
    using P = Pack<T, N>;
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < packs;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t first = i * N, row = quotient(first, columns),
                           column = first - row * columns;  // a pack never leaves its row
        const std::int64_t biasAt = e.rowBias.given() ? quotient(row, e.rowsPerBias) * columns + column : 0;
        const std::int64_t gateAt = e.gate.given() ? quotient(row, e.rowsPerGate) * columns + column : 0;
        const auto product = *reinterpret_cast<const Pack<From, N>*>(e.product + first);
        P pack;
        float v[N], other[N];
#pragma unroll
        for (int k = 0; k < N; ++k) v[k] = toReal(product.at[k]);
        if (e.bias.given()) {
            e.bias.load(column, other);
#pragma unroll
            for (int k = 0; k < N; ++k) v[k] += other[k];
        }
        if (e.rowBias.given()) {
            e.rowBias.load(biasAt, other);
#pragma unroll
            for (int k = 0; k < N; ++k) v[k] += other[k];
        }
        activate(e.activation, v);
        if (e.multiply) {
            pack = *reinterpret_cast<const P*>(e.multiply + first);
#pragma unroll
            for (int k = 0; k < N; ++k) v[k] *= toReal(pack.at[k]);
        }
        if (e.gate.given()) {
            e.gate.load(gateAt, other);
#pragma unroll
            for (int k = 0; k < N; ++k) v[k] *= other[k];
        }
        if (e.residual) {
            pack = *reinterpret_cast<const P*>(e.residual + first);
#pragma unroll
            for (int k = 0; k < N; ++k) v[k] += toReal(pack.at[k]);
        }
#pragma unroll
        for (int k = 0; k < N; ++k) pack.at[k] = fromReal<T>(v[k] * e.scale);
        *reinterpret_cast<P*>(y + first) = pack;
    }
}

template <class From, class T> void run(Device& device, const void* product, View bias, const Epilogue& e, View y) {
    const std::int64_t rows = leadingCount(y), columns = lastExtent(y);
    Parts<From, T> parts{};
    parts.product = static_cast<const From*>(product);
    parts.bias = Values<T>(bias);
    parts.rowBias = Values<T>(e.rowBias);
    parts.gate = Values<T>(e.gate);
    parts.rowsPerBias = e.rowBias ? rows / leadingCount(e.rowBias) : 1;
    parts.rowsPerGate = e.gate ? rows / leadingCount(e.gate) : 1;
    parts.multiply = e.multiply.as<const T>();
    parts.residual = e.residual.as<const T>();
    parts.activation = e.activation;
    parts.scale = e.residualScale;
    constexpr int wide = packSize<T>;
    const bool vectorised = packed<T>(columns, y.data, e.multiply.data, e.residual.data)
                            && reinterpret_cast<std::uintptr_t>(product) % sizeof(Pack<From, wide>) == 0;
    auto* kernel = vectorised ? epilogueKernel<From, T, wide> : epilogueKernel<From, T, 1>;
    const std::int64_t packs = y.count() / (vectorised ? wide : 1);
    launch(device, kernel, elementwiseBlocks(device, packs), elementwiseThreads, parts, columns, y.as<T>(), packs);
}

}  // namespace

void applyEpilogue(Device& device, const void* product, DType type, View bias, const Epilogue& e, View y) {
    if (y.count() == 0) return;
    dispatchActivation(y.type, [&](auto zero) {
        using T = decltype(zero);
        if (type == DType::F32) run<float, T>(device, product, bias, e, y);
        else run<T, T>(device, product, bias, e, y);
    });
}

}  // namespace meander::kernels::cuda
