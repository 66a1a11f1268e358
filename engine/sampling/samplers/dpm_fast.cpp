// DPM-Solver-fast (Lu et al. 2022a, section 3.4; k-diffusion): as many evaluations as the schedule has steps, spent on
// singlestep DPM-Solver-3 steps of equal length in log τ and one or two of lower order at the end. Of the schedule it
// takes the first level, the last above 0 and the number of steps.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const auto intervals = s.intervals();
    const bool endsClean = intervals.back().to.isClean();
    const double first = intervals.front().from,
                 end = endsClean ? double(intervals.back().from) : double(intervals.back().to);
    const int budget = int(intervals.size()), steps = budget / 3 + 1;
    Tensor d;
    for (int i = 0; i < steps && end < first; ++i) {
        const int order = budget % 3 == 0 ? (i < steps - 2 ? 3 : steps - i) : (i < steps - 1 ? 3 : budget % 3);
        const double from = first * std::pow(end / first, double(i) / steps),
                     to = i + 1 == steps ? end : first * std::pow(end / first, double(i + 1) / steps);
        DpmSolverStep step(order, true, s.x, from, to, order == 2 ? 0.5 : 1.0 / 3);
        while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau(), to));
        if (i + 1 == steps && !endsClean) s.finish(step.result());
        else s.advanceFreely(step.result(), to);
    }
    if (!endsClean) co_return;
    if (toggle(s.params, "denoise_last") || first == end) s.finish(co_await s.denoise(s.x, end, 0.0));
    else s.finish(s.x);
}

SamplerInfo dpmFast() {
    return {
        .id = "dpm_fast",
        .label = "DPM fast",
        .summary = "Third-order singlestep within a budget of evaluations, on levels of its own",
        .source = "Lu et al. 2022, DPM-Solver-fast; k-diffusion",
        .group = "Adaptive",
        .params = {toggleParam(
            "denoise_last", "Denoise at the end", false,
            "One more evaluation takes away the noise of the lowest level, which k-diffusion leaves in the result.")},
        .order = 3,
        .freeSteps = true,
        .run = run,
        .advice = keptNoiseAdvice};
}

}  // namespace meander::sampler
