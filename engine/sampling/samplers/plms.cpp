// Adams–Bashforth on slopes with the constant weights of equal steps: PLMS of latent diffusion (Liu et al. 2022, eq.
// 12, with the transfer of DDIM, which is the Euler step in these coordinates). It starts with lower orders, with a
// Heun step (as latent diffusion does), or with Runge–Kutta steps. The constant weights fit levels that change their
// spacing slowly only to second order.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const auto order = std::size_t(integer(s.params, "order"));
    const std::string start = text(s.params, "start");
    const bool multistepLast = toggle(s.params, "multistep_last");
    EvaluationHistory slopes(order);
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        slopes.add(from, Sampling::slope(s.x, d, from));
        if (to.isClean() && !(multistepLast && slopes.size() > 1)) {
            s.advance(d, to);
            co_return;
        }
        const std::size_t k = slopes.size();
        const double h = to - from;
        if (start == "heun" && k == 1 && order > 1) {
            const Tensor next = eulerStep(s.x, d, from, to), d2 = co_await s.denoise(next, to, to);
            const Tensor slope2 = Sampling::slope(next, d2, to);
            s.advance(s.x + h / 2 * (slopes[0] + slope2), to);
        } else if (start == "runge_kutta" && k < order && !to.isClean()) {
            RungeKuttaStep step(kutta4(), s.x, from, to);
            step.addSlope(slopes[0]);
            while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau()));
            s.advance(step.result(), to);
        } else {
            s.advance(s.x + h * slopes.combined(adamsBashforth(k)), to);
        }
    }
}

static int requests(int step, int steps, const Params& p) {
    const int order = int(integer(p, "order"));
    if (step + 1 == steps) return 1;
    if (text(p, "start") == "heun") return step == 0 && order > 1 ? 2 : 1;
    return text(p, "start") == "runge_kutta" && step + 1 < order ? 4 : 1;
}

SamplerInfo plms() {
    return {.id = "plms",
            .label = "PLMS (Adams–Bashforth)",
            .summary = "Multistep on the noise with the weights of equal steps",
            .source = "Liu et al. 2022, PNDM eq. 12; latent diffusion",
            .group = "Multistep",
            .params = {integerParam("order", "Order", 4, 1, 4,
                                    "Slopes that are remembered, the new one included: AB1 is Euler, AB4 is PLMS."),
                       choiceParam("start", "Start", "heun",
                                   {{"lower_order", "Lower orders"}, {"heun", "Heun"}, {"runge_kutta", "Runge–Kutta"}},
                                   "How the first steps are done, while there is no history."),
                       advanced(toggleParam(
                           "multistep_last", "Multistep to clean", false,
                           "The step to clean also extrapolates, as in diffusers; otherwise it takes the estimate."))},
            .order = 2,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
