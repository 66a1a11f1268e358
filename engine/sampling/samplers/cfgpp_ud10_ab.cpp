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
        const auto [d, conditional, u] = co_await s.denoise(s.x, from);
        const Tensor noise = s.noiseEstimate(s.x, u, from);
        Tensor next;
        if (to.isClean() && extrapolatesEnd && lastEstimate) {
            next = d + from / (before - from) * (d - lastEstimate);
        } else {
            const double w = lastNoise ? ahead * (to - from) / (from - before) : 0;
            const Tensor direction = w != 0 ? noise + w * (noise - lastNoise) : Sum(noise),
                         euler = s.signal(to) * d + to * direction;
            slopes.add(from, (euler - s.x) / (to - from));
            next = euler;
            if (slopes.size() == 2) {
                const Tensor multistep = s.x + slopes.combined(adamsWeights(slopes.at(2), from, to));
                next = euler + adams * (multistep - euler);
            }
        }
        lastNoise = noise;
        lastEstimate = d;
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
