// Moving without arithmetic: concatenation and slices of the last dimension, and the change between channels-first and
// channels-last.
//
// Elements are moved as unsigned integers of their size, so one kernel serves all types of that size.
#include "kernels/api/row_offsets.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/kernels.cuh"
#include "kernels/cuda/operations.h"

namespace meander::kernels::cuda {
namespace {

// Columns [fromFirst, fromFirst + width) of rows of x → columns [toFirst, ...) of rows of y.
template <class U>
__global__ void copyColumnsKernel(const U* x, std::int64_t xColumns, std::int64_t fromFirst, U* y,
                                  std::int64_t yColumns, std::int64_t toFirst, std::int64_t width, std::int64_t total) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t row = quotient(i, width), column = i - row * width;
        y[row * yColumns + toFirst + column] = x[row * xColumns + fromFirst + column];
    }
}

void copyColumns(Device& device, View x, std::int64_t fromFirst, View y, std::int64_t toFirst, std::int64_t width,
                 std::int64_t rows) {
    dispatchSize(x.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, copyColumnsKernel<U>, elementwiseBlocks(device, rows * width), elementwiseThreads, x.as<U>(),
               lastExtent(x), fromFirst, y.as<U>(), lastExtent(y), toFirst, width, rows * width);
    });
}

// Any strides on both sides; rows of n elements.
template <class U>
__global__ void copyStridedKernel(const U* x, RowOffsets from, std::int64_t fromStep, U* y, RowOffsets to,
                                  std::int64_t toStep, std::int64_t n, std::int64_t total) {
    for (std::int64_t i = blockIdx.x * std::int64_t(blockDim.x) + threadIdx.x; i < total;
         i += std::int64_t(gridDim.x) * blockDim.x) {
        const std::int64_t row = quotient(i, n), column = i - row * n;
        y[to(row) + column * toStep] = x[from(row) + column * fromStep];
    }
}

// Transposes each of a batch of matrices (rows, columns) → (columns, rows) by tiles of 32 x 32 that pass through shared
// memory, so that both the loads and the stores of a warp are neighbours. One block of 32 x 8 threads per tile; the
// 33rd column keeps the banks apart.
constexpr int tileSize = 32, tileRows = 8;

template <class U>
__global__ void transposeKernel(const U* x, U* y, std::int64_t rows, std::int64_t columns, std::int64_t rowTiles,
                                std::int64_t columnTiles) {
    __shared__ U tile[tileSize][tileSize + 1];
    const std::int64_t block = blockIdx.x, matrix = block / (rowTiles * columnTiles),
                       inMatrix = block - matrix * rowTiles * columnTiles;
    const std::int64_t firstRow = inMatrix / columnTiles * tileSize, firstColumn = inMatrix % columnTiles * tileSize;
    const U* from = x + matrix * rows * columns;
    U* to = y + matrix * rows * columns;
    const int lane = int(threadIdx.x) % tileSize, group = int(threadIdx.x) / tileSize;
    for (int r = group; r < tileSize; r += tileRows)
        if (firstRow + r < rows && firstColumn + lane < columns)
            tile[r][lane] = from[(firstRow + r) * columns + firstColumn + lane];
    __syncthreads();
    for (int c = group; c < tileSize; c += tileRows)
        if (firstColumn + c < columns && firstRow + lane < rows)
            to[(firstColumn + c) * rows + firstRow + lane] = tile[lane][c];
}

void transpose(Device& device, View x, View y, std::int64_t batch, std::int64_t rows, std::int64_t columns) {
    const std::int64_t rowTiles = ceilDiv(rows, tileSize), columnTiles = ceilDiv(columns, tileSize);
    dispatchSize(x.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, transposeKernel<U>, batch * rowTiles * columnTiles, tileSize * tileRows, x.as<U>(), y.as<U>(),
               rows, columns, rowTiles, columnTiles);
    });
}

}  // namespace

void copyStrided(Device& device, View from, View to) {
    const std::int64_t total = from.count();
    dispatchSize(from.type, [&](auto zero) {
        using U = decltype(zero);
        launch(device, copyStridedKernel<U>, elementwiseBlocks(device, total), elementwiseThreads, from.as<U>(),
               RowOffsets(from), from.stride(-1), to.as<U>(), RowOffsets(to), to.stride(-1), lastExtent(from), total);
    });
}

void CudaBackend::doConcatLast(View a, View b, View y) {
    Device& device = this->device();
    const std::int64_t rows = leadingCount(y);
    copyColumns(device, a, 0, y, 0, lastExtent(a), rows);
    copyColumns(device, b, 0, y, lastExtent(a), lastExtent(b), rows);
}

void CudaBackend::doSliceLast(View x, std::int64_t first, View y) {
    Device& device = this->device();
    copyColumns(device, x, first, y, 0, lastExtent(y), leadingCount(y));
}

void CudaBackend::doChannelsLast(View x, View y) {
    Device& device = this->device();
    const std::int64_t n = x.shape[0], c = x.shape[1];
    transpose(device, x, y, n, c, x.count() / (n * c));
}

void CudaBackend::doChannelsFirst(View x, View y) {
    Device& device = this->device();
    const std::int64_t n = y.shape[0], c = y.shape[1];
    transpose(device, x, y, n, y.count() / (n * c), c);
}

}  // namespace meander::kernels::cuda
