// DPM-Solver and DPM-Solver++ multistep of order 1 to 3 (Lu et al. 2022a, 2022b algorithm 2) with the choices of
// diffusers' scheduler. The third-order term as published in the authors' code has half the weight that the second
// divided difference needs, so its order is 2; "exact" has the whole weight and order 3.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {
struct Rule {
    ExponentialClock clock;
    bool onNoise, midpoint, exactThird;

    // Weights of the last k values for a step to `to`, newest first, without the common scale.
    std::vector<double> weights(std::span<const double> taus, double to) const {
        const ExponentialForm e(clock, onNoise, taus[0], to);
        const double first = e.hPhi(1);
        if (taus.size() == 1) return {first};
        const double r0 = clock.between(taus[1], taus[0]) / e.h;
        if (taus.size() == 2) {
            const double w = (midpoint ? first / 2 : e.hPhi(2)) / r0;
            return {first + w, -w};
        }
        // D1 = D10 + r0/(r0 + r1) (D10 − D11), D2 = (D10 − D11)/(r0 + r1) with D10 = (m0 − m1)/r0, D11 = (m1 − m2)/r1
        const double r1 = clock.between(taus[2], taus[1]) / e.h, second = e.hPhi(2),
                     third = e.hPhi(3) * (exactThird ? 2 : 1);
        const double onD10 = second * (1 + r0 / (r0 + r1)) + third / (r0 + r1),
                     onD11 = -second * r0 / (r0 + r1) - third / (r0 + r1);
        return {first + onD10 / r0, -onD10 / r0 + onD11 / r1, -onD11 / r1};
    }
};
}  // namespace

static SamplerTask run(Sampling& s) {
    const ExponentialClock clock(s);
    const Rule rule{clock, onNoise(s.params), text(s.params, "solver_type") == "midpoint",
                    text(s.params, "third_order") == "exact"};
    const bool eulerFinal = toggle(s.params, "euler_at_final"),
               lowerFinal = toggle(s.params, "lower_order_final") && s.steps() < 15;
    EvaluationHistory values(std::size_t(integer(s.params, "order")));
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        if (!clock.isFinite(from)) {
            s.advance(eulerStep(s.x, d, from, to), to);
            continue;
        }
        values.add(from, clock.predicted(rule.onNoise, s.x, d, from));
        const auto left = std::size_t(s.steps() - from.index);
        const std::size_t k = left == 1 && eulerFinal ? 1 : lowerFinal ? std::min(values.size(), left) : values.size();
        const ExponentialForm e(clock, rule.onNoise, from, to);
        s.advance(e.stateCoeff * s.x + e.scale * values.combined(rule.weights(values.at(k), to)), to);
    }
}

SamplerInfo dpmMultistep() {
    return {
        .id = "dpm_multistep",
        .label = "DPM-Solver multistep",
        .summary = "DPM-Solver or DPM-Solver++ of order 1 to 3, one evaluation a step",
        .source = "Lu et al. 2022a; 2022b, algorithm 2",
        .group = "Multistep",
        .params = {integerParam("order", "Order", 2, 1, 3, "Evaluations that a step uses, the earlier ones included."),
                   predictionParam(), clockParam(),
                   choiceParam("solver_type", "Second-order term", "midpoint",
                               {{"midpoint", "Midpoint"}, {"heun", "Heun"}},
                               "φ₁/2 (midpoint, the papers' choice) or φ₂ (exact for a straight line)."),
                   choiceParam("third_order", "Third-order term", "exact",
                               {{"exact", "Exact"}, {"published", "As published"}},
                               "The published code has half its weight, which leaves order 2."),
                   toggleParam("lower_order_final", "Lower order at the end", true,
                               "With fewer than 15 steps the last steps have order 2 and 1, for stability."),
                   toggleParam("euler_at_final", "Euler at the end", false,
                               "The last step has order 1, however many there are.")},
        .order = 2,
        .run = run};
}

}  // namespace meander::sampler
