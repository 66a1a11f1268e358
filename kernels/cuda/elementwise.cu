// Elementwise operations: one value in, one value out.
//
// They are bound by memory, so the operation is a switch inside one kernel per type instead of a kernel per operation:
// the switch is the same for all threads and costs nothing beside the loads, and nvcc compiles ten kernels instead of
// two hundred.
#include "kernels/api/row_offsets.h"
#include "kernels/cuda/cuda_backend.h"
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

// Where element i of a view lies, elements counted in row-major order.
struct DenseElements {
    __device__ std::int64_t operator()(std::int64_t i) const { return i; }
};
struct StridedElements {
    RowOffsets rows;
    std::int64_t columns;
    explicit StridedElements(const View& v) : rows(v), columns(lastExtent(v)) {}
    __device__ std::int64_t operator()(std::int64_t i) const {
        const std::int64_t row = quotient(i, columns);
        return rows(row) + i - row * columns;
    }
};
// body(elements of x, elements of y)
template <class Body> void withElements(const View& x, const View& y, Body&& body) {
    if (x.isDense() && y.isDense()) body(DenseElements{}, DenseElements{});
    else body(StridedElements(x), StridedElements(y));
}

template <class T, class Elements>
__global__ void unaryKernel(Unary op, const T* x, Elements xAt, T* y, Elements yAt, std::int64_t n) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < n;
         i += std::int64_t(gridDim.x) * blockDim.x)
        y[yAt(i)] = fromReal<T>(apply(op, toReal(x[xAt(i)])));
}

// b repeats every `period` elements.
template <class T, class Elements>
__global__ void binaryKernel(Binary op, const T* a, Elements aAt, const T* b, std::int64_t period, T* y, Elements yAt,
                             std::int64_t n) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < n;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t j = period == n ? i : i - quotient(i, period) * period;
        y[yAt(i)] = fromReal<T>(apply(op, toReal(a[aAt(i)]), toReal(b[j])));
    }
}

template <class T> __global__ void fillKernel(T* y, T value, std::int64_t n) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < n;
         i += std::int64_t(gridDim.x) * blockDim.x)
        y[i] = value;
}

}  // namespace

void convert(Device& device, View x, View y) {
    const std::int64_t n = x.count(), blocks = elementwiseBlocks(device, n);
    dispatchFloat(x.type, [&](auto from) {
        dispatchFloat(y.type, [&](auto to) {
            using From = decltype(from);
            using To = decltype(to);
            launch(device, convertKernel<From, To>, blocks, elementwiseThreads, x.as<From>(), y.as<To>(), n);
        });
    });
}

void CudaBackend::doConvert(View x, View y) { cuda::convert(device(), x, y); }

void CudaBackend::doUnary(Unary op, View x, View y) {
    Device& device = this->device();
    const std::int64_t n = x.count();
    dispatchActivation(x.type, [&](auto zero) {
        using T = decltype(zero);
        withElements(x, y, [&](auto xAt, auto yAt) {
            launch(device, unaryKernel<T, decltype(xAt)>, elementwiseBlocks(device, n), elementwiseThreads, op,
                   x.as<T>(), xAt, y.as<T>(), yAt, n);
        });
    });
}

void CudaBackend::doBinary(Binary op, View a, View b, View y) {
    Device& device = this->device();
    const std::int64_t n = a.count();
    dispatchActivation(a.type, [&](auto zero) {
        using T = decltype(zero);
        withElements(a, y, [&](auto aAt, auto yAt) {
            launch(device, binaryKernel<T, decltype(aAt)>, elementwiseBlocks(device, n), elementwiseThreads, op,
                   a.as<T>(), aAt, b.as<T>(), b.count(), y.as<T>(), yAt, n);
        });
    });
}

void CudaBackend::doFill(View y, double value) {
    Device& device = this->device();
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
