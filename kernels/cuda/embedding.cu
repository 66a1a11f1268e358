// Rows of a table by number, and the sinusoids of a time.
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
        if (column >= 2 * half) {  // an odd dim ends in a zero
            y[i] = 0.0;
            continue;
        }
        const bool isSecond = column >= half;
        const int k = isSecond ? column - half : column;
        const double angle = times.at[row] * exp(-log(maxPeriod) * double(k) / (double(half) - shift));
        y[i] = isSecond != cosFirst ? cos(angle) : sin(angle);
    }
}

}  // namespace

void embedding(Device& device, View ids, View table, View y) {
    require(ids.type == DType::I32 && table.shape.rank() == 2 && isFloat(table.type) && isFloat(y.type)
                && lastExtent(y) == table.shape[1] && y.count() == ids.count() * table.shape[1],
            "embedding", "ids are i32, table is (n, c) and y (ids, c)", ids, table, y);
    if (y.count() == 0) return;
    const std::int64_t n = y.count(), columns = table.shape[1], blocks = elementwiseBlocks(device, n);
    const Buffer wrong(device, sizeof(int));
    check(cudaMemsetAsync(wrong.data(), 0, sizeof(int), device.stream()), "memory was cleared");
    const Buffer other(device, table.type == y.type
                                   ? 0
                                   : std::size_t(n) * sizeOf(table.type));  // rows in the table's type, converted below
    void* rows = other ? other.data() : y.data;
    dispatchSize(table.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, embeddingKernel<U>, blocks, elementwiseThreads, ids.as<std::int32_t>(), table.as<U>(),
               table.shape[0], columns, static_cast<U*>(rows), n, wrong.as<int>());
    });
    if (other) convert(device, {rows, table.type, y.shape}, y);
    int row = 0;
    device.download(wrong.data(), &row, sizeof row);
    if (row == 0) return;
    std::int32_t id = 0;
    device.download(ids.as<std::int32_t>() + (row - 1), &id, sizeof id);
    throw std::invalid_argument("embedding: id " + std::to_string(id) + " is outside the table of "
                                + std::to_string(table.shape[0]) + " rows");
}

void timestepEmbedding(Device& device, std::span<const double> times, int dim, bool cosFirst, double shift,
                       double maxPeriod, View y) {
    const std::int64_t rows = std::int64_t(times.size());
    require(dim > 0 && isFloat(y.type) && y.count() == rows * dim && lastExtent(y) == dim, "timestepEmbedding",
            "y is (times, dim)", y);
    const Buffer exact(device, std::size_t(rows * dim) * sizeof(double));
    for (std::int64_t first = 0; first < rows; first += maxTimes) {
        const std::int64_t now = std::min<std::int64_t>(maxTimes, rows - first);
        Times chunk{};
        for (std::int64_t r = 0; r < now; ++r) chunk.at[r] = times[std::size_t(first + r)];
        launch(device, timestepKernel, elementwiseBlocks(device, now * dim), elementwiseThreads, chunk, now * dim, dim,
               cosFirst, shift, maxPeriod, exact.as<double>() + first * dim);
    }
    convert(device, {exact.data(), DType::F64, y.shape}, y);
}

}  // namespace meander::kernels::cuda
