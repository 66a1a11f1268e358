// Gradient estimation (Permenter & Yuan 2024, algorithm 2): Euler along γ ε_t + (1 − γ) ε_{t+1}, which averages out the
// error of the estimate. First order, as every γ ≠ 3/2 is. The first step and the one to clean are Euler.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double gamma = real(s.params, "gamma");
    Tensor previous;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from), slope = Sampling::slope(s.x, d, from);
        if (to.isClean() || !previous) s.advance(eulerStep(s.x, d, from, to), to);
        else s.advance(s.x + (to - from) * (gamma * slope + (1 - gamma) * previous), to);
        previous = slope;
    }
}

SamplerInfo gradientEstimation() {
    return {.id = "gradient_estimation",
            .label = "Gradient estimation",
            .summary = "Euler along a combination of the last two slopes",
            .source = "Permenter & Yuan 2024, algorithm 2",
            .group = "Multistep",
            .params = {realParam("gamma", "γ", 2, 1, 5,
                                 "Weight of the new slope; 1 is Euler, 1.5 Adams–Bashforth 2, 2 the paper's choice.")},
            .run = run};
}

}  // namespace meander::sampler
