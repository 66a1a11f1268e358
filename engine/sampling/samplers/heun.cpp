// Heun's second-order method (Karras et al. 2022, algorithm 1): an Euler step, then the mean of the slopes at both
// ends. The last step, to clean, stays Euler.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from), euler = eulerStep(s.x, d, from, to);
        if (to.isClean()) {
            s.advance(euler, to);
            co_return;
        }
        const Tensor d2 = co_await s.denoise(euler, to, to);
        s.advance(heunStep(s.x, d, euler, d2, from, to), to);
    }
}

SamplerInfo heun() {
    return {.id = "heun",
            .label = "Heun",
            .summary = "Second-order ODE step with two evaluations",
            .source = "Karras et al. 2022, algorithm 1",
            .group = "One step",
            .order = 2,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
