#include "engine/core/monotone_cubic.h"

#include <algorithm>
#include <cmath>

namespace meander {
namespace {

// One-sided slope at an end, limited so that the first piece stays monotone.
double endSlope(double h0, double h1, double d0, double d1) {
    const double s = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
    if (s * d0 <= 0) return 0;
    return d0 * d1 <= 0 && std::abs(s) > 3 * std::abs(d0) ? 3 * d0 : s;
}

}  // namespace

MonotoneCubic::MonotoneCubic(std::vector<CurvePoint> points)
    : m_points(std::move(points)), m_slopes(m_points.size(), 0.0) {
    const std::size_t n = m_points.size();
    if (n < 2) return;
    std::vector<double> h(n - 1), d(n - 1);
    for (std::size_t i = 0; i + 1 < n; ++i) {
        h[i] = m_points[i + 1].x - m_points[i].x;
        d[i] = (m_points[i + 1].y - m_points[i].y) / h[i];
    }
    if (n == 2) {
        m_slopes = {d[0], d[0]};
        return;
    }
    for (std::size_t i = 1; i + 1 < n; ++i) {
        if (d[i - 1] * d[i] <= 0) continue;
        const double a = 2 * h[i] + h[i - 1], b = h[i] + 2 * h[i - 1];
        m_slopes[i] = (a + b) / (a / d[i - 1] + b / d[i]);
    }
    m_slopes[0] = endSlope(h[0], h[1], d[0], d[1]);
    m_slopes[n - 1] = endSlope(h[n - 2], h[n - 3], d[n - 2], d[n - 3]);
}

double MonotoneCubic::at(double x) const {
    if (x <= m_points.front().x) return m_points.front().y;
    if (x >= m_points.back().x) return m_points.back().y;
    const auto next =
        std::upper_bound(m_points.begin(), m_points.end(), x, [](double v, const CurvePoint& p) { return v < p.x; });
    const auto k = std::size_t(next - m_points.begin()) - 1;
    const CurvePoint &a = m_points[k], &b = m_points[k + 1];
    const double h = b.x - a.x, s = (x - a.x) / h, r = 1 - s;
    // Hermite form
    const double y = r * r * (1 + 2 * s) * a.y + s * r * r * h * m_slopes[k] + s * s * (3 - 2 * s) * b.y
                     - s * s * r * h * m_slopes[k + 1];
    return std::clamp(y, std::min(a.y, b.y), std::max(a.y, b.y));
}

std::vector<CurvePoint> fewPointsThrough(const std::vector<CurvePoint>& values, int most, double tolerance) {
    if (values.size() < 3) return values;
    std::vector<std::size_t> kept{0, values.size() - 1};
    std::vector<CurvePoint> points;
    for (;;) {
        points.clear();
        for (const std::size_t i : kept) points.push_back(values[i]);
        if (int(kept.size()) >= std::max(2, most)) break;
        const MonotoneCubic curve(points);
        std::size_t furthest = 0;
        double distance = tolerance;
        for (std::size_t i = 0; i < values.size(); ++i)
            if (const double d = std::abs(curve.at(values[i].x) - values[i].y); d > distance)
                furthest = i, distance = d;
        if (distance <= tolerance) break;
        kept.insert(std::upper_bound(kept.begin(), kept.end(), furthest), furthest);
    }
    return points;
}

}  // namespace meander
