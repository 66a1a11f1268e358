// RES 2S (Zhang, Q. et al. 2023, algorithm 1; Hochbruck & Ostermann 2005, eq. 2.40): singlestep second-order
// exponential Runge–Kutta on x̂0 that satisfies the stiff order conditions: b2 = φ_2/c2, b1 = φ_1 − b2. The step to
// clean takes the estimate.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double c2 = real(s.params, "c2");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double middle = from * std::pow(to / from, c2);
        const Tensor y2 = eulerStep(s.x, d, from, middle), d2 = co_await s.denoise(y2, middle, middle);
        const ExponentialForm e(false, from, to);
        const double b2 = e.hPhi(2) / c2;
        s.advance(e.stateCoeff * s.x + (e.hPhi(1) - b2) * d + b2 * d2, to);
    }
}

SamplerInfo res2s() {
    return {.id = "res_2s",
            .label = "RES 2S",
            .summary = "Second-order exponential Runge–Kutta on x̂0, two evaluations",
            .source = "Zhang, Q. et al. 2023, algorithm 1",
            .group = "One step",
            .params = {realParam("c2", "Second stage at", 0.5, 0.05, 1,
                                 "Place of the second evaluation in the step, in log τ.")},
            .order = 2,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
