#include "gui/images/point_chart.h"

#include <cmath>
#include <numbers>

namespace meander::gui {
namespace {
constexpr double pi = std::numbers::pi;
}

PointChart PointChart::of(const ModelInfo& model) {
    const ManifoldKind kind = model.process.manifold().kind();
    const std::int64_t coordinates = model.state.shape.count();
    const bool fits = kind == ManifoldKind::Torus ? coordinates == 2 : coordinates == 3;
    return {fits ? kind : ManifoldKind::Euclidean};
}

std::optional<double> PointChart::reach() const {
    switch (kind) {
    case ManifoldKind::Euclidean: return {};
    case ManifoldKind::Torus: return pi;
    case ManifoldKind::Sphere: return 1.12;
    case ManifoldKind::Hyperboloid: return 1.06;
    }
    return {};
}

PointChart::Place PointChart::place(std::span<const double> p) const {
    switch (kind) {
    case ManifoldKind::Hyperboloid: {
        // Seen from (−1, 0, 0) the sheet lies inside the unit disc.
        if (p.size() < 3) return {};
        return {QPointF(p[1], p[2]) / (1 + p[0])};
    }
    case ManifoldKind::Torus: {
        const auto wrapped = [](double a) { return std::remainder(a, 2 * pi); };
        return p.size() < 2 ? Place{} : Place{{wrapped(p[0]), wrapped(p[1])}};
    }
    case ManifoldKind::Sphere:
    case ManifoldKind::Euclidean: return placeVector(p);
    }
    return {};
}

PointChart::Place PointChart::placeVector(std::span<const double> v) const {
    if (v.empty()) return {};
    if (kind == ManifoldKind::Hyperboloid && v.size() >= 3) return {QPointF(v[1], v[2]) / 2};
    if (kind != ManifoldKind::Sphere || v.size() < 3) return {{v[0], v.size() > 1 ? v[1] : 0}};
    // The third coordinate points up; turned about it by yaw, then towards the eye by pitch.
    const double right = std::cos(yaw) * v[1] - std::sin(yaw) * v[0],
                 towards = std::cos(yaw) * v[0] + std::sin(yaw) * v[1];
    return {{right, std::cos(pitch) * v[2] - std::sin(pitch) * towards},
            std::cos(pitch) * towards + std::sin(pitch) * v[2]};
}

std::vector<QPolygonF> PointChart::pieces(const QPolygonF& path) const {
    std::vector<QPolygonF> lines(1);
    for (QPointF p : path) {
        if (!std::isfinite(p.x()) || !std::isfinite(p.y())) {
            if (!lines.back().isEmpty()) lines.emplace_back();
            continue;
        }
        if (kind == ManifoldKind::Torus && !lines.back().isEmpty()) {
            const QPointF from = lines.back().back(), way = p - from,
                          shortest(std::remainder(way.x(), 2 * pi), std::remainder(way.y(), 2 * pi));
            if ((way - shortest).manhattanLength() > 1e-9) {
                lines.back() << from + shortest;
                lines.push_back(QPolygonF{p - shortest});
            }
        }
        lines.back() << p;
    }
    return lines;
}

}  // namespace meander::gui
