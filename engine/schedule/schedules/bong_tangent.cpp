// Two arctangent curves joined in the middle (RES4LYF). sd.cpp runs them between the model's highest and lowest level
// in 32-bit arithmetic and puts 0 last; RES4LYF gives shares 1 … ½ … 0 of the highest level.
#include <numbers>

#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

struct Stage {
    int steps;
    double slope, pivot, start, end;
};

template <class Real> void append(std::vector<double>& levels, const Stage& s, bool dropsLast) {
    const Real slope = Real(s.slope), pivot = Real(s.pivot), start = Real(s.start), end = Real(s.end),
               share = Real(2) / std::numbers::pi_v<Real>;
    const auto curve = [&](int x) { return (share * std::atan(-slope * (Real(x) - pivot)) + 1) / 2; };
    const Real high = curve(0), low = curve(s.steps - 1), range = high - low;
    for (int x = 0; x < s.steps - dropsLast; ++x) {
        if (std::abs(range) < Real(1e-8))
            levels.push_back(s.steps == 1 ? start : start + (end - start) * (Real(x) / Real(s.steps - 1)));
        else levels.push_back((curve(x) - low) * (1 / range) * (start - end) + end);
    }
}

template <class Real> std::vector<double> curves(const ScheduleContext& c, double top, double middle, double bottom) {
    const int steps = c.steps + 2;
    const Real pivot1 = Real(real(c.params, "pivot_1")), pivot2 = Real(real(c.params, "pivot_2")), n = Real(steps),
               scale = n / 40;
    const int midpoint = int((n * pivot1 + n * pivot2) / 2);
    if (midpoint < 1 || midpoint >= steps)
        throw Failure(
            "Bong tangent: the pivots leave one of the two curves without a step; choose them nearer to 0.5.");
    std::vector<double> levels;
    append<Real>(levels, {midpoint, Real(real(c.params, "slope_1")) / scale, double(int(n * pivot1)), top, middle},
                 true);
    append<Real>(
        levels,
        {steps - midpoint, Real(real(c.params, "slope_2")) / scale, double(int(n * pivot2) - midpoint), middle, bottom},
        false);
    return levels;
}

std::vector<double> make(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    if (isDialect(c, "res4lyf")) {
        auto levels = curves<double>(c, top, top / 2, 0);
        levels.back() = 0;
        return levels;
    }
    const float high = float(top), low = float(bottom);
    auto levels = curves<float>(c, high, low + (high - low) * 0.5f, low);
    levels.resize(std::size_t(c.steps) + 1, low);
    if (c.steps > 1) levels.front() = top;  // one step starts in the middle
    levels.back() = 0;
    return levels;
}

}  // namespace

ScheduleInfo bongTangent() {
    return {.id = "bong_tangent",
            .label = "Bong tangent",
            .summary = "Two arctangent curves: slow at both ends",
            .source = "RES4LYF; sd.cpp",
            .group = "Noise-level rules",
            .params = withRange({dialectParam({{"sdcpp", "sd.cpp: highest to lowest level, then 0"},
                                               {"res4lyf", "RES4LYF: shares of the highest level"}}),
                                 advanced(realParam("pivot_1", "First pivot", 0.6, 0.05, 0.95,
                                                    "Where the first curve turns, as a share of the steps.")),
                                 advanced(realParam("pivot_2", "Second pivot", 0.6, 0.05, 0.95,
                                                    "Where the second curve turns, as a share of the steps.")),
                                 advanced(realParam("slope_1", "First slope", 0.2, 1e-3, 10,
                                                    "Steepness of the first curve at 40 steps.")),
                                 advanced(realParam("slope_2", "Second slope", 0.2, 1e-3, 10,
                                                    "Steepness of the second curve at 40 steps."))}),
            .make = make};
}

}  // namespace meander::schedule
