// Rows of a table by number, and the sinusoids of a time. Numbers and times are few and travel in the kernel's own
// parameters: nothing is copied ahead, nothing is waited for.
#include <algorithm>

#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

constexpr int maxIds = 512, maxTimes = 128;
struct Ids {
    std::int32_t at[maxIds];
};
struct Times {
    double at[maxTimes];
};

template <class U>
__global__ void embeddingKernel(const Ids ids, const U* table, std::int64_t columns, U* y, std::int64_t total) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t row = quotient(i, columns);
        y[i] = table[ids.at[row] * columns + i - row * columns];
    }
}

// The angles reach thousands, where a float has no digits left for a sine: all in double, there are few of them.
template <class T>
__global__ void timestepKernel(const Times times, std::int64_t total, int dim, bool cosFirst, double shift,
                               double maxPeriod, T* y) {
    const int half = dim / 2;
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const int row = int(i / dim), column = int(i - std::int64_t(row) * dim);
        const bool isSecond = column >= half;
        const int k = isSecond ? column - half : column;
        const double angle = times.at[row] * exp(-log(maxPeriod) * double(k) / (double(half) - shift));
        y[i] = fromReal<T>(isSecond != cosFirst ? cos(angle) : sin(angle));
    }
}

// body(the next values of a list as parameters, index of the first, count)
template <class Parameters, int N, class Value, class Body> void inParts(std::span<const Value> values, Body&& body) {
    for (std::size_t first = 0; first < values.size(); first += N) {
        const std::size_t count = std::min<std::size_t>(N, values.size() - first);
        Parameters p{};
        std::copy_n(values.begin() + std::ptrdiff_t(first), count, p.at);
        body(p, std::int64_t(first), std::int64_t(count));
    }
}

}  // namespace

void CudaBackend::doEmbedding(std::span<const std::int32_t> ids, View table, View y) {
    Device& device = this->device();
    const std::int64_t columns = table.shape[1];
    dispatchSize(table.type, [&](auto zero) {
        using U = decltype(zero);
        inParts<Ids, maxIds>(ids, [&](const Ids& now, std::int64_t first, std::int64_t count) {
            const std::int64_t n = count * columns;
            launch(device, embeddingKernel<U>, elementwiseBlocks(device, n), elementwiseThreads, now, table.as<U>(),
                   columns, y.as<U>() + first * columns, n);
        });
    });
}

void CudaBackend::doTimestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift,
                                      double maxPeriod, View y) {
    Device& device = this->device();
    dispatchFloat(y.type, [&](auto zero) {
        using T = decltype(zero);
        inParts<Times, maxTimes>(times, [&](const Times& now, std::int64_t first, std::int64_t count) {
            launch(device, timestepKernel<T>, elementwiseBlocks(device, count * dim), elementwiseThreads, now,
                   count * dim, dim, cosFirst, shift, maxPeriod, y.as<T>() + first * dim);
        });
    });
}

}  // namespace meander::kernels::cuda
