// The hot loops, compiled once per instruction set (loops_base, loops_avx2, loops_avx512) and chosen when the backend
// is made. Each is single-threaded over the range it is given; who calls it spreads ranges over threads. T means float
// or bf16: index 0 or 1 of the array.
#pragma once
#include <cstdint>

#include "kernels/api/backend.h"

namespace meander::kernels {

// acc (rowCount, columns) = or += Σ over taps of A_tap · B. The rows of A are given by pointers, so a matrix, a strided
// slice and the pixels under a convolution's filter are all the same to the kernel. B is packed in panels of `nr`
// columns, (depth, nr) each; the last panel has as many whole vectors as it needs. The sum over depth runs in order,
// whatever the number of rows: a row's result has the same bits in any batch.
struct GemmBlock {
    const float* const* rows = nullptr;  // rows[tap * rowStride + r], with rowStride >= rowCount
    int rowStride = 0, rowCount = 0, taps = 1;
    std::int64_t offset = 0, depth = 0;  // elements [offset, offset + depth) of every row
    const float* panels = nullptr;       // the first panel
    std::int64_t panelStride = 0;        // floats from one full panel to the next
    std::int64_t panelDepth = 0;         // row of the panels that belongs to element `offset` of the first tap
    std::int64_t columns = 0;
    float* acc = nullptr;
    std::int64_t accStride = 0;  // at least columns rounded up to whole vectors
    bool accumulate = false;
};

// A row of a stored weight: its values are those of its format times `scale`.
struct WeightRow {
    const std::uint8_t* data;
    WeightFormat format;
    float scale;
};

// One row of a product on its way to memory; see Epilogue. Null parts are absent.
struct EpilogueRow {
    const float* bias = nullptr;
    const float* rowBias = nullptr;
    const float* gate = nullptr;
    const void* multiply = nullptr;
    const void* residual = nullptr;
    Activation activation = Activation::None;
    float scale = 1.0f;
};

struct Loops {
    const char* name;
    int width;       // floats in a vector
    int mr, nr;      // rows and columns of the product kernel
    int depthBlock;  // depth for which a panel stays in the first cache
    void (*gemm)(const GemmBlock&);
    // At most nr rows of a weight (depth elements each) as one panel of the product kernel, rounded to bf16 when asked.
    void (*widenPanel)(const WeightRow* rows, int columns, std::int64_t depth, bool asBf16, float* panel);
    void (*epilogue[2])(const float* acc, std::int64_t n, const EpilogueRow&, void* y);

    // n rows of c. scale and shift, when given, belong to all of these rows.
    void (*layerNorm[2])(const void* x, std::int64_t rows, std::int64_t c, const float* gamma, const float* beta,
                         float eps, const float* scale, const float* shift, void* y);
    void (*rmsNorm[2])(const void* x, std::int64_t rows, std::int64_t c, const float* gamma, float eps, void* y);
    // sum[c] and squares[c] over `pixels` rows, of x − pivot[c].
    void (*channelSums[2])(const void* x, std::int64_t pixels, std::int64_t c, const float* pivot, float* sum,
                           float* squares);
    // y = activation(x * scale[c] + shift[c])
    void (*channelAffine[2])(const void* x, std::int64_t pixels, std::int64_t c, const float* scale, const float* shift,
                             Activation, void* y);

    // s[i] = exp(s[i] * scale + bias[i] − max), returns the sum; bias may be null. A row without a finite score becomes
    // zeros with sum 0. s has room for whole vectors: what lies behind n becomes zero. scale must not be negative
    // there.
    float (*softmaxRow)(float* s, std::int64_t n, float scale, const float* bias);
    void (*scaleRow[2])(const float* x, std::int64_t n, float factor, void* y);

    void (*unary[2])(Unary, const void* x, std::int64_t n, void* y);
    void (*binary[2])(Binary, const void* a, const void* b, std::int64_t n, void* y);
    void (*toFloat[2])(const void* x, std::int64_t n, float* y);
    void (*fromFloat[2])(const float* x, std::int64_t n, void* y);
    // −Σ p ln p
    double (*entropy)(const float* p, std::int64_t n);
};

const Loops& loopsBase();
const Loops& loopsAvx2();
const Loops& loopsAvx512();
// The widest this processor runs; MEANDER_CPU_ISA=base|avx2|avx512 in the environment lowers it (for tests).
const Loops& bestLoops();

}  // namespace meander::kernels
