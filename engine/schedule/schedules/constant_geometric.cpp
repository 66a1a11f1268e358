// Constant, then geometric steps with an early stop: in the time τ of the Ornstein-Uhlenbeck process (signal e^−τ, so τ
// = ½ log(1 + σ²)) each step is κ·min(1, time left), which ends at δ after finitely many steps and never at 0 (Benton
// et al. 2024; Chen, Lee & Lu 2023). κ is solved for so that N steps land on δ exactly. The bounds are about stochastic
// samplers; with a deterministic one at few steps even times do better.
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

double timeOf(double sigma) { return 0.5 * std::log1p(sigma * sigma); }
double sigmaOf(double time) { return std::sqrt(std::expm1(2 * time)); }

// One step of size κ above τ = 1 and by the ratio 1 + κ below; continuous in κ and in τ.
double step(double time, double kappa) { return time - kappa > 1 ? time - kappa : time / (1 + kappa); }

double after(double time, double kappa, int steps) {
    for (int i = 0; i < steps; ++i) time = step(time, kappa);
    return time;
}

std::vector<double> make(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double sigma = c.process.sigma(top), from = timeOf(std::isinf(sigma) ? 999 : sigma),
                 stop = timeOf(c.process.sigma(bottom));
    double low = 0, high = from / stop;  // one step of ratio 1 + from/stop passes the stop
    for (int i = 0; i < 200; ++i) {
        const double kappa = 0.5 * (low + high);
        (after(from, kappa, c.steps) > stop ? low : high) = kappa;
    }
    std::vector<double> levels{top};
    double time = from;
    for (int i = 1; i <= c.steps; ++i) {
        time = step(time, high);
        levels.push_back(i == c.steps ? bottom : c.process.tauOfSigma(sigmaOf(time)));
    }
    if (toggle(c.params, "to_clean")) levels.push_back(0);
    return levels;
}

}  // namespace

ScheduleInfo constantGeometric() {
    return {.id = "constant_geometric",
            .label = "Constant, then geometric",
            .summary = "Even steps far from the data, shrinking by a ratio near it, with an early stop",
            .source = "Chen, Lee & Lu 2023; Benton et al. 2024",
            .group = "Noise-level rules",
            .params = withRange({toggleParam("to_clean", "To clean", false,
                                             "One more step from the early stop (the lowest level) to 0.")}),
            .make = make};
}

}  // namespace meander::schedule
