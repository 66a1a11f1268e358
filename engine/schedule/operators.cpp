#include "engine/schedule/operators.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace meander::levels {
namespace {

// Levels before a final 0.
std::size_t aboveZero(const std::vector<double>& levels) {
    return levels.size() - (!levels.empty() && levels.back() == 0);
}

// A scale that can hold the values: the logarithm has no 0.
double in(Scale s, double v) { return s == Scale::Logarithmic ? std::log(v) : v; }
double out(Scale s, double v) { return s == Scale::Logarithmic ? std::exp(v) : v; }

void needPositive(const std::vector<double>& levels, std::size_t n, Scale s) {
    if (s == Scale::Logarithmic
        && std::any_of(levels.begin(), levels.begin() + std::ptrdiff_t(n), [](double v) { return v <= 0; }))
        throw Failure("On a logarithmic scale every level but the last must lie above 0. Choose the linear scale.");
}

}  // namespace

std::vector<double> reversed(std::vector<double> levels) {
    std::reverse(levels.begin(), levels.end());
    return levels;
}

std::vector<double> rescaled(std::vector<double> levels, double highest, double lowest, Scale scale) {
    const std::size_t n = aboveZero(levels);
    needPositive(levels, n, scale);
    if (n == 0) return levels;
    const double from = in(scale, levels.front()), to = in(scale, levels[n - 1]), top = in(scale, highest),
                 bottom = in(scale, lowest);
    for (std::size_t i = 0; i < n; ++i)
        levels[i] = i == 0       ? highest
                    : i + 1 == n ? lowest
                                 : out(scale, bottom + (in(scale, levels[i]) - to) / (from - to) * (top - bottom));
    return levels;
}

std::vector<double> resampled(const std::vector<double>& levels, int intervals, Scale scale) {
    const std::size_t n = aboveZero(levels);
    needPositive(levels, n, scale);
    const bool endsAtZero = n < levels.size();
    const int points = intervals + !endsAtZero;
    std::vector<double> result;
    for (int i = 0; i < points; ++i) {
        const double position = points == 1 ? 0 : double(i) * double(n - 1) / (points - 1);
        const auto k = n < 2 ? 0 : std::min(std::size_t(position), n - 2);
        const double w = position - double(k);
        result.push_back(w == 0   ? levels[k]
                         : w == 1 ? levels[k + 1]
                                  : out(scale, (1 - w) * in(scale, levels[k]) + w * in(scale, levels[k + 1])));
    }
    if (endsAtZero) result.push_back(0);
    return result;
}

std::pair<std::vector<double>, std::vector<double>> split(const std::vector<double>& levels, int step) {
    if (step < 0 || std::size_t(step) >= levels.size())
        throw Failure("The schedule cannot be split at step " + std::to_string(step) + "; it has "
                      + std::to_string(levels.size() - 1) + " steps.");
    return {{levels.begin(), levels.begin() + step + 1}, {levels.begin() + step, levels.end()}};
}

std::vector<double> concatenated(std::vector<double> first, const std::vector<double>& second) {
    const bool meets = !first.empty() && !second.empty() && first.back() == second.front();
    first.insert(first.end(), second.begin() + meets, second.end());
    return first;
}

std::vector<double> shifted(std::vector<double> levels, const Process& process, double factor) {
    for (double& tau : levels) {
        const double sigma = process.sigma(tau);
        if (tau > 0 && std::isfinite(sigma)) tau = process.tauOfSigma(factor * sigma);
    }
    return levels;
}

std::vector<double> smoothed(std::vector<double> levels, double strength, int passes, Scale scale) {
    const std::size_t n = aboveZero(levels);
    needPositive(levels, n, scale);
    for (int pass = 0; pass < passes; ++pass) {
        const std::vector<double> old = levels;
        for (std::size_t i = 1; i + 1 < n; ++i)
            levels[i] = out(scale, (1 - strength) * in(scale, old[i])
                                       + strength / 2 * (in(scale, old[i - 1]) + in(scale, old[i + 1])));
    }
    return levels;
}

std::vector<double> clipped(const std::vector<double>& levels, std::optional<double> highest,
                            std::optional<double> lowest) {
    const double top = highest.value_or(HUGE_VAL), bottom = lowest.value_or(0);
    if (!(top > bottom)) throw Failure("Clip: the highest level must lie above the lowest one.");
    const auto [least, most] = std::minmax_element(levels.begin(), levels.end());
    if (*least >= top || *most <= bottom) throw Failure("Clip: no part of the schedule lies between the two levels.");
    const bool falls = levels.front() >= levels.back(), cutsTop = *most > top, cutsBottom = *least < bottom;
    std::vector<double> result;
    const auto add = [&](double v) {
        if (result.empty() || result.back() != v) result.push_back(v);
    };
    if (falls ? cutsTop : cutsBottom) add(falls ? top : bottom);
    for (const double v : levels)
        if (v >= bottom && v <= top) add(v);
    if (falls ? cutsBottom : cutsTop) add(falls ? bottom : top);
    return result;
}

std::vector<double> inserted(const std::vector<double>& levels, int parts, std::optional<double> highest,
                             std::optional<double> lowest, Spacing spacing) {
    const auto curve = [&](double x) {
        const double angle = x * std::numbers::pi / 2;
        return spacing == Spacing::Linear ? x : spacing == Spacing::Cosine ? std::sin(angle) : 1 - std::cos(angle);
    };
    std::vector<double> result;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        result.push_back(levels[i]);
        if (i + 1 == levels.size() || levels[i] < lowest.value_or(0) || levels[i] > highest.value_or(HUGE_VAL))
            continue;
        for (int k = 1; k < parts; ++k)
            result.push_back(levels[i] + curve(double(k) / parts) * (levels[i + 1] - levels[i]));
    }
    return result;
}

}  // namespace meander::levels
