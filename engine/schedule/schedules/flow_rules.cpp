// Published rules of single flow models: FLUX.2, LTX-Video 2, and the logit-normal times of Ideogram 4.
#include "engine/schedule/beta_quantile.h"
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

std::vector<double> shiftedRamp(int n, double shift) {
    std::vector<double> levels;
    for (int i = 0; i < n; ++i) levels.push_back(i == 0 ? 1 : shifted(double(n - i) / n, shift));
    levels.push_back(0);
    return levels;
}

// µ fitted by the authors at 10 and 200 steps, linear in the tokens and in the steps between; above 4300 tokens the
// 200-step line alone.
std::vector<double> makeFlux2(const ScheduleContext& c) {
    requireFlow(c, "\"FLUX.2\"");
    const double tokens = tokensOf(c, "FLUX.2"), at200 = 0.00016927 * tokens + 0.45666666,
                 at10 = 8.73809524e-05 * tokens + 1.89833333;
    const double slope = (at200 - at10) / 190, mu = tokens > 4300 ? at200 : slope * c.steps + (at200 - 200 * slope);
    return shiftedRamp(c.steps, std::exp(mu));
}

std::vector<double> makeLtx2(const ScheduleContext& c) {
    requireFlow(c, "\"LTX-2\"");
    const double slope = (real(c.params, "max_shift") - real(c.params, "base_shift")) / (4096 - 1024);
    const double mu = tokensOf(c, "LTX-2") * slope + (real(c.params, "base_shift") - slope * 1024);
    auto levels = shiftedRamp(c.steps, std::exp(mu));
    if (toggle(c.params, "stretch") && c.steps > 1) stretchToTerminal(levels, real(c.params, "terminal"));
    return levels;
}

// t = sigmoid(µ − s Φ⁻¹(i/N)), clamped to a range of log-SNR; µ grows by half the log of the tokens over 1024.
std::vector<double> makeLogitNormal(const ScheduleContext& c) {
    requireFlow(c, "\"Logit-normal\"");
    double mean = real(c.params, "mean");
    if (toggle(c.params, "resolution_aware")) mean += 0.5 * std::log(tokensOf(c, "Logit-normal") / 1024.0);
    const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
    const double high = sigmoid(real(c.params, "logsnr_max") / 2), low = sigmoid(real(c.params, "logsnr_min") / 2);
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i)
        levels.push_back(
            std::clamp(sigmoid(mean - real(c.params, "std") * normalQuantile(double(i) / c.steps)), low, high));
    levels.push_back(0);
    return levels;
}

}  // namespace

ScheduleInfo flux2() {
    return {.id = "flux2",
            .label = "FLUX.2",
            .summary = "Flow shift fitted to the number of tokens and of steps",
            .source = "Black Forest Labs, FLUX.2 sampling; ComfyUI, sd.cpp",
            .group = "Flow",
            .params = {tokensParam()},
            .make = makeFlux2};
}

ScheduleInfo ltx2() {
    return {
        .id = "ltx2",
        .label = "LTX-2",
        .summary = "Flow shift by tokens, stretched to end at a terminal level",
        .source = "Lightricks, LTX-Video; ComfyUI, LTXVScheduler; sd.cpp",
        .group = "Flow",
        .params = {realParam("base_shift", "Base shift", 0.95, 0, 100, "µ at 1024 tokens."),
                   realParam("max_shift", "Largest shift", 2.05, 0, 100, "µ at 4096 tokens."),
                   toggleParam("stretch", "Stretch", true, "Stretch the times to end at the terminal level."),
                   realParam("terminal", "Terminal", 0.1, 0, 0.99, "The last level above 0 after stretching.", 0.01),
                   tokensParam()},
        .make = makeLtx2};
}

ScheduleInfo logitNormal() {
    return {.id = "logit_normal",
            .label = "Logit-normal",
            .summary = "Quantiles of a logit-normal distribution of t",
            .source = "Ideogram 4; sd.cpp; Esser et al. 2024, section 3.1",
            .group = "Flow",
            .params = {realParam("mean", "Mean", 0, -10, 10, "Logit of t where steps gather.", 0.1),
                       realParam("std", "Width", 1.75, 0.01, 20, "Standard deviation of the logit of t."),
                       advanced(realParam("logsnr_min", "Lowest log-SNR", -15, -60, 60,
                                          "Sets the lowest t above 0 by symmetry.", 1)),
                       advanced(realParam("logsnr_max", "Highest log-SNR", 18, -60, 60,
                                          "Sets the highest t by symmetry.", 1)),
                       toggleParam("resolution_aware", "Resolution aware", true,
                                   "Adds half the log of the number of tokens over 1024 to the mean."),
                       tokensParam()},
            .make = makeLogitNormal};
}

}  // namespace meander::schedule
