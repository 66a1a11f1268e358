// Exponential Heun on x̂0 (SEEDS-2 with c2 = 1 and no noise, Gonzalez et al. 2023; Hochbruck & Ostermann 2005,
// eq. 2.39/2.40; ComfyUI's exp_heun_2_x0): an Euler step to the end, then the mean (φ_1) or the exactly integrated line
// (φ_2) of both estimates. In log τ, which is finite at pure noise of a flow.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isLine = text(s.params, "solver_type") == "phi_2";
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const Tensor y2 = eulerStep(s.x, d, from, to), d2 = co_await s.denoise(y2, to, to);
        const ExponentialForm e(false, from, to);
        const double b2 = isLine ? e.hPhi(2) : e.hPhi(1) / 2;
        s.advance(e.stateCoeff * s.x + (e.hPhi(1) - b2) * d + b2 * d2, to);
    }
}

SamplerInfo expHeun() {
    return {.id = "exp_heun_2_x0",
            .label = "Exponential Heun",
            .summary = "Heun's method with the exponential integrated exactly",
            .source = "Gonzalez et al. 2023, SEEDS-2; Hochbruck & Ostermann 2005",
            .group = "One step",
            .params = {choiceParam("solver_type", "Weights", "phi_2", {{"phi_1", "Mean (φ₁)"}, {"phi_2", "Line (φ₂)"}},
                                   "How the estimates at both ends of a step are joined.")},
            .order = 2,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
