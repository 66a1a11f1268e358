// γ-sampling of consistency trajectory models (Kim et al. 2024, algorithm 3): jump along the trajectory to √(1 − γ²)
// τ', then add γ τ' of fresh noise. γ = 0 follows the trajectory, γ = 1 is multistep consistency. The jump G(y, τ, τs)
// = (τs/τ) y + (1 − τs/τ) D takes the D of that target.
#include <cmath>

#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double gamma = real(s.params, "gamma");
    for (auto [from, to] : s.intervals()) {
        const Sampling::AncestralStep step = s.ancestralVia(std::sqrt(1 - gamma * gamma) * to, to);
        const Tensor d = co_await s.denoise(s.x, from, step.sigmaDown);
        s.advance(s.addNoise(eulerStep(s.x, d, from, step.sigmaDown), step), to);
    }
}

SamplerInfo ctm() {
    return {.id = "ctm",
            .label = "CTM",
            .summary = "Jumps along the trajectory with a share γ of fresh noise",
            .source = "Kim et al. 2024, algorithm 3",
            .group = "Few-step",
            .params = {gammaParam("Share of each level's noise that is fresh: 0 follows the path, 1 is consistency "
                                  "sampling, which gets worse with many steps.")},
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::Trajectory},
            .run = run};
}

}  // namespace meander::sampler
