// Linear multistep in τ: Adams–Bashforth with the weights that belong to the levels, ∫ of the Lagrange polynomials
// through the last slopes (k-diffusion's LMS). It starts with lower orders, which leaves order 2 however high it is
// set, or with Runge–Kutta steps, which keeps the order up to 5.
#include <utility>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const auto order = std::size_t(integer(s.params, "order")), shift = std::size_t(integer(s.params, "history_shift"));
    const bool rungeKutta = text(s.params, "start") == "runge_kutta",
               multistepLast = toggle(s.params, "multistep_last");
    EvaluationHistory slopes(order);
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean() && !multistepLast) {
            s.advance(d, to);
            co_return;
        }
        slopes.add(from, Sampling::slope(s.x, d, from));
        if (rungeKutta && slopes.size() < order && !to.isClean()) {
            RungeKuttaStep step(kutta4(), s.x, from, to);
            step.addSlope(slopes[0]);
            while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau()));
            s.advance(step.result(), to);
            continue;
        }
        const std::size_t k = slopes.size();
        std::vector<double> weights = adamsWeights(slopes.at(k), from, to);
        for (std::size_t j = 2; shift > 0 && j < k; ++j)
            weights[j > shift ? j - shift : 1] += std::exchange(weights[j], 0.0);
        s.advance(s.x + slopes.combined(weights), to);
    }
}

static int requests(int step, int steps, const Params& p) {
    return text(p, "start") == "runge_kutta" && step + 1 < steps && step + 1 < int(integer(p, "order")) ? 4 : 1;
}

SamplerInfo lms() {
    return {.id = "lms",
            .label = "LMS",
            .summary = "Adams–Bashforth with weights for the levels as they are, one evaluation a step",
            .source = "Adams & Bashforth 1883; k-diffusion",
            .group = "Multistep",
            .params =
                {integerParam("order", "Order", 4, 1, 8, "Slopes that are remembered, the new one included."),
                 choiceParam("start", "Start", "lower_order",
                             {{"lower_order", "Lower orders"}, {"runge_kutta", "Runge–Kutta"}},
                             "How the first steps are done, while there is no history. Runge–Kutta costs three more "
                             "evaluations in each of them and keeps the order."),
                 advanced(toggleParam(
                     "multistep_last", "Multistep to clean", false,
                     "The step to clean also extrapolates, as in diffusers; otherwise it takes the estimate.")),
                 advanced(integerParam(
                     "history_shift", "History shift", 0, 0, 7,
                     "Old slopes are replaced by ones so many steps newer; 0 is exact, stable-diffusion.cpp has 1."))},
            .order = 2,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
