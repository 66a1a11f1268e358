// Rotary position embedding.
#include <algorithm>

#include "kernels/api/row_offsets.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

float asFloat(float x) { return x; }
float asFloat(std::uint16_t bf16) { return bf16ToFloat(bf16); }
void store(float& to, float x) { to = x; }
void store(std::uint16_t& to, float x) { to = floatToBf16(x); }

// One axis of one head: n pairs of channels, neighbours (step 2, partner 1) or halves (step 1, partner n).
template <class T>
void rotate(const T* x, T* y, const float* cos, const float* sin, std::int64_t n, RopePairing pairing) {
    const bool isInterleaved = pairing == RopePairing::Interleaved;
    const std::int64_t step = isInterleaved ? 2 : 1, partner = isInterleaved ? 1 : n;
    for (std::int64_t i = 0; i < n; ++i) {
        const float a = asFloat(x[i * step]), b = asFloat(x[i * step + partner]);
        store(y[i * step], a * cos[i] - b * sin[i]);
        store(y[i * step + partner], b * cos[i] + a * sin[i]);
    }
}

template <class T>
void rotateHead(const T* x, T* y, const float* cos, const float* sin, std::int64_t pairs, std::int64_t width,
                const RopeArgs& r) {
    std::int64_t first = 0;  // pair
    const auto axis = [&](std::int64_t n) {
        rotate(x + 2 * first, y + 2 * first, cos + first, sin + first, n, r.pairing);
        first += n;
    };
    for (std::int64_t n : r.axes) axis(n);
    if (r.axes.empty()) axis(pairs);
    if (x != y) std::copy(x + 2 * pairs, x + width, y + 2 * pairs);
}

}  // namespace

void CpuBackend::doRope(View x, const RopeArgs& r, View y) {
    const std::int64_t t = x.shape[1], heads = x.shape[2], width = x.shape[3], pairs = r.cos.shape[-1];
    const bool isPerImage = r.cos.shape.rank() == 3;
    const RowOffsets xAt(x), yAt(y);
    parallelRanges(m_threads, x.shape[0] * t, std::max<std::int64_t>(1, (1 << 14) / (heads * width)),
                   [&](std::int64_t from, std::int64_t to) {
                       for (std::int64_t row = from * heads; row < to * heads; ++row) {
                           const std::int64_t token = row / heads, angles = (isPerImage ? token : token % t) * pairs;
                           const float *cos = r.cos.as<float>() + angles, *sin = r.sin.as<float>() + angles;
                           if (x.type == DType::F32)
                               rotateHead(x.as<float>() + xAt(row), y.as<float>() + yAt(row), cos, sin, pairs, width,
                                          r);
                           else
                               rotateHead(x.as<std::uint16_t>() + xAt(row), y.as<std::uint16_t>() + yAt(row), cos, sin,
                                          pairs, width, r);
                       }
                   });
}

}  // namespace meander::kernels
