// Group, layer and root mean square norms.
#include <algorithm>
#include <cmath>

#include "kernels/api/contract.h"
#include "kernels/api/row_offsets.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

constexpr std::int64_t pixelsPerPiece = 64;  // fixed: the order of sums must not depend on threads or batch

// Per group, from the sums per channel about the image's first pixel, added over the pieces in order.
struct GroupStatistics {
    double mean, inverse;
};

GroupStatistics groupStatistics(const float* pivot, const float* sums, std::int64_t pieces, std::int64_t c,
                                std::int64_t first, std::int64_t width, std::int64_t pixels, float eps) {
    double total = 0, totalSquares = 0;
    for (std::int64_t ch = first; ch < first + width; ++ch) {
        double s = 0, q = 0;
        for (std::int64_t piece = 0; piece < pieces; ++piece) {
            s += sums[piece * 2 * c + ch];
            q += sums[piece * 2 * c + c + ch];
        }
        const double n = double(pixels), p = pivot[ch];
        total += s + n * p;
        totalSquares += q + 2 * p * s + n * p * p;
    }
    const double count = double(pixels * width), mean = total / count;
    const double variance = std::max(0.0, totalSquares / count - mean * mean);
    return {mean, 1.0 / std::sqrt(variance + double(eps))};
}

// Rows of x and y as runs without gaps: all at once where both are dense, else one by one.
class RowRuns {
public:
    RowRuns(const View& x, const View& y) : m_x(x), m_y(y), m_xAt(x), m_yAt(y), m_isDense(x.isDense() && y.isDense()) {}

    // Calls run(from, count, to) for rows [first, first + n).
    template <class Run> void each(std::int64_t first, std::int64_t n, const Run& run) const {
        const std::int64_t size = std::int64_t(sizeOf(m_x.type)), step = m_isDense ? n : 1;
        for (std::int64_t row = first; row < first + n; row += step)
            run(m_x.as<char>() + m_xAt(row) * size, step, m_y.as<char>() + m_yAt(row) * size);
    }

private:
    const View &m_x, &m_y;
    RowOffsets m_xAt, m_yAt;
    bool m_isDense;
};

}  // namespace

void CpuBackend::doGroupNorm(View x, View gamma, View beta, int groups, float eps, Activation activation, View y) {
    const std::int64_t n = x.shape[0], c = x.shape[-1];
    const FloatVector scale = floats(gamma), shift = floats(beta);
    const std::int64_t pixels = x.shape.rowCount() / c, pieces = (pixels + pixelsPerPiece - 1) / pixelsPerPiece,
                       width = c / groups;
    const int type = typeIndex(x.type);
    const std::size_t size = sizeOf(x.type);
    const auto at = [&](const View& v, std::int64_t image, std::int64_t pixel) {
        return v.as<char>() + std::size_t((image * pixels + pixel) * c) * size;
    };

    const Scratch<float> pivots(m_pool, std::size_t(n * c)), sums(m_pool, std::size_t(n * pieces * 2 * c)),
        affine(m_pool, std::size_t(n * 2 * c));
    for (std::int64_t i = 0; i < n; ++i) m_loops.toFloat[type](at(x, i, 0), c, pivots.data() + i * c);
    parallelFor(m_threads, n * pieces, [&](std::int64_t task, int) {
        const std::int64_t image = task / pieces, first = task % pieces * pixelsPerPiece;
        float* to = sums.data() + task * 2 * c;
        m_loops.channelSums[type](at(x, image, first), std::min(pixelsPerPiece, pixels - first), c,
                                  pivots.data() + image * c, to, to + c);
    });
    for (std::int64_t i = 0; i < n; ++i)
        for (int g = 0; g < groups; ++g) {
            const auto s = groupStatistics(pivots.data() + i * c, sums.data() + i * pieces * 2 * c, pieces, c,
                                           g * width, width, pixels, eps);
            for (std::int64_t ch = g * width; ch < (g + 1) * width; ++ch) {
                const double factor = s.inverse * (scale.data() ? double(scale.data()[ch]) : 1.0);
                affine.data()[i * 2 * c + ch] = float(factor);
                affine.data()[i * 2 * c + c + ch] =
                    float((shift.data() ? double(shift.data()[ch]) : 0.0) - s.mean * factor);
            }
        }
    parallelFor(m_threads, n * pieces, [&](std::int64_t task, int) {
        const std::int64_t image = task / pieces, first = task % pieces * pixelsPerPiece;
        const float* factors = affine.data() + image * 2 * c;
        m_loops.channelAffine[type](at(x, image, first), std::min(pixelsPerPiece, pixels - first), c, factors,
                                    factors + c, activation, at(y, image, first));
    });
}

void CpuBackend::doLayerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) {
    const std::int64_t c = lastExtent(x), rows = leadingCount(x);
    const FloatVector g = floats(gamma), b = floats(beta), s = floats(scale), t = floats(shift);
    const View& modulation = scale ? scale : shift;
    const std::int64_t perGroup = modulation ? rows / leadingCount(modulation) : rows;
    const std::int64_t grain = std::clamp<std::int64_t>(16384 / c, 1, perGroup),
                       piecesPerGroup = (perGroup + grain - 1) / grain;
    const auto loop = m_loops.layerNorm[typeIndex(x.type)];
    const RowRuns runs(x, y);
    parallelFor(m_threads, rows / perGroup * piecesPerGroup, [&](std::int64_t task, int) {
        const std::int64_t group = task / piecesPerGroup, inGroup = task % piecesPerGroup * grain;
        const float *groupScale = s.data() ? s.data() + group * c : nullptr,
                    *groupShift = t.data() ? t.data() + group * c : nullptr;
        runs.each(group * perGroup + inGroup, std::min(grain, perGroup - inGroup),
                  [&](const void* from, std::int64_t n, void* to) {
                      loop(from, n, c, g.data(), b.data(), eps, groupScale, groupShift, to);
                  });
    });
}

void CpuBackend::doRmsNorm(View x, View gamma, float eps, View y) {
    const std::int64_t c = lastExtent(x);
    const FloatVector g = floats(gamma);
    const auto loop = m_loops.rmsNorm[typeIndex(x.type)];
    const RowRuns runs(x, y);
    parallelRanges(
        m_threads, leadingCount(x), std::max<std::int64_t>(1, 16384 / c), [&](std::int64_t first, std::int64_t last) {
            runs.each(first, last - first,
                      [&](const void* from, std::int64_t n, void* to) { loop(from, n, c, g.data(), eps, to); });
        });
}

}  // namespace meander::kernels
