// SDE-DPM-Solver++(2M), midpoint form (Lu et al. 2022b, algorithm 3 with η; k-diffusion): second-order multistep for the reverse SDE in
// λ = log(a/τ); the extrapolation of D uses log τ, as in DPM++ 2M, which is the same for a = 1.
#include <cmath>

#include "engine/sampling/sampler_kit.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    Tensor previous;
    double previousH = 0;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        if (to.isClean()) {
            s.advance(combine({{s.signal(0), d}}), to);
            co_return;
        }
        const double h = s.halfLogSnr(to) - s.halfLogSnr(from), extra = eta == 0 ? 0 : eta * h;
        const double onState = to / from * std::exp(-extra), onDenoised = -s.signal(to) * std::expm1(-h - extra);
        const double logStep = std::log(from / to), extrapolate = previous ? logStep / (2 * previousH) : 0;
        Tensor next = extrapolate == 0 ? combine({{onState, s.x}, {onDenoised, d}})
                                       : combine({{onState, s.x}, {onDenoised * (1 + extrapolate), d}, {-onDenoised * extrapolate, previous}});
        const double spread = to * std::sqrt(-std::expm1(-2 * extra)) * noiseScale;
        if (spread > 0) next = combine({{1, next}, {spread, s.noise()}});
        s.advance(next, to);
        previous = d;
        previousH = logStep;
    }
}

SamplerInfo dpmpp2mSde() {
    return {.id = "dpmpp_2m_sde", .label = "DPM++ 2M SDE", .summary = "Second-order multistep for the reverse SDE", .source = "Lu et al. 2022, DPM-Solver++ algorithm 3",
            .group = "Stochastic", .params = {etaParam(1), noiseScaleParam()}, .stochastic = true, .run = run};
}

}  // namespace meander::sampler
