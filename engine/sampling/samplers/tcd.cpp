// Strategic stochastic sampling of trajectory consistency distillation (Zheng et al. 2024, algorithm 4): along the
// trajectory to the time s = ⌊(1 − γ) t'⌋ below the next one, then fresh noise up to t'. The fraction is of the model's
// time; γ = 0 is DDIM.
#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double gamma = real(s.params, "gamma");
    const Process& p = s.process;
    for (auto [from, to] : s.intervals()) {
        const bool isLast = to.index == s.steps();
        const double time = to.isClean() ? 0 : p.networkTime(to), below = trainedTime(p, (1 - gamma) * time);
        const Sampling::AncestralStep step = s.ancestralVia(isLast || gamma == 0 ? to : p.tauOfTime(below), to);
        const Tensor d = co_await s.denoise(s.x, from, step.sigmaDown);
        s.advance(s.addNoise(eulerStep(s.x, d, from, step.sigmaDown), step), to);
    }
}

SamplerInfo tcd() {
    return {.id = "tcd",
            .label = "TCD",
            .summary = "Along the trajectory below the next time, then fresh noise up to it",
            .source = "Zheng et al. 2024, algorithm 4",
            .group = "Few-step",
            .params = {gammaParam("How far below the next time the jump goes, as a fraction: 0 is DDIM, 1 goes to the "
                                  "data. More brings more fresh detail.")},
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::Trajectory},
            .run = run};
}

}  // namespace meander::sampler
