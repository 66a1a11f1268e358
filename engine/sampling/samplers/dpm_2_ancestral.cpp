// Ancestral sampling with DPM-Solver-2 steps (k-diffusion): a midpoint step in log τ to the level below the target,
// then fresh noise up to it.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        const auto [down, scale, noiseStd] = s.ancestral(from, to, eta);
        Tensor next;
        if (down == 0) {
            next = combine({{s.signal(0), d}});
        } else {
            const double middle = std::sqrt(from * down), part = middle / from;
            const Tensor half = combine({{part, s.x}, {1 - part, d}});
            const Tensor d2 = (co_await s.denoise(half, middle)).denoised;
            const double slope = (down - from) / middle;  // y + (down − from) (y½ − D½)/τ½
            next = combine({{1, s.x}, {slope, half}, {-slope, d2}});
        }
        if (noiseStd > 0) next = combine({{scale, next}, {noiseScale * noiseStd, s.noise()}});
        s.advance(next, to);
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
