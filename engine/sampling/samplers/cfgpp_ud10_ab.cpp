// ComfyUI's CFG++ UD10 AB: the CFG++ step (Chung et al. 2024) with three linear extrapolations. Its unconditional noise
// ε̂ is carried a tenth of the way along its last change
// ("UD10"); a quarter of the step is taken by the variable-step Adams–Bashforth rule of order 2 on the steps' own
// slopes ("AB"); and the end is the line through the last two guided estimates, at level 0. With guidance off this does
// not tend to the probability flow but, for noise history w, to dy/dτ = ε̂ + w τ dε̂/dτ, because what is carried ahead
// over one step is multiplied by the whole level and not by the step.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double ahead = real(s.params, "noise_history"), adams = real(s.params, "step_history");
    const bool extrapolatesEnd = toggle(s.params, "extrapolate_end");
    EvaluationHistory slopes(2);
    Tensor lastNoise, lastEstimate;
    double before = 0;
    for (auto [from, to] : s.intervals()) {
        const DenoiseResult d = co_await s.denoise(s.x, from);
        const Tensor noise = combine({{1 / from, s.x}, {-s.signal(from) / from, d.unconditional}});
        Tensor next;
        if (to.isClean() && extrapolatesEnd && lastEstimate) {
            const double w = from / (before - from);
            next = combine({{1 + w, d.denoised}, {-w, lastEstimate}});
        } else {
            const double w = lastNoise ? ahead * (to - from) / (from - before) : 0;
            const Tensor direction = w != 0 ? combine({{1 + w, noise}, {-w, lastNoise}}) : noise;
            const Tensor euler = combine({{s.signal(to), d.denoised}, {to, direction}});
            slopes.add(from, combine({{1 / (to - from), euler}, {-1 / (to - from), s.x}}));
            next = slopes.size() < 2
                       ? euler
                       : combine({{1 - adams, euler},
                                  {adams, slopes.combined(1, s.x, 1, adamsWeights(slopes.at(2), from, to))}});
        }
        lastNoise = noise;
        lastEstimate = d.denoised;
        before = from;
        s.advance(next, to);
    }
}

SamplerInfo cfgppUd10Ab() {
    return {.id = "cfgpp_ud10_ab",
            .label = "CFG++ UD10 AB",
            .summary = "Euler CFG++ with a share of multistep extrapolation; use low scales",
            .source = "ComfyUI; Chung et al. 2024, CFG++",
            .group = "CFG++",
            .params = {realParam("noise_history", "Noise ahead", 0.1, 0, 1,
                                 "Share of the last change of the unconditional noise that is added to it.", 0.05),
                       realParam("step_history", "Multistep share", 0.25, 0, 1,
                                 "Share of the step taken by the second-order multistep rule; 0 is Euler CFG++.", 0.05),
                       toggleParam("extrapolate_end", "Extrapolate the end", true,
                                   "Ends on the line through the last two estimates instead of the last one.")},
            .order = 0,
            .unconditional = true,
            .run = run};
}

}  // namespace meander::sampler
