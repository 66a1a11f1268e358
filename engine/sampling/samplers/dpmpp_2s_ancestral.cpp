// Ancestral sampling with DPM-Solver++(2S) steps (Lu et al. 2022b, algorithm 1, r = 1/2; k-diffusion): an estimate
// halfway in λ = log(a/τ) to the level below the target carries the whole step, then fresh noise up to the target.
#include "engine/sampling/stochastic_common.h"

namespace meander {

// `guidedOutside` (CFG++): steps with the unconditional estimate and adds the guidance a' (D − U) outside the step.
SamplerTask runTwoStageAncestral(Sampling& s, bool guidedOutside) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    const auto estimate = [guidedOutside](const DenoiseResult& a) {
        return guidedOutside ? a.unconditional : a.denoised;
    };
    for (auto [from, to] : s.intervals()) {
        const DenoiseResult answer = co_await s.denoise(s.x, from);
        const Tensor d = estimate(answer);
        const Sampling::AncestralStep step = s.ancestral(from, to, eta);
        Tensor next = d;
        if (step.sigmaDown > 0) {
            // Halfway from λ = −∞ is nowhere; 0.9999 is the published choice for a flow that starts at pure noise.
            const double start = s.halfLogSnr(from),
                         middle =
                             std::isinf(start) ? 0.9999 : s.tauOfHalfLogSnr((start + s.halfLogSnr(step.sigmaDown)) / 2);
            const Tensor half = eulerStep(s.x, d, from, middle);
            const Tensor d2 = estimate(co_await s.denoise(half, middle));
            next = eulerStep(s.x, d2, from, step.sigmaDown);
        }
        next = s.addNoise(next, step, noiseScale);
        if (guidedOutside) next = next + s.signal(to) * (answer.denoised - answer.unconditional);
        s.advance(next, to);
    }
}

namespace sampler {

static SamplerTask run(Sampling& s) { return runTwoStageAncestral(s, false); }

SamplerInfo dpmpp2sAncestral() {
    return {.id = "dpmpp_2s_ancestral",
            .label = "DPM++ 2S ancestral",
            .summary = "Two-stage exponential step below the target, then fresh noise",
            .source = "Lu et al. 2022, DPM-Solver++ algorithm 1; k-diffusion",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam()},
            .stochastic = true,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace sampler
}  // namespace meander
