// Dormand & Prince's pair of orders 5 and 4 with steps of its own choice (Dormand & Prince 1980), as Song et al. 2021
// solve the probability flow with SciPy's RK45. From the first level to the last one above 0; the jump to clean needs
// no evaluation, because the last stage of a step is taken at its end.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double rtol = real(s.params, "rtol"), atol = real(s.params, "atol"), longest = std::log(1.0 / 0.3);
    const auto intervals = s.intervals();
    const bool endsClean = intervals.back().to.isClean();
    const double end = endsClean ? double(intervals.back().from) : double(intervals.back().to);
    double tau = intervals.front().from;
    // In h = log(τ/τ'): the factor by which τ falls, 1/0.3 at most, so that no step jumps over all noise levels at
    // once.
    PidController step(std::min(real(s.params, "h_init"), longest), std::log(tau / end), 0.0, 1.0, 0.0, 5, 0.81);
    Tensor d = co_await s.denoise(s.x, tau), slope = Sampling::slope(s.x, d, tau);
    while (tau > end * (1 + 1e-12)) {
        const double wanted = tau * std::exp(-step.h), to = wanted < end * (1 + 1e-9) ? end : wanted;
        RungeKuttaStep stages(dormandPrince5(), s.x, tau, to);
        stages.addSlope(slope);
        Tensor last;
        while (!stages.done()) {
            last = co_await s.denoise(stages.state(), stages.tau(), to);
            stages.add(last);
        }
        const Tensor next = stages.result();
        const bool isGood = step.propose(scaledError(next, stages.embedded(), s.x, atol, rtol));
        step.h = std::min(step.h, longest);
        if (!isGood) continue;
        d = last;
        slope = stages.slope(6);
        tau = to;
        if (tau == end && !endsClean) s.finish(next);
        else s.advanceFreely(next, tau);
    }
    if (endsClean) s.finish(d);
}

SamplerInfo dormandPrince() {
    return {
        .id = "dopri5",
        .label = "Dormand–Prince 5(4)",
        .summary = "Adaptive steps of fifth order within a tolerance; the reference for others",
        .source = "Dormand & Prince 1980; Song et al. 2021",
        .group = "Adaptive",
        .params = {realParam("rtol", "Relative tolerance", 1e-3, 1e-12, 1,
                             "Error allowed in a step, relative to the state; its steps are chosen to keep it.", 1e-3),
                   realParam("atol", "Absolute tolerance", 1e-4, 1e-14, 1,
                             "Error allowed in a step where the state is near 0.", 1e-4),
                   advanced(realParam("h_init", "First step", 0.05, 1e-4, 1.2,
                                      "Length of the first step in log τ; later ones are chosen."))},
        .order = 5,
        .freeSteps = true,
        .run = run};
}

}  // namespace meander::sampler
