// SDE-DPM-Solver++(2M) (Lu et al. 2022b, algorithm 3 with η; k-diffusion): second-order multistep for the reverse SDE
// in λ = log(a/τ).
#include "engine/sampling/stochastic_common.h"

namespace meander {

// The slope of D enters with half the weight of D (midpoint) or with its exact integral (Heun): D = D0 + (λ − λ0) (D0 −
// D−)/h−.
SamplerTask runTwoStepSde(Sampling& s, bool heun) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    TwoStepHistory history;
    for (auto [from, to] : finiteIntervals(s)) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const ExponentialStep step = exponentialStep(s, from, to, eta);
        Sum mean = step.mean(s.x, d);
        if (history.denoised) {
            const double slopeCoeff =
                heun ? s.signal(to) - step.denoisedCoeff / ((1 + eta) * step.h) : 0.5 * step.denoisedCoeff;
            mean += slopeCoeff * step.h / history.h * (d - history.denoised);
        }
        const Tensor next = mean;
        s.advance(next + s.freshNoise(step.noiseStd * noiseScale, from, to), to);
        history = {d, step.h};
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
