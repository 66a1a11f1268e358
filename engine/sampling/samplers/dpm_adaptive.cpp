// DPM-Solver-12 and -23 with a PID controller of the step length (Lu et al. 2022a, appendix C; k-diffusion). The error
// of a step is the difference of two orders from the same evaluations. Of the schedule it takes the first level and the
// last above 0.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const int order = int(integer(s.params, "order"));
    const double rtol = real(s.params, "rtol"), atol = real(s.params, "atol");
    const auto intervals = s.intervals();
    const bool endsClean = intervals.back().to.isClean();
    const double end = endsClean ? double(intervals.back().from) : double(intervals.back().to);
    const double uEnd = -std::log(end);
    double u = -std::log(intervals.front().from);
    PidController pid(real(s.params, "h_init"), uEnd - u, real(s.params, "pcoeff"), real(s.params, "icoeff"),
                      real(s.params, "dcoeff"), order, real(s.params, "accept_safety"));
    Tensor before = s.x;  // the lower-order state of the last step
    while (u < uEnd - 1e-5) {
        const double next = std::min(uEnd, u + pid.h), to = next == uEnd ? end : std::exp(-next);
        DpmSolverStep step(order, true, s.x, std::exp(-u), to, order == 2 ? 0.5 : 1.0 / 3);
        while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau(), to));
        const Tensor low = step.result(std::size_t(order) - 1), high = step.result();
        if (!pid.propose(scaledError(low, high, before, atol, rtol))) continue;
        before = low;
        u = next;
        if (u >= uEnd - 1e-5 && !endsClean) s.finish(high);
        else s.advanceFreely(high, to);
    }
    if (!endsClean) co_return;
    if (toggle(s.params, "denoise_last") || intervals.size() == 1) s.finish(co_await s.denoise(s.x, end, 0.0));
    else s.finish(s.x);
}

SamplerInfo dpmAdaptive() {
    return {
        .id = "dpm_adaptive",
        .label = "DPM adaptive",
        .summary = "Singlestep DPM-Solver with steps chosen within a tolerance",
        .source = "Lu et al. 2022, DPM-Solver, appendix C; k-diffusion",
        .group = "Adaptive",
        .params = {integerParam("order", "Order", 3, 2, 3,
                                "Evaluations a step; the error is measured against the order below."),
                   realParam("rtol", "Relative tolerance", 0.05, 1e-10, 1,
                             "Error allowed in a step, relative to the state.", 0.005),
                   realParam(
                       "atol", "Absolute tolerance", 0.0078, 1e-12, 1,
                       "Error allowed in a step where the state is near 0; 0.0078 is one grey level of 256 on [−1, 1].",
                       0.001),
                   advanced(realParam("h_init", "First step", 0.05, 1e-4, 2, "Length of the first step in log τ.")),
                   advanced(realParam("pcoeff", "P", 0, -1, 1, "Proportional term of the step control.")),
                   advanced(realParam("icoeff", "I", 1, 0, 2, "Integral term of the step control.")),
                   advanced(realParam("dcoeff", "D", 0, -1, 1, "Derivative term of the step control.")),
                   advanced(realParam("accept_safety", "Accept from", 0.81, 0.1, 1,
                                      "A step is taken when the factor proposed for the next is at least this.")),
                   toggleParam("denoise_last", "Denoise at the end", false,
                               "One more evaluation takes away the noise of the lowest level, which k-diffusion leaves "
                               "in the result.")},
        .order = 3,
        .freeSteps = true,
        .run = run,
        .advice = keptNoiseAdvice};
}

}  // namespace meander::sampler
