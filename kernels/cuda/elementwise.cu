// Elementwise operations: one value in, one value out.
//
// They are bound by memory, so the operation is a switch inside one kernel per type instead of a kernel per operation:
// the switch is the same for all threads and costs nothing beside the loads, and nvcc compiles ten kernels instead of
// two hundred.
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

template <class From, class To> __global__ void convertKernel(const From* x, To* y, std::int64_t n) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < n;
         i += std::int64_t(gridDim.x) * blockDim.x)
        y[i] = fromReal<To>(toReal(x[i]));
}

template <class R> __device__ R activated(Activation a, R x) {
    R one[1] = {x};
    activate(a, one);
    return one[0];
}

template <class R> __device__ R apply(Unary op, R x) {
    switch (op) {
    case Unary::Copy: return x;
    case Unary::Silu: return activated(Activation::Silu, x);
    case Unary::GeluErf: return activated(Activation::GeluErf, x);
    case Unary::GeluTanh: return activated(Activation::GeluTanh, x);
    case Unary::QuickGelu: return activated(Activation::QuickGelu, x);
    case Unary::Relu: return activated(Activation::Relu, x);
    case Unary::Exp: return exp(x);
    case Unary::Sqrt: return sqrt(x);
    case Unary::Tanh: return tanh(x);
    case Unary::Sin: return sin(x);
    case Unary::Cos: return cos(x);
    case Unary::Abs: return fabs(x);
    case Unary::Clamp1: return x < R(-1) ? R(-1) : x > R(1) ? R(1) : x;
    }
    return x;
}

template <class R> __device__ R apply(Binary op, R a, R b) {
    switch (op) {
    case Binary::Add: return a + b;
    case Binary::Sub: return a - b;
    case Binary::Mul: return a * b;
    case Binary::Div: return a / b;
    case Binary::Min: return b < a ? b : a;  // as std::min and std::max
    case Binary::Max: return a < b ? b : a;
    }
    return a;
}

template <class T> __global__ void unaryKernel(Unary op, const T* x, T* y, std::int64_t n) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < n;
         i += std::int64_t(gridDim.x) * blockDim.x)
        y[i] = fromReal<T>(apply(op, toReal(x[i])));
}

// b repeats every `period` elements.
template <class T, class B>
__global__ void binaryKernel(Binary op, const T* a, const B* b, std::int64_t period, T* y, std::int64_t n) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < n;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t j = period == n ? i : i - quotient(i, period) * period;
        y[i] = fromReal<T>(apply(op, toReal(a[i]), RealOf<T>(toReal(b[j]))));
    }
}

template <class T> __global__ void fillKernel(T* y, T value, std::int64_t n) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < n;
         i += std::int64_t(gridDim.x) * blockDim.x)
        y[i] = value;
}

// Is b's shape the end of a's, leading extents of 1 aside?
bool repeatsIn(const Shape& b, const Shape& a) {
    int rank = b.rank();
    while (rank > 0 && b[b.rank() - rank] == 1) --rank;  // leading ones say nothing
    if (rank > a.rank()) return false;
    for (int i = 1; i <= rank; ++i)
        if (b[-i] != a[-i]) return false;
    return true;
}

}  // namespace

void convert(Device& device, View x, View y) {
    require(x.count() == y.count() && isFloat(x.type) && isFloat(y.type), "convert",
            "x and y have the same count and floating-point types", x, y);
    const std::int64_t n = x.count(), blocks = elementwiseBlocks(device, n);
    dispatchFloat(x.type, [&](auto from) {
        dispatchFloat(y.type, [&](auto to) {
            using From = decltype(from);
            using To = decltype(to);
            launch(device, convertKernel<From, To>, blocks, elementwiseThreads, x.as<From>(), y.as<To>(), n);
        });
    });
}

void unary(Device& device, Unary op, View x, View y) {
    require(sameTypeAndShape(x, y) && isFloat(x.type), "unary", "x and y have the same floating-point type and shape",
            x, y);
    dispatchFloat(x.type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, unaryKernel<T>, elementwiseBlocks(device, x.count()), elementwiseThreads, op, x.as<T>(),
               y.as<T>(), x.count());
    });
}

void binary(Device& device, Binary op, View a, View b, View y) {
    require(sameTypeAndShape(a, y) && isFloat(a.type), "binary", "a and y have the same floating-point type and shape",
            a, b, y);
    require(repeatsIn(b.shape, a.shape) && (b.type == a.type || (b.type == DType::F32 && isActivation(a.type))),
            "binary", "b has a's type (or is f32) and the end of a's shape", a, b, y);
    const std::int64_t n = a.count(), period = b.count();
    dispatchFloat(a.type, [&](auto zero) {
        using T = decltype(zero);
        if (b.type == a.type)
            launch(device, binaryKernel<T, T>, elementwiseBlocks(device, n), elementwiseThreads, op, a.as<T>(),
                   b.as<T>(), period, y.as<T>(), n);
        else if constexpr (!std::is_same_v<T, double>)
            launch(device, binaryKernel<T, float>, elementwiseBlocks(device, n), elementwiseThreads, op, a.as<T>(),
                   b.as<float>(), period, y.as<T>(), n);
    });
}

void fill(Device& device, View y, double value) {
    const std::int64_t n = y.count(), blocks = elementwiseBlocks(device, n);
    switch (y.type) {
    case DType::F32:
        return launch(device, fillKernel<float>, blocks, elementwiseThreads, y.as<float>(), float(value), n);
    case DType::F64: return launch(device, fillKernel<double>, blocks, elementwiseThreads, y.as<double>(), value, n);
    case DType::I32:
        return launch(device, fillKernel<std::int32_t>, blocks, elementwiseThreads, y.as<std::int32_t>(),
                      std::int32_t(value), n);
    case DType::F16:
        return launch(device, fillKernel<std::uint16_t>, blocks, elementwiseThreads, y.as<std::uint16_t>(),
                      floatToF16(float(value)), n);
    case DType::BF16:
        return launch(device, fillKernel<std::uint16_t>, blocks, elementwiseThreads, y.as<std::uint16_t>(),
                      floatToBf16(float(value)), n);
    }
}

}  // namespace meander::kernels::cuda
