// Rectified flow with the noise-anchored step (Lee et al. 2024, improved training of rectified flows, the "new"
// sampler): x̂0 = x − t v; x' = (1 − t') x̂0 + t' z1 with the run's first noise z1 kept, so errors do not pile up in the
// noise. Heun averages the velocities at both ends of the step. On exactly straight paths it is exact.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isHeun = text(s.params, "solver") == "heun";
    Tensor anchor;  // z1, the noise at the first level: the state itself where nothing of the signal is left
    for (auto [from, to] : s.intervals()) {
        Tensor d = co_await s.denoise(s.x, from);
        if (!anchor) anchor = s.noiseEstimate(s.x, d, from);
        if (isHeun && !to.isClean()) {
            const Tensor predicted = s.signal(to) * d + to * anchor, d2 = co_await s.denoise(predicted, to, to);
            // x̂0 = x − t (v + v')/2 with v = (x − D)/t
            d = s.x - from / 2 * (Sampling::slope(s.x, d, from) + Sampling::slope(predicted, d2, to));
        }
        s.advance(s.signal(to) * d + to * anchor, to);
    }
}

static int requests(int step, int steps, const Params& p) {
    return text(p, "solver") == "heun" ? twiceButLast(step, steps, p) : 1;
}

SamplerInfo anchoredFlow() {
    return {.id = "anchored_flow",
            .label = "Noise-anchored flow",
            .summary = "Straight flows, each state rebuilt from the estimate and the first noise",
            .source = "Lee et al. 2024, 2-rectified flow++",
            .group = "Few-step",
            .params = {choiceParam("solver", "Solver", "euler", {{"euler", "Euler"}, {"heun", "Heun"}},
                                   "One evaluation a step, or the mean velocity of both ends.")},
            .order = 0,
            .madeFor = {Distillation::Reflow},
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
