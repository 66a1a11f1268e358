// Stored weights on their way into the product: a panel of nr columns, widened to floats.
#include "kernels/api/weight_blocks.h"

namespace {

using meander::kernels::WeightRow;

inline float roundedToBf16(float x) {
    const std::uint32_t bits = meander::kernels::blocks::bitsOfFloat(x), odd = bits >> 16 & 1u;
    const std::uint32_t rounded = x == x ? bits + 0x7fffu + odd : bits | 0x400000u;
    return meander::kernels::blocks::floatOfBits(rounded & 0xffff0000u);
}

// Four rows of four floats as four columns.
inline void transpose4(const float* from, std::int64_t fromStride, float* to, std::int64_t toStride) {
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + fromStride), c = _mm_loadu_ps(from + 2 * fromStride),
           d = _mm_loadu_ps(from + 3 * fromStride);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a), _mm_storeu_ps(to + toStride, b), _mm_storeu_ps(to + 2 * toStride, c),
        _mm_storeu_ps(to + 3 * toStride, d);
}

// panel[k * width + j] = element k of row j; columns behind the last are zero.
void widenPanel(const WeightRow* rows, int columns, std::int64_t depth, bool asBf16, float* panel) {
    using namespace meander::kernels::blocks;
    constexpr int nr = kernelVectors * vecWidth;
    const int width = columns < nr ? (columns + vecWidth - 1) / vecWidth * vecWidth : nr;
    alignas(64) float group[nr][groupSize] = {};
    for (std::int64_t first = 0; first < depth; first += groupSize) {
        const int count = int(depth - first < groupSize ? depth - first : groupSize);
        for (int j = 0; j < columns; ++j) {
            float* v = group[j];
            decodeGroup(rows[j].format, rows[j].data, first / groupSize, count, v);
            if (rows[j].scale != 1.0f)
                for (int i = 0; i < groupSize; ++i) v[i] *= rows[j].scale;
            if (asBf16)
                for (int i = 0; i < groupSize; ++i) v[i] = roundedToBf16(v[i]);
        }
        int i = 0;
        for (; i + 4 <= count; i += 4)
            for (int j = 0; j < width; j += 4) transpose4(&group[j][i], groupSize, panel + i * width + j, width);
        for (; i < count; ++i)
            for (int j = 0; j < width; ++j) panel[i * width + j] = group[j][i];
        panel += count * width;
    }
}

}  // namespace
