#include "kernels/cpu/product.h"

#include <algorithm>

#include "kernels/cpu/host_weights.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

constexpr int rowBlock = 96;  // a multiple of every kernel's rows

std::int64_t roundUp(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

// Columns of one task: wide enough to use a row block well, narrow enough that every thread gets several tasks. Has no
// influence on bits.
std::int64_t columnBlock(const Loops& loops, const Product& p, int threads) {
    const std::int64_t rowTasks = (p.rows + rowBlock - 1) / rowBlock, widest = roundUp(240, loops.nr);
    const std::int64_t wanted = std::max<std::int64_t>(1, (std::int64_t(threads) * 4 + rowTasks - 1) / rowTasks);
    return std::clamp(roundUp((p.columns + wanted - 1) / wanted, loops.nr), std::int64_t(loops.nr), widest);
}

// Even pieces of about depthBlock; depends on the depth alone, as the order of a sum must.
std::int64_t depthStep(const Loops& loops, std::int64_t depth) {
    const std::int64_t pieces = (depth + loops.depthBlock - 1) / loops.depthBlock;
    return (depth + pieces - 1) / pieces;
}

// The sums of a block of rows and columns, depth cut so that a panel's part stays in the first cache.
void sumBlock(const Loops& loops, const Product& p, const float* const* pointers, int rows, std::int64_t column,
              std::int64_t columns, float* acc, std::int64_t accStride) {
    GemmBlock g;
    g.rowStride = rowBlock;
    g.rowCount = rows;
    g.panels = p.b.data + column / loops.nr * p.b.panelStride;
    g.panelStride = p.b.panelStride;
    g.columns = columns;
    g.acc = acc;
    g.accStride = accStride;
    const int tapsAtOnce = int(std::clamp<std::int64_t>(loops.depthBlock / p.depth, 1, p.taps));
    for (int tap = 0; tap < p.taps; tap += tapsAtOnce) {
        g.rows = pointers + std::int64_t(tap) * rowBlock;
        g.taps = std::min(tapsAtOnce, p.taps - tap);
        const std::int64_t step = tapsAtOnce == 1 ? depthStep(loops, p.depth) : p.depth;
        for (std::int64_t offset = 0; offset < p.depth; offset += step) {
            g.offset = offset;
            g.depth = std::min(step, p.depth - offset);
            g.panelDepth = tap * p.depth + offset;
            loops.gemm(g);
            g.accumulate = true;
        }
    }
}

}  // namespace

std::int64_t packedCount(const Loops& loops, std::int64_t depth, std::int64_t columns) {
    return depth * roundUp(columns, loops.width);
}

PackedPanels packWeight(const Loops& loops, int threads, const View& weight, DType compute, std::int64_t taps,
                        float* to) {
    constexpr std::int64_t stretch = 16;
    const int nr = loops.nr;
    const std::int64_t columns = weight.shape[0], depth = weight.count() / columns / taps;
    withElements(weight, compute, [&](const auto& element) {
        parallelFor(threads, (columns + nr - 1) / nr, [&](std::int64_t index, int) {
            const std::int64_t first = index * nr, filled = std::min<std::int64_t>(nr, columns - first),
                               width = std::min<std::int64_t>(nr, roundUp(filled, loops.width));
            float* panel = to + first * taps * depth;
            for (std::int64_t from = 0; from < depth; from += stretch) {
                const std::int64_t end = std::min(from + stretch, depth);
                for (std::int64_t j = 0; j < width; ++j)
                    for (std::int64_t k = from; k < end; ++k)
                        for (std::int64_t tap = 0; tap < taps; ++tap)
                            panel[(tap * depth + k) * width + j] =
                                j < filled ? element(((first + j) * depth + k) * taps + tap) : 0.0f;
            }
        });
    });
    return {taps * depth, columns, taps * depth * nr, to};
}

EpilogueRow ResolvedEpilogue::at(std::int64_t r, std::int64_t column) const {
    const std::int64_t columns = y.shape[-1], element = r * columns + column;
    const std::size_t size = sizeOf(y.type);
    EpilogueRow row;
    row.bias = bias ? bias + column : nullptr;
    row.rowBias = rowBias ? rowBias + r / rowsPerRowBias * columns + column : nullptr;
    row.gate = gate ? gate + r / rowsPerGate * columns + column : nullptr;
    row.multiply = multiply ? multiply.as<char>() + std::size_t(element) * size : nullptr;
    row.residual = residual ? residual.as<char>() + std::size_t(element) * size : nullptr;
    row.activation = activation;
    row.scale = scale;
    return row;
}

void* ResolvedEpilogue::target(std::int64_t r, std::int64_t column) const {
    return y.as<char>() + std::size_t(r * y.shape[-1] + column) * sizeOf(y.type);
}

void multiply(const Loops& loops, MemoryPool& pool, int threads, const Product& p, const ResolvedEpilogue& e) {
    const std::int64_t step = columnBlock(loops, p, threads), accStride = roundUp(step, loops.width);
    const std::int64_t columnTasks = (p.columns + step - 1) / step, rowTasks = (p.rows + rowBlock - 1) / rowBlock;
    Scratch<float> acc(pool, std::size_t(threads) * rowBlock * std::size_t(accStride));
    Scratch<const float*> pointers(pool, std::size_t(threads) * rowBlock * std::size_t(p.taps));
    // The smaller operand is the one to read again and again: it stays in the shared cache.
    const bool isWeightHeavy = p.b.depth * p.columns > p.rows * p.depth;
    const auto store = loops.epilogue[typeIndex(e.y.type)];
    parallelFor(threads, rowTasks * columnTasks, [&](std::int64_t task, int thread) {
        const std::int64_t row = (isWeightHeavy ? task % rowTasks : task / columnTasks) * rowBlock;
        const std::int64_t column = (isWeightHeavy ? task / rowTasks : task % columnTasks) * step;
        const int rows = int(std::min<std::int64_t>(rowBlock, p.rows - row));
        const std::int64_t columns = std::min(step, p.columns - column);
        float* sums = acc.data() + std::int64_t(thread) * rowBlock * accStride;
        const float** located = pointers.data() + std::int64_t(thread) * rowBlock * p.taps;
        p.locate(row, rows, located, rowBlock);
        sumBlock(loops, p, located, rows, column, columns, sums, accStride);
        for (int r = 0; r < rows; ++r)
            store(sums + r * accStride, columns, e.at(row + r, p.firstColumn + column),
                  e.target(row + r, p.firstColumn + column));
    });
}

}  // namespace meander::kernels
