// Curves in the model's own time: training step, t or σ. Discrete steps end at step 0 and then clean; a continuous
// clock runs from its highest value to 0, or to "min" and then to 0.
#include <numbers>

#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

// `curve` maps the share of time left, 1 … 0, to the share of the time range, 1 … 0.
std::vector<double> along(const ScheduleContext& c, auto curve) {
    const auto [top, bottom] = rangeOf(c);
    const Process& p = c.process;
    const bool isContinuous = p.trainingSteps() == 0;
    if (isContinuous && !c.params.contains("min")) {
        std::vector<double> levels;
        for (int i = 0; i <= c.steps; ++i)
            levels.push_back(top * (i == 0 ? 1 : i == c.steps ? 0 : curve(double(c.steps - i) / c.steps)));
        return levels;
    }
    const double from = p.networkTime(top), to = p.networkTime(bottom);
    return ramp(c.steps, [&](double u) {
        return u == 0 ? top : u == 1 ? bottom : p.tauOfTime(to + curve(1 - u) * (from - to));
    });
}

std::vector<double> makeUniform(const ScheduleContext& c) {
    return along(c, [](double u) { return u; });
}

std::vector<double> makeCosine(const ScheduleContext& c) {
    return along(c, [](double u) {
        const double s = std::sin(std::numbers::pi / 2 * u);
        return s * s;
    });
}

std::vector<double> makeSigmoid(const ScheduleContext& c) {
    const double kappa = real(c.params, "kappa"), low = 1 / (1 + std::exp(kappa / 2)), high = 1 - low;
    return along(c, [&](double u) { return (1 / (1 + std::exp(-kappa * (u - 0.5))) - low) / (high - low); });
}

std::vector<double> makeQuadratic(const ScheduleContext& c) {
    if (!isDialect(c, "ddim")) return along(c, [](double u) { return u * u; });
    const int trained = c.process.trainingSteps();
    if (trained == 0)
        throw Failure("The DDIM dialect of \"Quadratic in t\" counts training steps, and this model has continuous "
                      "time. Choose the dialect \"exact\".");
    const double root = std::sqrt(trained * 0.8);
    return ramp(c.steps, [&](double u) {
        const double r = root * (c.steps == 1 ? 0 : 1 - u);
        return c.process.tauOfStep(std::floor(r * r));
    });
}

}  // namespace

ScheduleInfo uniformTime() {
    return {.id = "uniform_t",
            .label = "Uniform in t",
            .summary = "Even in the model's own time",
            .source = "Ho et al. 2020; Liu et al. 2023",
            .group = "Time curves",
            .params = withRange(),
            .make = makeUniform};
}

ScheduleInfo cosineTime() {
    return {.id = "cosine_t",
            .label = "Cosine in t",
            .summary = "Half a cosine in the model's own time: dense at both ends",
            .source = "Chebyshev points; Beta(½, ½) quantiles",
            .group = "Time curves",
            .params = withRange(),
            .make = makeCosine};
}

ScheduleInfo quadraticTime() {
    return {.id = "quadratic_t",
            .label = "Quadratic in t",
            .summary = "A square in the model's own time: dense at low noise",
            .source = "Song et al. 2021, DDIM, appendix D.2",
            .group = "Time curves",
            .params = withRange({dialectParam({{"exact", "From the highest level"},
                                               {"ddim", "DDIM: whole steps up to 80 % of the training steps"}})}),
            .make = makeQuadratic};
}

ScheduleInfo sigmoidTime() {
    return {.id = "sigmoid_t",
            .label = "Sigmoid in t",
            .summary = "A sigmoid in the model's own time: dense at both ends",
            .source = "Kim et al. 2025, Simple ReFlow",
            .group = "Time curves",
            .params =
                withRange({realParam("kappa", "κ", 10, 0.01, 100,
                                     "Steepness: larger values gather steps at both ends; near 0 is uniform.", 0.5)}),
            .make = makeSigmoid};
}

}  // namespace meander::schedule
