#include "gui/panels/timeline/strip_layout.h"

#include <algorithm>
#include <cmath>

namespace meander::gui {

void layoutStrip(std::vector<StripRow>& rows, bool isLog, bool isFalling) {
    auto scaled = [isLog](double v) { return isLog ? (v > 0 ? std::log(v) : -INFINITY) : v; };
    double lo = INFINITY, hi = -INFINITY;
    std::size_t most = 1;
    bool hasBefore = false, hasAfter = false;
    for (const auto& r : rows) {
        most = std::max(most, r.values.size());
        for (double v : r.values) {
            double s = scaled(v);
            if (std::isfinite(s)) {
                lo = std::min(lo, s);
                hi = std::max(hi, s);
            } else {
                (s < 0) == isFalling ? hasAfter = true : hasBefore = true;
            }
        }
    }
    const double margin = 1.0 / double(std::max<std::size_t>(2, most - 1));
    const double left = hasBefore ? margin : 0, right = hasAfter ? 1 - margin : 1;
    for (auto& r : rows) {
        r.positions.clear();
        for (double v : r.values) {
            double s = scaled(v);
            double u = hi > lo ? (s - lo) / (hi - lo) : r.values.size() > 1 ? 0.0 : 0.5;
            if (isFalling) u = 1 - u;
            r.positions.push_back(std::isfinite(s) ? left + u * (right - left) : ((s < 0) == isFalling ? 1.0 : 0.0));
        }
    }
}

int StripGeometry::rowAt(double y) const {
    return std::clamp(int((y - area.top() + gap / 2) / (thumb + gap)), 0, std::max(0, rows - 1));
}

std::optional<int> StripGeometry::frameAt(const StripRow& row, double pageX) const {
    std::optional<int> best;
    double least = INFINITY;
    for (std::size_t i = 0; i < row.positions.size(); ++i)
        if (double d = std::abs(x(row.positions[i]) - pageX); d < least) {
            least = d;
            best = int(i);
        }
    return best;
}

std::vector<char> visibleFrames(const StripRow& row, const StripGeometry& g, std::optional<int> keep, bool isGrowing) {
    std::vector<char> shown(row.positions.size(), 0);
    std::vector<double> taken;
    auto place = [&](int i) {
        if (i < 0 || i >= int(shown.size()) || shown[std::size_t(i)]) return;
        double x = g.x(row.positions[std::size_t(i)]);
        for (double t : taken)
            if (std::abs(t - x) < g.thumb + 2) return;
        taken.push_back(x);
        shown[std::size_t(i)] = 1;
    };
    if (keep) place(*keep);
    place(0);
    place(int(shown.size()) - 1);
    if (const int last = int(shown.size()) - 1; last > 0) {
        const double pitch = std::abs(g.x(row.positions[std::size_t(last)]) - g.x(row.positions[0])) / last;
        const int stride = std::max(1, int(std::ceil((g.thumb + 2) / std::max(pitch, 1e-6)))),
                  intervals = std::max(1, last / stride);
        for (int k = 1; k < intervals; ++k) place(isGrowing ? k * stride : int(std::int64_t(k) * last / intervals));
    }
    for (int i = 0; i < int(shown.size()); ++i) place(i);
    return shown;
}

}  // namespace meander::gui
