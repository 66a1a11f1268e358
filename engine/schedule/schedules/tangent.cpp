// Rules in the angle atan(σ/c). For data of one standard deviation c, Euler's error per step in that angle is 1 − cos
// Δθ, so even angles are best: N steps to clean multiply the exact solution by cos(Δθ)^N.
#include <numbers>

#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

std::vector<double> makeTangent(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double scale = real(c.params, "c"), sigma = c.process.sigma(top);
    const double from = std::isinf(sigma) ? std::numbers::pi / 2 : std::atan(sigma / scale),
                 to = std::atan(c.process.sigma(bottom) / scale);
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i)
        levels.push_back(i == 0 ? top : c.process.tauOfSigma(scale * std::tan(from + i * (to - from) / c.steps)));
    levels.push_back(toggle(c.params, "to_clean") ? 0 : bottom);
    return levels;
}

// (N − 1) equal angles and 0 (ComfyUI, sd.cpp), or N equal angles that end at the lowest level (A1111). The rule takes
// a flow's t for σ.
std::vector<double> makeKlOptimal(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double from = std::atan(top), to = std::atan(bottom);
    if (!isDialect(c, "a1111"))
        return ramp(c.steps, [&](double u) {
            return u == 0 ? top : u == 1 ? bottom : std::tan(u * to + (1 - u) * from);
        });
    std::vector<double> levels;
    for (int i = 0; i <= c.steps; ++i)
        levels.push_back(i == 0 ? top : i == c.steps ? bottom : std::tan(from + double(i) / c.steps * (to - from)));
    return levels;
}

std::vector<double> makeCosine(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double from = std::atan(c.process.sigma(top)), to = std::atan(c.process.sigma(bottom));
    return ramp(c.steps, [&](double u) {
        return u == 0 ? top : u == 1 ? bottom : c.process.tauOfSigma(std::tan(from + u * (to - from)));
    });
}

}  // namespace

ScheduleInfo tangent() {
    return {.id = "tangent",
            .label = "Tangent law",
            .summary = "σ = c·tan of an even angle: best for data of one standard deviation c",
            .source = "arXiv 2601.13602, for isotropic Gaussian data",
            .group = "Noise-level rules",
            .params = withRange(
                {realParam("c", "c", 0.5, 1e-4, 1e4, "Standard deviation of the data; 0.5 is what EDM models assume."),
                 advanced(toggleParam("to_clean", "To clean", true,
                                      "The last level is 0; off: the lowest level, as the formula has it."))}),
            .make = makeTangent};
}

ScheduleInfo klOptimal() {
    return {.id = "kl_optimal",
            .label = "KL-optimal",
            .summary = "Even in atan σ",
            .source = "Sabour et al. 2024, Align Your Steps, theorem 3.1",
            .group = "Noise-level rules",
            .params = withRange({dialectParam(
                {{"comfyui", "ComfyUI, sd.cpp: then 0"}, {"a1111", "A1111, Forge: ends at the lowest level"}})}),
            .make = makeKlOptimal};
}

ScheduleInfo cosine() {
    return {.id = "cosine",
            .label = "Cosine",
            .summary = "Even in the angle atan σ: the times of the cosine noise schedule",
            .source = "Nichol & Dhariwal 2021, eq. 17",
            .group = "Time curves",
            .params = withRange(),
            .make = makeCosine};
}

}  // namespace meander::schedule
