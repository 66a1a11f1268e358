#include "engine/schedule/level_edit.h"

#include <algorithm>
#include <cmath>

#include "engine/schedule/schedule_common.h"

namespace meander::levels {
namespace {

constexpr double leastSigma = 1e-6, mostSigma = 999;
constexpr double leastDistance = 1e-6;  // along an axis, where a range has shrunk to nothing
constexpr double closest = 1e-6;        // of neighbours that are typed, relative

// The least distance of neighbours along the axis: a ten-thousandth of an even step, less where they are closer
// already.
double leastGap(const std::vector<double>& x) {
    return x.size() < 2 ? 0 : std::max(leastDistance, 1e-4 * std::abs(x.front() - x.back()) / double(x.size() - 1));
}

// A flow's network may count t in thousandths; a person reads t.
bool isFlow(const Process& p) { return p.kind() == ProcessKind::RectifiedFlow; }
double timeOf(double tau, const Process& p) { return isFlow(p) ? tau : p.networkTime(tau); }
double ofTime(double time, const Process& p) { return isFlow(p) ? time : p.tauOfTime(time); }

std::vector<double> coordinatesOf(const std::vector<double>& levels, Reading r, const Process& p) {
    std::vector<double> x;
    for (int i = 0; i < movableCount(levels); ++i) x.push_back(coordinateOf(levels[std::size_t(i)], r, p));
    return x;
}

}  // namespace

double coordinateOf(double tau, Reading r, const Process& p) {
    if (r == Reading::Time) return timeOf(tau, p);
    return std::log(std::clamp(p.sigma(tau), leastSigma, mostSigma));
}

double levelAt(double coordinate, Reading r, const Process& p) {
    const Limits limits = limitsOf(p);
    const double tau = r == Reading::Time
                           ? ofTime(coordinate, p)
                           : p.tauOfSigma(std::exp(std::clamp(coordinate, std::log(leastSigma), std::log(mostSigma))));
    return std::isfinite(tau) ? std::clamp(tau, limits.lowest, limits.highest) : limits.highest;
}

double valueOf(double tau, Reading r, const Process& p) {
    if (r == Reading::Time) return timeOf(tau, p);
    return r == Reading::Sigma ? p.sigma(tau) : -std::log(p.sigma(tau));
}

double levelOf(double value, Reading r, const Process& p) {
    const Limits limits = limitsOf(p);
    const double tau = r == Reading::Time    ? ofTime(value, p)
                       : r == Reading::Sigma ? p.tauOfSigma(value)
                                             : p.tauOfSigma(std::exp(-value));
    return std::isfinite(tau) ? std::clamp(tau, limits.lowest, limits.highest) : limits.highest;
}

Limits limitsOf(const Process& p) {
    if (isFlow(p)) return {p.minimum() * 0.01, 1};
    return {p.minimum() * 0.01, p.tauOfSigma(p.sigma(p.maximum()) * 4)};
}

bool isFalling(const std::vector<double>& levels) {
    if (levels.size() < 2 || !std::isfinite(levels.front()) || !(levels.back() >= 0)) return false;
    return std::adjacent_find(levels.begin(), levels.end(), [](double a, double b) { return !(a > b); })
           == levels.end();
}

bool endsClean(const std::vector<double>& levels) { return !levels.empty() && levels.back() == 0; }
int movableCount(const std::vector<double>& levels) { return int(levels.size()) - endsClean(levels); }

std::vector<double> followWeights(const std::vector<double>& levels, const std::vector<int>& selection, double radius,
                                  bool endsLocked) {
    const int n = movableCount(levels);
    std::vector<double> weights(std::size_t(n), 0.0);
    for (const int s : selection)
        for (int i = 0; i < n; ++i) {
            const double d = radius > 0 ? std::abs(i - s) / radius : std::abs(i - s);
            if (d < 1) weights[std::size_t(i)] = std::max(weights[std::size_t(i)], std::pow(1 - d * d, 2));
        }
    if (endsLocked && n > 0) weights.front() = weights.back() = 0;
    return weights;
}

std::vector<double> moved(const std::vector<double>& levels, const std::vector<double>& weights, double by, Reading r,
                          const Process& p) {
    const std::vector<double> x = coordinatesOf(levels, r, p);
    const std::size_t n = x.size();
    if (n == 0 || weights.size() != n || !std::isfinite(by)) return levels;
    // Every order to keep is linear in the distance d: x_j + w_j d ≥ x_{j+1} + w_{j+1} d + gap.
    const double gap = leastGap(x);
    const Limits limits = limitsOf(p);
    double low = -INFINITY, high = INFINITY;
    const auto keep = [&](double room, double towards) {  // room + towards · d ≥ 0 where room ≥ 0
        if (towards > 0) low = std::max(low, -std::max(0.0, room) / towards);
        if (towards < 0) high = std::min(high, std::max(0.0, room) / -towards);
    };
    for (std::size_t j = 0; j + 1 < n; ++j)
        keep(x[j] - x[j + 1] - std::min(gap, x[j] - x[j + 1]), weights[j] - weights[j + 1]);
    keep(coordinateOf(limits.highest, r, p) - x.front(), -weights.front());
    keep(x.back() - coordinateOf(limits.lowest, r, p), weights.back());
    const double d = std::clamp(by, low, high);
    std::vector<double> result = levels;
    for (std::size_t j = 0; j < n; ++j)
        if (weights[j] * d != 0) result[j] = levelAt(x[j] + weights[j] * d, r, p);
    return isFalling(result) ? result : levels;
}

std::vector<double> placed(std::vector<double> levels, int index, double tau, const Process& p) {
    if (index < 0 || index >= movableCount(levels) || !std::isfinite(tau)) return levels;
    const auto i = std::size_t(index);
    const Limits limits = limitsOf(p);
    const double highest = i == 0 ? std::max(limits.highest, levels[i]) : levels[i - 1] * (1 - closest),
                 next = i + 1 < levels.size() ? levels[i + 1] : 0,
                 lowest = next > 0 ? next * (1 + closest) : std::min(limits.lowest, levels[i]);
    if (lowest <= highest) levels[i] = std::clamp(tau, lowest, highest);
    return levels;
}

std::vector<double> withOneAfter(std::vector<double> levels, int index, const Process& p) {
    if (index < 0 || index >= movableCount(levels)) return levels;
    const auto i = std::size_t(index);
    const bool isLast = index + 1 == movableCount(levels);
    const double ratio = i > 0 ? std::clamp(levels[i] / levels[i - 1], 0.1, 0.7) : 0.5;
    const double tau = isLast ? std::max(levels[i] * ratio, limitsOf(p).lowest) : std::sqrt(levels[i] * levels[i + 1]);
    std::vector<double> result = levels;
    result.insert(result.begin() + std::ptrdiff_t(i) + 1, tau);
    return isFalling(result) ? result : levels;
}

std::vector<double> without(const std::vector<double>& levels, const std::vector<int>& indices, bool endsLocked) {
    const int n = movableCount(levels);
    std::vector<double> result = levels;
    for (int i = n - 1; i >= 0 && result.size() > 2; --i) {
        const bool isLocked = endsLocked && (i == 0 || i == n - 1);
        if (!isLocked && std::find(indices.begin(), indices.end(), i) != indices.end() && movableCount(result) > 1)
            result.erase(result.begin() + i);
    }
    return result;
}

std::vector<double> withClean(std::vector<double> levels, bool isClean) {
    if (isClean && !endsClean(levels)) levels.push_back(0);
    if (!isClean && endsClean(levels) && levels.size() > 2) levels.pop_back();
    return levels;
}

ControlCurve controlsOf(const std::vector<double>& levels, Reading r, const Process& p, int most) {
    const std::vector<double> x = coordinatesOf(levels, r, p);
    std::vector<CurvePoint> values;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (values.empty() || x[i] < values.back().y)
            values.push_back({x.size() < 2 ? 0 : double(i) / double(x.size() - 1), x[i]});
    const double range = x.empty() ? 0 : std::abs(x.front() - x.back());
    return {fewPointsThrough(values, most, range / 200), r};
}

std::vector<double> sampled(const ControlCurve& curve, int intervals, bool isClean, const Process& p) {
    if (curve.points.empty() || intervals < 1) return {};
    const MonotoneCubic cubic(curve.points);
    const int n = intervals + !isClean;
    std::vector<double> levels;
    for (int i = 0; i < n; ++i) levels.push_back(levelAt(cubic.at(n == 1 ? 0 : double(i) / (n - 1)), curve.reading, p));
    if (isClean) levels.push_back(0);
    return levels;
}

ControlCurve movedPoint(ControlCurve curve, int index, double x, double y, bool endsLocked, const Process& p) {
    const int n = int(curve.points.size());
    if (index < 0 || index >= n || !std::isfinite(x) || !std::isfinite(y)) return curve;
    const auto i = std::size_t(index);
    const bool isEnd = index == 0 || index == n - 1;
    if (isEnd && endsLocked) return curve;
    // Room for hundreds of levels between two control points.
    const double apart = 1e-3, range = std::abs(curve.points.front().y - curve.points.back().y),
                 gap = std::max(leastDistance, 1e-4 * range);
    const Limits limits = limitsOf(p);
    const double highest = index == 0 ? coordinateOf(limits.highest, curve.reading, p) : curve.points[i - 1].y - gap,
                 lowest = index == n - 1 ? coordinateOf(limits.lowest, curve.reading, p) : curve.points[i + 1].y + gap;
    if (lowest <= highest) curve.points[i].y = std::clamp(y, lowest, highest);
    if (!isEnd && curve.points[i + 1].x - curve.points[i - 1].x > 2 * apart)
        curve.points[i].x = std::clamp(x, curve.points[i - 1].x + apart, curve.points[i + 1].x - apart);
    return curve;
}

ControlCurve withPointAt(ControlCurve curve, double x) {
    const auto next = std::find_if(curve.points.begin(), curve.points.end(), [x](const auto& c) { return c.x >= x; });
    if (next == curve.points.begin() || next == curve.points.end()) return curve;
    if (x - (next - 1)->x < 5e-3 || next->x - x < 5e-3) return curve;
    const double y = MonotoneCubic(curve.points).at(x);
    if (y < (next - 1)->y && y > next->y) curve.points.insert(next, {x, y});
    return curve;
}

ControlCurve withoutPoint(ControlCurve curve, int index) {
    if (index > 0 && index + 1 < int(curve.points.size())) curve.points.erase(curve.points.begin() + index);
    return curve;
}

std::optional<double> nearestOwnLevel(double tau, const Process& p) {
    if (p.kind() == ProcessKind::VariancePreserving && p.trainingSteps() > 0)
        return p.tauOfStep(std::clamp(std::round(p.networkTime(tau)), 0.0, double(p.trainingSteps() - 1)));
    if (p.kind() == ProcessKind::RectifiedFlow && p.tableSteps() > 0) {
        const double n = p.tableSteps(), s = p.timeShift();
        return schedule::shifted(std::clamp(std::round(schedule::unshifted(tau, s) * n), 1.0, n) / n, s);
    }
    return {};
}

}  // namespace meander::levels
