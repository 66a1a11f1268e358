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
        const auto [down, scale, noiseStd] = s.ancestral(from, to, eta);
        Tensor next;
        if (down == 0) {
            next = combine({{s.signal(0), d}});
        } else {
            // Halfway from λ = −∞ is nowhere; 0.9999 is the published choice for a flow that starts at pure noise.
            const double start = s.halfLogSnr(from),
                         middle = std::isinf(start) ? 0.9999 : s.tauOfHalfLogSnr((start + s.halfLogSnr(down)) / 2);
            const Tensor half = combine({{middle / from, s.x}, {1 - middle / from, d}});
            const Tensor d2 = estimate(co_await s.denoise(half, middle));
            next = combine({{down / from, s.x}, {1 - down / from, d2}});
        }
        if (noiseStd > 0) next = combine({{scale, next}, {noiseScale * noiseStd, s.noise()}});
        if (guidedOutside)
            next = combine({{1, next}, {s.signal(to), answer.denoised}, {-s.signal(to), answer.unconditional}});
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
