// Euler ancestral with guidance outside the step (CFG++, Chung et al. 2024): the guided estimate is the signal, the
// noise is that of the unconditional one. y' = a' D + a' σ_down ε̂ + a' σ_up z with ε̂ = (y − a U)/τ and the ancestral
// pair on the clock σ = n/s, which is stochastic DDIM.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const DenoiseResult answer = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(combine({{s.signal(0), answer.denoised}}), to);
            co_return;
        }
        const auto [down, up] = ancestralPair(s.process.sigma(from), s.process.sigma(to), eta);
        const double a = s.signal(to), noiseCoeff = a * down / from;
        Tensor next =
            combine({{a, answer.denoised}, {noiseCoeff, s.x}, {-noiseCoeff * s.signal(from), answer.unconditional}});
        if (up > 0) next = combine({{1, next}, {a * up * noiseScale, s.noise()}});
        s.advance(next, to);
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
