// Kutta's classical method of fourth order for dy/dτ = (y − D)/τ. The step to clean stays Euler: there is no slope at τ
// = 0.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        if (to.isClean()) {
            s.advance(co_await s.denoise(s.x, from), to);
            co_return;
        }
        RungeKuttaStep step(kutta4(), s.x, from, to);
        while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau()));
        s.advance(step.result(), to);
    }
}

static int requests(int step, int steps, const Params&) { return step + 1 < steps ? 4 : 1; }

SamplerInfo rk4() {
    return {.id = "rk4",
            .label = "Runge–Kutta 4",
            .summary = "The classical fourth-order step with four evaluations",
            .source = "Kutta 1901",
            .group = "One step",
            .order = 4,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
