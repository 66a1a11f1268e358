// DPM++ 3M SDE (k-diffusion): third-order multistep for the reverse SDE in λ. With H = (1 + η) h and D(λ0 + θh) ≈ D0 +
// θ d1 + θ² d2 (divided differences of the last three estimates) the integrals are a' φ_2 d1 and a' φ_3 d2 of −H, up to
// sign.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    Tensor d1, d2;  // the last estimate and the one before
    double h1 = 0, h2 = 0;
    for (auto [from, to] : finiteIntervals(s)) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        if (to.isClean()) {
            s.advance(combine({{s.signal(0), d}}), to);
            co_return;
        }
        const auto [h, stateCoeff, onDenoised, spread] = exponentialStep(s, from, to, eta);
        const double total = (1 + eta) * h, a = s.signal(to), phi2 = std::expm1(-total) / total + 1,
                     phi3 = phi2 / total - 0.5;
        Tensor next = combine({{stateCoeff, s.x}, {onDenoised, d}});
        if (d2) {
            // slope = g0 + (g0 − g1) r0/(r0 + r1), curvature = (g0 − g1)/(r0 + r1) with g0 = (D − D1)/r0, g1 = (D1 −
            // D2)/r1
            const double r0 = h1 / h, r1 = h2 / h, onFirst = a * (phi2 * (1 + r0 / (r0 + r1)) - phi3 / (r0 + r1)),
                         onSecond = a * (phi3 - phi2 * r0) / (r0 + r1);
            next = combine({{1, next}, {onFirst / r0, d}, {onSecond / r1 - onFirst / r0, d1}, {-onSecond / r1, d2}});
        } else if (d1) {
            const double onSlope = a * phi2 * h / h1;
            next = combine({{1, next}, {onSlope, d}, {-onSlope, d1}});
        }
        if (spread * noiseScale > 0) next = combine({{1, next}, {spread * noiseScale, s.noise(from, to, 0)}});
        s.advance(next, to);
        d2 = std::exchange(d1, d);
        h2 = std::exchange(h1, h);
    }
}

SamplerInfo dpmpp3mSde() {
    return {.id = "dpmpp_3m_sde",
            .label = "DPM++ 3M SDE",
            .summary = "Third-order multistep for the reverse SDE",
            .source = "k-diffusion; Lu et al. 2022, DPM-Solver++",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(), timeShiftParam()},
            .stochastic = true,
            .run = run};
}

}  // namespace meander::sampler
