// Rows of a table by number, and the sinusoids of a time.
#include "kernels/api/contract.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

// An id outside the table is reported in `wrong` (any one of them, plus one; 0: none) and its row is left alone.
template <class U>
__global__ void embeddingKernel(const std::int32_t* ids, const U* table, std::int64_t tableRows, std::int64_t columns,
                                U* y, std::int64_t total, int* wrong) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t row = quotient(i, columns), id = ids[row];
        if (id < 0 || id >= tableRows) *wrong = int(row) + 1;
        else y[i] = table[id * columns + i - row * columns];
    }
}
constexpr int maxTimes = 128;
struct Times {
    double at[maxTimes];
};

// The angles reach thousands, where a float has no digits left for a sine: all in double, there are few of them.
__global__ void timestepKernel(const Times times, std::int64_t total, int dim, bool cosFirst, double shift,
                               double maxPeriod, double* y) {
    const int half = dim / 2;
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const int row = int(i / dim), column = int(i - std::int64_t(row) * dim);
        const bool isSecond = column >= half;
        const int k = isSecond ? column - half : column;
        const double angle = times.at[row] * exp(-log(maxPeriod) * double(k) / (double(half) - shift));
        y[i] = isSecond != cosFirst ? cos(angle) : sin(angle);
    }
}

}  // namespace

void CudaBackend::doEmbedding(View ids, View table, View y) {
    Device& device = this->device();
    const std::int64_t n = y.count(), columns = table.shape[1], blocks = elementwiseBlocks(device, n);
    const Buffer wrong(device, sizeof(int));
    check(cudaMemsetAsync(wrong.data(), 0, sizeof(int), device.stream()), "memory was cleared");
    dispatchSize(table.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, embeddingKernel<U>, blocks, elementwiseThreads, ids.as<std::int32_t>(), table.as<U>(),
               table.shape[0], columns, y.as<U>(), n, wrong.as<int>());
    });
    int row = 0;
    device.download(wrong.data(), &row, sizeof row);
    if (row == 0) return;
    std::int32_t id = 0;
    device.download(ids.as<std::int32_t>() + (row - 1), &id, sizeof id);
    throw std::invalid_argument(idOutside(id, table));
}

void CudaBackend::doTimestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift,
                                      double maxPeriod, View y) {
    Device& device = this->device();
    const std::int64_t rows = std::int64_t(times.size());
    const Buffer exact(device, std::size_t(rows * dim) * sizeof(double));
    for (std::int64_t first = 0; first < rows; first += maxTimes) {
        const std::int64_t now = std::min<std::int64_t>(maxTimes, rows - first);
        Times chunk{};
        for (std::int64_t r = 0; r < now; ++r) chunk.at[r] = times[std::size_t(first + r)];
        launch(device, timestepKernel, elementwiseBlocks(device, now * dim), elementwiseThreads, chunk, now * dim, dim,
               cosFirst, shift, maxPeriod, exact.as<double>() + first * dim);
    }
    cuda::convert(device, {exact.data(), DType::F64, y.shape}, y);
}

}  // namespace meander::kernels::cuda
