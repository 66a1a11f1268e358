// Matrix products on packed panels with everything that follows them done while the sums are in the cache. Linear
// layers, convolutions and batched products are all this, with different rows of A.
#pragma once
#include <functional>

#include "kernels/cpu/cpu_backend.h"

namespace meander::kernels {

// B (depth, columns) in panels, see GemmBlock.
struct PackedPanels {
    std::int64_t depth = 0, columns = 0, panelStride = 0;
    float* data = nullptr;
};

inline float elementAsFloat(float x) { return x; }
inline float elementAsFloat(std::uint16_t bf16) { return bf16ToFloat(bf16); }

std::int64_t packedCount(const Loops& loops, std::int64_t depth, std::int64_t columns);
// element(k, n) of B; columns beyond the last are zero.
template <class Element>
PackedPanels packPanels(const Loops& loops, std::int64_t depth, std::int64_t columns, float* to,
                        const Element& element) {
    const int nr = loops.nr, width = loops.width;
    float* out = to;
    for (std::int64_t first = 0; first < columns; first += nr) {
        const int panel = int(columns - first < nr ? (columns - first + width - 1) / width * width : nr);
        for (std::int64_t k = 0; k < depth; ++k)
            for (int j = 0; j < panel; ++j) *out++ = first + j < columns ? element(k, first + j) : 0.0f;
    }
    return {depth, columns, depth * nr, to};
}

// Of a weight (columns, depth, taps), each row a filter; its depth in panels is taps × depth, taps outermost. All
// threads read it once, a stretch of each row at a time.
PackedPanels packWeight(const Loops& loops, int threads, const View& weight, DType compute, std::int64_t taps,
                        float* to);

// An Epilogue with its vectors in F32 and its rows countable.
struct ResolvedEpilogue {
    const float *bias = nullptr, *rowBias = nullptr, *gate = nullptr;
    std::int64_t rowsPerRowBias = 1, rowsPerGate = 1;
    View multiply, residual, y;
    Activation activation = Activation::None;
    float scale = 1.0f;

    // The epilogue of columns [column, ...) of row r.
    EpilogueRow at(std::int64_t r, std::int64_t column) const;
    void* target(std::int64_t r, std::int64_t column) const;
};

// Where the rows of A are: taps × depth elements make a row of the product (taps > 1: a convolution's filter
// positions).
struct Product {
    std::int64_t rows = 0, columns = 0;
    int taps = 1;
    std::int64_t depth = 0;
    PackedPanels b;
    std::int64_t firstColumn = 0;  // of the output, where b is a part of a wider weight
    // Fills pointers[tap * stride + i] with the address of row first + i under that tap.
    std::function<void(std::int64_t first, int count, const float** pointers, int stride)> locate;
};

void multiply(const Loops& loops, MemoryPool& pool, int threads, const Product& p, const ResolvedEpilogue& e);

}  // namespace meander::kernels
