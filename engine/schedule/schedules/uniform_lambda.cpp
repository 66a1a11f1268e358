// Even in λ = log-SNR (Lu et al. 2022). The same as Exponential where σ = n/s is the clock; for a flow, whose pure
// noise has λ = −∞, the levels after the first start from t = `clip`.
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

static std::vector<double> make(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const Process& p = c.process;
    const bool isPure = std::isinf(p.logSnr(top));
    const double from = p.logSnr(isPure ? real(c.params, "clip") : top), to = p.logSnr(bottom);
    if (!(from < to)) throw Failure("Uniform λ: \"clip\" must lie above the lowest level.");
    return ramp(c.steps, [&](double u) {
        return u == 0 ? top : u == 1 ? bottom : p.tauOfLogSnr(from + u * (to - from));
    });
}

ScheduleInfo uniformLambda() {
    return {.id = "uniform_lambda",
            .label = "Uniform λ",
            .summary = "Even in log-SNR",
            .source = "Lu et al. 2022, DPM-Solver section 3.4",
            .group = "Noise-level rules",
            .params = withRange(
                {advanced(realParam("clip", "Clip", 0.999, 0.5, 0.999999,
                                    "Flow models: the t whose λ stands for pure noise, where λ is −∞.", 0.001))}),
            .make = make};
}

}  // namespace meander::schedule
