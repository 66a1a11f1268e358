// One number per row, in double and in one fixed order, so that a diagnostic is the same number every time it is
// computed.
//
// Two steps: every block combines a fixed piece of a row (threads strided, then a tree), then one block per row
// combines the pieces. The piece's size does not depend on the device.
#include <algorithm>
#include <limits>

#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int reduceThreads = 256;
constexpr std::int64_t pieceSize = 16384;

enum class Kind { Sum, SumSquares, SumAbs, Min, Max, Dot, Entropy };

__device__ inline double valueOf(Kind kind, double a, double b) {
    switch (kind) {
    case Kind::SumSquares: return a * a;
    case Kind::SumAbs: return fabs(a);
    case Kind::Dot: return a * b;
    case Kind::Entropy: return a > 0.0 ? -a * log(a) : 0.0;
    default: return a;
    }
}
struct Combine {
    Kind kind;
    __device__ double operator()(double a, double b) const {
        if (kind == Kind::Min) return b < a || b != b ? b : a;  // NaN wins: it must not hide
        if (kind == Kind::Max) return b > a || b != b ? b : a;
        return a + b;
    }
};
__host__ __device__ inline double neutral(Kind kind) {
    return kind == Kind::Min ? double(INFINITY) : kind == Kind::Max ? -double(INFINITY) : 0.0;
}

template <class T>
__global__ void __launch_bounds__(reduceThreads)
    reducePiecesKernel(Kind kind, const T* a, const T* b, std::int64_t perRow, std::int64_t pieces, double* partial) {
    __shared__ double scratch[reduceThreads];
    const std::int64_t row = blockIdx.x / pieces, piece = blockIdx.x % pieces, first = piece * pieceSize;
    const std::int64_t end = first + pieceSize < perRow ? first + pieceSize : perRow;
    const Combine combine{kind};
    double mine = neutral(kind);
    for (std::int64_t i = first + threadIdx.x; i < end; i += reduceThreads) {
        const std::int64_t at = row * perRow + i;
        mine = combine(mine, valueOf(kind, double(toReal(a[at])), b ? double(toReal(b[at])) : 0.0));
    }
    mine = blockCombine<reduceThreads>(mine, scratch, combine);
    if (threadIdx.x == 0) partial[blockIdx.x] = mine;
}

__global__ void __launch_bounds__(reduceThreads)
    reducePartialKernel(Kind kind, const double* partial, std::int64_t pieces, double* result) {
    __shared__ double scratch[reduceThreads];
    const Combine combine{kind};
    double mine = neutral(kind);
    for (std::int64_t i = threadIdx.x; i < pieces; i += reduceThreads)
        mine = combine(mine, partial[blockIdx.x * pieces + i]);
    mine = blockCombine<reduceThreads>(mine, scratch, combine);
    if (threadIdx.x == 0) result[blockIdx.x] = mine;
}

std::vector<double> reduce(Device& device, Kind kind, View a, View b, std::int64_t rows) {
    std::vector<double> result(std::size_t(rows), neutral(kind));
    if (a.count() == 0) return result;
    const std::int64_t perRow = a.count() / rows, pieces = ceilDiv(perRow, pieceSize);
    const Buffer partial(device, std::size_t(rows * pieces) * sizeof(double)),
        sums(device, std::size_t(rows) * sizeof(double));
    dispatchFloat(a.type, [&](auto zero) {
        using T = decltype(zero);
        launch(device, reducePiecesKernel<T>, rows * pieces, reduceThreads, kind, a.as<T>(), b.as<T>(), perRow, pieces,
               partial.as<double>());
    });
    launch(device, reducePartialKernel, rows, reduceThreads, kind, partial.as<double>(), pieces, sums.as<double>());
    device.download(sums.data(), result.data(), result.size() * sizeof(double));
    return result;
}

}  // namespace

std::vector<double> CudaBackend::doReduceRows(Reduction r, View x) {
    Device& device = this->device();
    Kind kind = Kind::Sum;
    switch (r) {
    case Reduction::Sum: kind = Kind::Sum; break;
    case Reduction::SumSquares: kind = Kind::SumSquares; break;
    case Reduction::SumAbs: kind = Kind::SumAbs; break;
    case Reduction::Min: kind = Kind::Min; break;
    case Reduction::Max: kind = Kind::Max; break;
    }
    return reduce(device, kind, x, View{}, x.shape[0]);
}

std::vector<double> CudaBackend::doDotRows(View a, View b) {
    Device& device = this->device();
    return reduce(device, Kind::Dot, a, b, a.shape[0]);
}

std::vector<double> CudaBackend::doAttentionEntropy(View p) {
    Device& device = this->device();
    std::vector<double> entropy = reduce(device, Kind::Entropy, p, View{}, p.shape[0] * p.shape[1]);
    for (double& e : entropy) e /= double(std::max<std::int64_t>(1, p.shape[2]));
    return entropy;
}

}  // namespace meander::kernels::cuda
