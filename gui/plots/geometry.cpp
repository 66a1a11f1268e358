#include "gui/plots/geometry.h"

#include <algorithm>
#include <cmath>

namespace meander::gui {

std::vector<QPointF> decimate(std::vector<QPointF> points) {
    if (points.size() < 512) return points;
    std::vector<QPointF> kept;
    std::size_t i = 0;
    while (i < points.size()) {
        double column = std::floor(points[i].x());
        std::size_t first = i, low = i, high = i;
        for (; i < points.size() && std::floor(points[i].x()) == column; ++i) {
            if (points[i].y() < points[low].y()) low = i;
            if (points[i].y() > points[high].y()) high = i;
        }
        if (i < points.size() && points[i].x() < points[first].x()) return points;
        std::size_t order[] = {first, std::min(low, high), std::max(low, high), i - 1};
        for (int k = 0; k < 4; ++k)
            if (k == 0 || order[k] != order[k - 1]) kept.push_back(points[order[k]]);
    }
    return kept;
}

std::optional<int> nearestPoint(std::span<const QPointF> points, QPointF at, double reach) {
    std::optional<int> best;
    double least = reach * reach;
    for (std::size_t i = 0; i < points.size(); ++i) {
        QPointF d = points[i] - at;
        double squared = QPointF::dotProduct(d, d);
        if (squared <= least) {
            least = squared;
            best = int(i);
        }
    }
    return best;
}

std::optional<int> nearestX(std::span<const double> xs, double x) {
    std::optional<int> best;
    double least = INFINITY;
    for (std::size_t i = 0; i < xs.size(); ++i) {
        double d = std::abs(xs[i] - x);
        if (d < least) {
            least = d;
            best = int(i);
        }
    }
    return best;
}

}  // namespace meander::gui
