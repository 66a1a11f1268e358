// Ancestral sampling with second-order exponential multistep steps (RES: Zhang et al. 2023, "Improved order analysis
// and design of exponential integrators"). In u = −log τ, dy/du = D − y: a step of length h to the level below the
// target, D through its last two values, then fresh noise up to the target. The published node c2 places the previous
// estimate by the level below its target, not by the target; kept, as other programs' images depend on it.
#include "engine/sampling/stochastic_common.h"

namespace meander {

// `guidedOutside` (CFG++): the step follows the unconditional estimate.
SamplerTask runResAncestral(Sampling& s, bool guidedOutside) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    const bool isExact = toggle(s.params, "exact_marginal");
    Tensor previous;
    double previousFrom = 0, previousDown = 0;
    for (auto [from, to] : s.intervals()) {
        const DenoiseResult answer = co_await s.denoise(s.x, from);
        const Tensor d = guidedOutside ? answer.unconditional : answer.denoised;
        const auto [pairDown, pairUp] = ancestralPair(from, to, eta);
        const Sampling::AncestralStep step =
            isExact ? s.ancestral(from, to, eta) : Sampling::AncestralStep{pairDown, 1, pairUp};
        const double down = step.sigmaDown, kept = down / from;
        Tensor next;
        if (down == 0 || !previous) {
            next = guidedOutside ? answer.denoised + kept * (s.x - d) : eulerStep(s.x, d, from, down);
        } else {
            const bool isSame = previousDown == previousFrom;
            const double h = std::log(from / down), c2 = std::log(previousDown / previousFrom) / h,
                         old = isSame ? 0 : phi(2, -h) / c2, fresh = isSame ? 0 : phi(1, -h) - old;
            next = kept * s.x + h * (fresh * d + old * previous);
            if (guidedOutside) next = next + kept * (answer.denoised - d);
        }
        s.advance(s.addNoise(next, step, noiseScale), to);
        previous = d;
        previousFrom = from;
        previousDown = down;
    }
}

namespace sampler {

static SamplerTask run(Sampling& s) { return runResAncestral(s, false); }

SamplerInfo resMultistepAncestral() {
    return {.id = "res_multistep_ancestral",
            .label = "RES multistep ancestral",
            .summary = "Two-step exponential step below the target, then fresh noise",
            .source = "Zhang et al. 2023, RES",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(), exactMarginalParam()},
            .stochastic = true,
            .run = run,
            .advice = exactMarginalAdvice};
}

}  // namespace sampler
}  // namespace meander
