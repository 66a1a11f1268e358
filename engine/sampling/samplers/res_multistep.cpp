// RES multistep (Zhang, Q. et al. 2023, refined exponential solver, eq. 16): x̂0 extrapolated in log τ and integrated
// exactly against the exponential; two estimates as published and in ComfyUI, more on request (three: DPM-Solver++(3M)
// with an exact third-order term). The first step and the one to clean are Euler.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const auto order = std::size_t(integer(s.params, "order"));
    const bool rungeKutta = text(s.params, "start") == "runge_kutta";
    EvaluationHistory estimates(order);
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        estimates.add(-std::log(from), d);
        const std::size_t k = estimates.size();
        if (to.isClean()) {
            s.advance(d, to);
        } else if (rungeKutta && k < order) {
            RungeKuttaStep step(kutta4(), s.x, from, to);
            step.add(d);
            while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau()));
            s.advance(step.result(), to);
        } else {
            const auto weights = exponentialWeights(estimates.at(k), -std::log(from), -std::log(to), 1);
            s.advance(to / from * s.x + estimates.combined(weights), to);
        }
    }
}

static int requests(int step, int steps, const Params& p) {
    return text(p, "start") == "runge_kutta" && step + 1 < steps && step + 1 < int(integer(p, "order")) ? 4 : 1;
}

SamplerInfo resMultistep() {
    return {.id = "res_multistep",
            .label = "RES multistep",
            .summary = "Exponential Adams–Bashforth on x̂0, one evaluation a step",
            .source = "Zhang, Q. et al. 2023, eq. 16",
            .group = "Multistep",
            .params = {integerParam("order", "Order", 2, 1, 4, "Estimates that are remembered, the new one included."),
                       choiceParam("start", "Start", "lower_order",
                                   {{"lower_order", "Lower orders"}, {"runge_kutta", "Runge–Kutta"}},
                                   "How the first steps are done, while there is no history. Runge–Kutta costs three "
                                   "more evaluations in each of them and keeps the order.")},
            .order = 2,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
