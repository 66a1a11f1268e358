// Ancestral sampling with second-order exponential multistep steps (RES: Zhang et al. 2023, "Improved order analysis
// and design of exponential integrators"). In u = −log τ, dy/du = D − y: a step of length h to the level below the
// target, D through its last two values, then fresh noise up to the target. The published node c2 places the previous
// estimate by the level below its target, not by the target; kept, as other programs' images depend on it.
#include "engine/sampling/stochastic_common.h"

namespace meander {

// `guidedOutside` (CFG++): the step follows the unconditional estimate.
SamplerTask runResAncestral(Sampling& s, bool guidedOutside) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    const bool exact = toggle(s.params, "exact_marginal");
    Tensor previous;
    double previousFrom = 0, previousDown = 0;
    for (auto [from, to] : s.intervals()) {
        const DenoiseResult answer = co_await s.denoise(s.x, from);
        const Tensor d = guidedOutside ? answer.unconditional : answer.denoised;
        const auto pair = ancestralPair(from, to, eta);
        const Sampling::AncestralStep split =
            exact ? s.ancestral(from, to, eta) : Sampling::AncestralStep{pair.sigmaDown, 1, pair.sigmaUp};
        const double down = split.sigmaDown;
        Tensor next;
        if (down == 0 || !previous) {
            const double kept = down / from;
            next = guidedOutside ? combine({{1, answer.denoised}, {kept, s.x}, {-kept, d}})
                                 : combine({{kept, s.x}, {1 - kept, d}});
        } else {
            const double h = std::log(from / down), c2 = std::log(previousDown / previousFrom) / h;
            const double old = previousDown == previousFrom ? 0 : phi(2, -h) / c2,
                         fresh = previousDown == previousFrom ? 0 : phi(1, -h) - old, kept = down / from;
            next = combine({{kept, s.x}, {h * fresh, d}, {h * old, previous}});
            if (guidedOutside) next = combine({{1, next}, {kept, answer.denoised}, {-kept, d}});
        }
        if (split.noiseStd > 0) next = combine({{split.scale, next}, {noiseScale * split.noiseStd, s.noise()}});
        s.advance(next, to);
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
            .run = run};
}

}  // namespace sampler
}  // namespace meander
