// Group, layer and root mean square norms.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/checks.h"
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

}  // namespace

void CpuBackend::groupNorm(View x, View gamma, View beta, int groups, float eps, Activation activation, View y) {
    requireActivation("groupNorm", {x, y});
    require(x.shape.rank() >= 2 && x.shape == y.shape, "groupNorm", "x and y must be the same (n, ..., c)", {x, y});
    const std::int64_t n = x.shape[0], c = x.shape[-1];
    require(groups > 0 && c % groups == 0, "groupNorm", "channels must be a multiple of the groups", {x});
    requireVectors("groupNorm", gamma, c, x);
    requireVectors("groupNorm", beta, c, x);
    if (x.count() == 0) return;
    const FloatVector scale = floats(gamma), shift = floats(beta);
    note(TracedKind::GroupNorm, x.type, {n, x.shape.rowCount() / c, c, groups});
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

void CpuBackend::layerNorm(View x, View gamma, View beta, float eps, View scale, View shift, View y) {
    requireActivation("layerNorm", {x, y});
    require(x.shape.rank() >= 1 && x.shape == y.shape, "layerNorm", "x and y must have the same shape", {x, y});
    if (x.count() == 0) return;
    const std::int64_t c = x.shape[-1], rows = x.count() / c;
    for (const View& v : {gamma, beta, scale, shift}) requireVectors("layerNorm", v, c, x);
    require(!scale || !shift || scale.count() == shift.count(), "layerNorm",
            "scale and shift must have the same groups", {scale, shift});
    const FloatVector g = floats(gamma), b = floats(beta), s = floats(scale), t = floats(shift);
    note(TracedKind::RowNorm, x.type, {rows, c});
    const View& modulation = scale ? scale : shift;
    const std::int64_t perGroup = modulation ? rowsPerGroup("layerNorm", modulation, c, rows) : rows;
    const std::int64_t grain = std::clamp<std::int64_t>(16384 / c, 1, perGroup),
                       piecesPerGroup = (perGroup + grain - 1) / grain;
    const std::size_t size = sizeOf(x.type);
    parallelFor(m_threads, rows / perGroup * piecesPerGroup, [&](std::int64_t task, int) {
        const std::int64_t group = task / piecesPerGroup, inGroup = task % piecesPerGroup * grain,
                           first = group * perGroup + inGroup;
        const std::size_t offset = std::size_t(first * c) * size;
        m_loops.layerNorm[typeIndex(x.type)](x.as<char>() + offset, std::min(grain, perGroup - inGroup), c, g.data(),
                                             b.data(), eps, s.data() ? s.data() + group * c : nullptr,
                                             t.data() ? t.data() + group * c : nullptr, y.as<char>() + offset);
    });
}

void CpuBackend::rmsNorm(View x, View gamma, float eps, View y) {
    requireActivation("rmsNorm", {x, y});
    require(x.shape.rank() >= 1 && x.shape == y.shape, "rmsNorm", "x and y must have the same shape", {x, y});
    if (x.count() == 0) return;
    const std::int64_t c = x.shape[-1];
    requireVectors("rmsNorm", gamma, c, x);
    const FloatVector g = floats(gamma);
    note(TracedKind::RowNorm, x.type, {x.count() / c, c});
    const std::size_t size = sizeOf(x.type);
    parallelRanges(m_threads, x.count() / c, std::max<std::int64_t>(1, 16384 / c),
                   [&](std::int64_t first, std::int64_t last) {
                       const std::size_t offset = std::size_t(first * c) * size;
                       m_loops.rmsNorm[typeIndex(x.type)](x.as<char>() + offset, last - first, c, g.data(), eps,
                                                          y.as<char>() + offset);
                   });
}

}  // namespace meander::kernels
