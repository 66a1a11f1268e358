// Ancestral sampling (Ho et al. 2020; k-diffusion): an Euler step below the target level, then fresh noise up to it. η
// = 1 takes the variance of the exact posterior of a single data point, η = 0 is Euler.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const Sampling::AncestralStep step = s.ancestral(from, to, eta);
        s.advance(s.addNoise(eulerStep(s.x, d, from, step.sigmaDown), step, noiseScale), to);
    }
}

SamplerInfo eulerAncestral() {
    return {.id = "euler_ancestral",
            .label = "Euler ancestral",
            .summary = "Euler below the target, then fresh noise up to it",
            .source = "Ho et al. 2020; k-diffusion",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam()},
            .stochastic = true,
            .run = run};
}

}  // namespace meander::sampler
