// Quantiles of a Beta distribution (Lee et al. 2024, "Beta Sampling is All You Need"): α = β < 1 puts steps at both
// ends. The paper applies them to continuous time; ComfyUI and sd.cpp round them to training steps and drop repeats;
// A1111, Forge and diffusers apply them to σ itself, both ends included.
#include "engine/schedule/beta_quantile.h"
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

std::vector<double> overSteps(const ScheduleContext& c, double a, double b, bool isSdCpp) {
    const StepTable table(c, isSdCpp ? StepTable::Tool::SdCpp : StepTable::Tool::ComfyUi);
    std::vector<double> levels;
    int before = -1;
    for (int i = 0; i < c.steps; ++i) {
        const double position = betaQuantile(1 - double(i) / c.steps, a, b) * (table.size() - 1);
        const int step = int(isSdCpp ? std::round(position) : std::nearbyint(position));
        if (step != before) levels.push_back(table.level(step));
        before = step;
    }
    levels.push_back(0);
    return levels;
}

std::vector<double> overSigma(const ScheduleContext& c, double a, double b, Range r) {
    return ramp(c.steps, [&](double u) { return r.bottom + betaQuantile(1 - u, a, b) * (r.top - r.bottom); });
}

// t = T F⁻¹(1 − i/N); of T discrete training steps, t lies T − 1 … −1, where what is below step 0 is clean.
std::vector<double> overTime(const ScheduleContext& c, double a, double b) {
    const Process& p = c.process;
    const int trained = p.trainingSteps();
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i) {
        const double q = betaQuantile(double(c.steps - i) / c.steps, a, b);  // exactly uniform for α = β = 1
        levels.push_back(trained == 0 ? p.maximum() * q : p.tauOfStep(q * trained - 1));
    }
    levels.push_back(0);
    return levels;
}

std::vector<double> make(const ScheduleContext& c) {
    const double a = real(c.params, "alpha"), b = real(c.params, "beta");
    if (isDialect(c, "paper")) return overTime(c, a, b);
    if (isDialect(c, "a1111")) return overSigma(c, a, b, rangeOf(c));
    if (isDialect(c, "diffusers")) return overSigma(c, a, b, diffusersRange(c));
    return overSteps(c, a, b, isDialect(c, "sdcpp"));
}

}  // namespace

ScheduleInfo beta() {
    return {.id = "beta",
            .label = "Beta",
            .summary = "Quantiles of a Beta distribution: steps at both ends",
            .source = "Lee et al. 2024, arXiv 2407.12173",
            .group = "Training steps",
            .params = {realParam("alpha", "α", 0.6, 0.01, 50,
                                 "Below 1 gathers steps at low noise; 1 with β = 1 is uniform."),
                       realParam("beta", "β", 0.6, 0.01, 50, "Below 1 gathers steps at high noise."),
                       dialectParam({{"comfyui", "ComfyUI: whole training steps"},
                                     {"sdcpp", "sd.cpp: whole training steps"},
                                     {"paper", "Paper: continuous time"},
                                     {"a1111", "A1111, Forge: linear in σ"},
                                     {"diffusers", "diffusers: linear in σ between its steps"}}),
                       advanced(spacingParam("linspace", false)), offsetParam(), shiftOfTable()},
            .make = make};
}

}  // namespace meander::schedule
