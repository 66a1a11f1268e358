// SDE-DPM-Solver++(2M) (Lu et al. 2022b, algorithm 3 with η; k-diffusion): second-order multistep for the reverse SDE
// in λ = log(a/τ).
#include "engine/sampling/stochastic_common.h"

namespace meander {

// The slope of D enters with half the weight of D (midpoint) or with its exact integral (Heun): D = D0 + (λ − λ0) (D0 −
// D−)/h−.
SamplerTask runTwoStepSde(Sampling& s, bool heun) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    Tensor previous;
    double previousH = 0;
    for (auto [from, to] : finiteIntervals(s)) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        if (to.isClean()) {
            s.advance(combine({{s.signal(0), d}}), to);
            co_return;
        }
        const auto [h, stateCoeff, onDenoised, spread] = exponentialStep(s, from, to, eta);
        const double onSlope =
            !previous ? 0 : (heun ? s.signal(to) - onDenoised / ((1 + eta) * h) : 0.5 * onDenoised) * h / previousH;
        Tensor next = !previous ? combine({{stateCoeff, s.x}, {onDenoised, d}})
                                : combine({{stateCoeff, s.x}, {onDenoised + onSlope, d}, {-onSlope, previous}});
        if (spread * noiseScale > 0) next = combine({{1, next}, {spread * noiseScale, s.noise(from, to, 0)}});
        s.advance(next, to);
        previous = d;
        previousH = h;
    }
}

namespace sampler {

static SamplerTask run(Sampling& s) { return runTwoStepSde(s, false); }

SamplerInfo dpmpp2mSde() {
    return {.id = "dpmpp_2m_sde",
            .label = "DPM++ 2M SDE",
            .summary = "Second-order multistep for the reverse SDE",
            .source = "Lu et al. 2022, DPM-Solver++ algorithm 3",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(), timeShiftParam()},
            .stochastic = true,
            .run = run};
}

}  // namespace sampler
}  // namespace meander
