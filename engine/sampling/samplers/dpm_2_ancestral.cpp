// Ancestral sampling with DPM-Solver-2 steps (k-diffusion): a midpoint step in log τ to the level below the target,
// then fresh noise up to it.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const Sampling::AncestralStep step = s.ancestral(from, to, eta);
        Tensor next = d;
        if (step.sigmaDown > 0) {
            const double middle = std::sqrt(from * step.sigmaDown);
            const Tensor half = eulerStep(s.x, d, from, middle), d2 = co_await s.denoise(half, middle);
            next = s.x + (step.sigmaDown - from) * Sampling::slope(half, d2, middle);
        }
        s.advance(s.addNoise(next, step, noiseScale), to);
    }
}

SamplerInfo dpm2Ancestral() {
    return {.id = "dpm_2_ancestral",
            .label = "DPM2 ancestral",
            .summary = "Midpoint step below the target, then fresh noise",
            .source = "k-diffusion; Lu et al. 2022, DPM-Solver-2",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam()},
            .stochastic = true,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
