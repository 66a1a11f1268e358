// Euler ancestral with guidance outside the step (CFG++, Chung et al. 2024): the guided estimate is the signal, the
// noise is that of the unconditional one. y' = a' D + a' σ_down ε̂ + a' σ_up z with ε̂ = (y − a U)/τ and the ancestral
// pair on the clock σ = n/s, which is stochastic DDIM.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const auto [d, conditional, u] = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const auto [sigmaDown, sigmaUp] = ancestralPair(s.process.sigma(from), s.process.sigma(to), eta);
        const double a = s.signal(to);
        const Tensor mean = a * (d + sigmaDown * s.noiseEstimate(s.x, u, from));
        s.advance(mean + s.freshNoise(a * sigmaUp * noiseScale), to);
    }
}

SamplerInfo eulerAncestralCfgPp() {
    return {.id = "euler_ancestral_cfg_pp",
            .label = "Euler ancestral CFG++",
            .summary = "Euler ancestral with guidance outside the step; use low scales",
            .source = "Chung et al. 2024, CFG++",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam()},
            .stochastic = true,
            .unconditional = true,
            .run = run};
}

}  // namespace meander::sampler
