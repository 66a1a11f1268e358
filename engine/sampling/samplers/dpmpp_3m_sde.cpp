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
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const ExponentialStep step = exponentialStep(s, from, to, eta);
        const double h = step.h, total = (1 + eta) * h, a = s.signal(to), phi2 = std::expm1(-total) / total + 1,
                     phi3 = phi2 / total - 0.5;
        Tensor next = step.mean(s.x, d);
        if (d2) {
            const double r0 = h1 / h, r1 = h2 / h;
            const Sum g0 = (d - d1) / r0, g1 = (d1 - d2) / r1, curvature = (g0 - g1) / (r0 + r1),
                      slope = g0 + r0 * curvature;
            next = next + a * (phi2 * slope - phi3 * curvature);
        } else if (d1) {
            next = next + a * phi2 * h / h1 * (d - d1);
        }
        s.advance(next + s.freshNoise(step.noiseStd * noiseScale, from, to), to);
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
