#include "engine/schedule/redistribute.h"

#include <algorithm>
#include <cmath>

#include "engine/schedule/level_edit.h"
#include "engine/schedule/operators.h"
#include "engine/schedule/schedule_common.h"

namespace meander::levels {
namespace {

using List = std::vector<double>;

// y where `cumulative` (rising) reaches c.
double inverse(const List& cumulative, const List& y, double c) {
    const auto next = std::upper_bound(cumulative.begin() + 1, cumulative.end() - 1, c);
    const auto k = std::size_t(next - cumulative.begin());
    const double width = cumulative[k] - cumulative[k - 1],
                 w = width > 0 ? std::clamp((c - cumulative[k - 1]) / width, 0.0, 1.0) : 0;
    return (1 - w) * y[k - 1] + w * y[k];
}

// `points` values of y at even distances of `cumulative`, as levels; the ends keep every bit.
List spread(const List& levels, const List& cumulative, const List& y, int points, auto levelAtY) {
    List result{levels.front()};
    const std::size_t last = cumulative.size() - 1;
    for (int i = 1; i < points; ++i)
        result.push_back(i + 1 == points
                             ? levels[last]
                             : levelAtY(inverse(cumulative, y, cumulative.back() * i / std::max(1, points - 1))));
    return result;
}

void needFalling(const List& levels, const char* what) {
    if (!isFalling(levels))
        throw Failure(std::string(what) + ": the levels must fall. Remove the operator \"Reverse\".");
}

}  // namespace

List respaced(const List& levels, int intervals, Measure measure, const Process& p) {
    needFalling(levels, "Respace");
    const int n = movableCount(levels), points = intervals + !endsClean(levels);
    List y, cumulative{0};
    for (int i = 0; i < n; ++i) {
        const double x = coordinateOf(levels[std::size_t(i)], Reading::Sigma, p);
        y.push_back(measure == Measure::Sigma ? std::exp(x) : x);
    }
    const double range = std::max(1e-12, y.front() - y.back());
    for (int i = 1; i < n; ++i) {
        const double fall = (y[std::size_t(i) - 1] - y[std::size_t(i)]) / range;
        cumulative.push_back(cumulative.back() + (measure == Measure::Arc ? std::hypot(fall, 1.0 / (n - 1)) : fall));
    }
    List result =
        n < 2 ? List(levels.begin(), levels.begin() + 1) : spread(levels, cumulative, y, points, [&](double v) {
            return levelAt(measure == Measure::Sigma ? std::log(v) : v, Reading::Sigma, p);
        });
    if (endsClean(levels)) result.push_back(0);
    return result;
}

List warped(List levels, double fromRho, double toRho) {
    needFalling(levels, "Bend");
    const auto n = std::size_t(movableCount(levels));
    const double top = levels.front(), bottom = levels[n - 1];
    const double a = std::pow(top, 1 / fromRho), b = std::pow(bottom, 1 / fromRho), A = std::pow(top, 1 / toRho),
                 B = std::pow(bottom, 1 / toRho);
    for (std::size_t i = 1; i + 1 < n; ++i) {
        const double u = (a - std::pow(levels[i], 1 / fromRho)) / (a - b);
        levels[i] = std::pow(A + u * (B - A), toRho);
    }
    return levels;
}

List blended(List levels, const List& other, double share) {
    needFalling(levels, "Blend");
    needFalling(other, "Blend");
    const int n = movableCount(levels);
    List theirs(other.begin(), other.begin() + movableCount(other));
    if (int(theirs.size()) != n) theirs = resampled(theirs, std::max(1, n - 1), Scale::Logarithmic);
    for (int i = 0; i < std::min(n, int(theirs.size())); ++i) {
        double& own = levels[std::size_t(i)];
        own = std::pow(own, 1 - share) * std::pow(theirs[std::size_t(i)], share);
    }
    return levels;
}

List onOwnSteps(List levels, const Process& p) {
    needFalling(levels, "Own training steps");
    const bool isFlow = p.kind() == ProcessKind::RectifiedFlow;
    const int first = isFlow ? 1 : 0, last = isFlow ? p.tableSteps() : p.trainingSteps() - 1, n = movableCount(levels);
    if (last < 1)
        throw Failure("Own training steps: this model has continuous time, so it has no steps of its own. Remove the "
                      "operator.");
    if (n > last - first + 1)
        throw Failure("Own training steps: " + std::to_string(n) + " levels are more than the model's "
                      + std::to_string(last - first + 1) + " training steps. Use fewer steps.");
    std::vector<int> steps;
    for (int i = 0; i < n; ++i) {
        const double tau = levels[std::size_t(i)],
                     at = isFlow ? schedule::unshifted(tau, p.timeShift()) * last : p.networkTime(tau);
        // Room is left for those that follow.
        const int highest = i == 0 ? last : steps.back() - 1;
        steps.push_back(std::clamp(int(std::lround(std::min(at, double(last)))), first + n - 1 - i,
                                   std::max(first + n - 1 - i, highest)));
    }
    for (int i = 0; i < n; ++i)
        levels[std::size_t(i)] = isFlow ? schedule::shifted(double(steps[std::size_t(i)]) / last, p.timeShift())
                                        : p.tauOfStep(steps[std::size_t(i)]);
    return levels;
}

List equalised(const List& levels, int intervals, const List& measured, const List& shares, double strength,
               const Process& p) {
    needFalling(levels, "Equal shares of the error");
    if (shares.empty() || measured.size() < 2) throw Failure("Equal shares of the error: nothing was measured.");
    const List even = resampled(levels, intervals, Scale::Logarithmic);
    const auto n = std::size_t(movableCount(even));
    if (n < 3) return even;
    // A floor keeps intervals where nothing was measured from taking no steps at all.
    double sum = 0;
    for (const double s : shares) sum += std::isfinite(s) ? std::max(0.0, s) : 0;
    const double floor = std::max(sum, 1e-12) * 1e-2 / double(shares.size());
    const auto densityAt = [&](double x) {
        for (std::size_t k = 0; k < shares.size() && k + 1 < measured.size(); ++k) {
            const double high = coordinateOf(measured[k], Reading::Sigma, p);
            const double low = measured[k + 1] > 0 ? coordinateOf(measured[k + 1], Reading::Sigma, p) : -INFINITY;
            if (x > high || x <= low || !std::isfinite(low)) continue;
            return ((std::isfinite(shares[k]) ? std::max(0.0, shares[k]) : 0) + floor) / (high - low);
        }
        return floor;
    };
    constexpr int cells = 2000;
    const double top = coordinateOf(levels.front(), Reading::Sigma, p),
                 bottom = coordinateOf(even[n - 1], Reading::Sigma, p);
    List x{top}, cumulative{0};
    for (int c = 1; c <= cells; ++c) {
        x.push_back(top + (bottom - top) * c / cells);
        cumulative.push_back(cumulative.back() + densityAt((x[std::size_t(c)] + x[std::size_t(c) - 1]) / 2));
    }
    List result = even;
    for (std::size_t i = 1; i + 1 < n; ++i) {
        const double equal = inverse(cumulative, x, cumulative.back() * double(i) / double(n - 1)),
                     own = coordinateOf(even[i], Reading::Sigma, p);
        result[i] = levelAt((1 - strength) * own + strength * equal, Reading::Sigma, p);
    }
    return isFalling(result) ? result : even;
}

}  // namespace meander::levels
