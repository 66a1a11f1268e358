// PNDM (Liu et al. 2022, algorithm 2, F-PNDM): three pseudo Runge–Kutta steps, whose middle level lies half-way in the
// network time, then Adams–Bashforth 4 with constant weights. The transfer between levels is that of
// DDIM (eq. 11), in these coordinates the Euler step along the combined slope.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool multistepLast = toggle(s.params, "multistep_last");
    EvaluationHistory slopes(4);
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        slopes.add(from, Sampling::slope(s.x, d, from));
        const double h = to - from;
        if (to.isClean() && !(multistepLast && slopes.size() == 4)) {
            s.advance(d, to);
            co_return;
        }
        if (slopes.size() == 4) {
            s.advance(s.x + h * slopes.combined(adamsBashforth(4)), to);
            continue;
        }
        const double middle = s.process.tauOfTime(0.5 * (s.process.networkTime(from) + s.process.networkTime(to)));
        const Tensor e1 = slopes[0];
        const Tensor y2 = s.x + (middle - from) * e1, d2 = co_await s.denoise(y2, middle, middle),
                     e2 = Sampling::slope(y2, d2, middle);
        const Tensor y3 = s.x + (middle - from) * e2, d3 = co_await s.denoise(y3, middle),
                     e3 = Sampling::slope(y3, d3, middle);
        const Tensor y4 = s.x + h * e3, d4 = co_await s.denoise(y4, to, to), e4 = Sampling::slope(y4, d4, to);
        s.advance(s.x + h / 6 * (e1 + 2 * e2 + 2 * e3 + e4), to);
    }
}

static int requests(int step, int steps, const Params&) { return step < 3 && step + 1 < steps ? 4 : 1; }

static std::string advice(const SamplerSituation& s) { return firstFallAdvice(s, 20); }

SamplerInfo pndm() {
    return {.id = "pndm",
            .label = "PNDM",
            .summary = "Pseudo Runge–Kutta start, then PLMS of order 4",
            .source = "Liu et al. 2022, algorithm 2",
            .group = "Multistep",
            .params = {advanced(
                toggleParam("multistep_last", "Multistep to clean", true,
                            "The step to clean also extrapolates, as in diffusers; otherwise it takes the estimate."))},
            .order = 2,
            .run = run,
            .requestsInStep = requests,
            .advice = advice};
}

}  // namespace meander::sampler
