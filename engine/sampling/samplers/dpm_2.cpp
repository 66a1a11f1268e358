// The midpoint rule: an Euler step to the middle of the interval, then the whole step with the slope found there. With
// the middle in log τ it is DPM2 of k-diffusion (DPM-Solver-2 in the coordinates of Karras et al. 2022), with the
// middle in τ the classical rule. The step to clean stays Euler.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isGeometric = text(s.params, "middle") == "geometric";
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double middle = isGeometric ? std::sqrt(from * to) : 0.5 * (from + to);
        const Tensor half = eulerStep(s.x, d, from, middle), d2 = co_await s.denoise(half, middle, middle);
        s.advance(s.x + (to - from) * Sampling::slope(half, d2, middle), to);
    }
}

SamplerInfo dpm2() {
    return {.id = "dpm_2",
            .label = "DPM2 (midpoint)",
            .summary = "Second-order step with the slope at its middle",
            .source = "Lu et al. 2022, DPM-Solver-2; k-diffusion",
            .group = "One step",
            .params = {choiceParam("middle", "Middle", "geometric",
                                   {{"geometric", "In log τ (DPM2)"}, {"arithmetic", "In τ (classical)"}},
                                   "Where the second evaluation of a step is taken.")},
            .order = 2,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
