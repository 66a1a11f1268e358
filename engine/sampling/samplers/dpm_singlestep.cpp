// DPM-Solver and DPM-Solver++ singlestep over the levels of the schedule, as in diffusers: levels are grouped in ones,
// twos or threes; within a group the order grows from 1, and each step starts again from the state at the group's
// beginning, so that one evaluation a level makes a singlestep method (Lu et al. 2022a, "singlestep").
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {
// The order of each of n steps: 1 2 3 1 2 3 …, the last one 1 when it goes to clean, or instead of ending a whole
// group.
std::vector<int> orders(int order, int n, bool lowerFinal, bool endsClean) {
    std::vector<int> list;
    for (int i = 0; i < n; ++i) list.push_back(i % order + 1);
    if (endsClean || (lowerFinal && n % order == 0)) list.back() = 1;
    return list;
}

// Weights of the group's values, oldest first, without the common scale; taus of the group's levels.
std::vector<double> weights(const ExponentialClock& clock, const ExponentialForm& e, const std::vector<double>& taus,
                            bool midpoint) {
    const double first = e.hPhi(1);
    if (taus.size() == 1) return {first};
    const auto place = [&](std::size_t k) { return clock.between(taus[0], taus[k]) / e.h; };
    if (taus.size() == 2) {
        const double w = (midpoint ? first / 2 : e.hPhi(2)) / place(1);
        return {first - w, w};
    }
    const double r1 = place(1), r0 = place(2), second = e.hPhi(2);
    if (midpoint) return {first - second / r0, 0, second / r0};
    // D1 = (r0 D10 − r1 D11)/(r0 − r1), D2 = 2 (D11 − D10)/(r0 − r1) with D10 = (m1 − m)/r1, D11 = (m0 − m)/r0
    const double third = e.hPhi(3), onD10 = (second * r0 - 2 * third) / (r0 - r1),
                 onD11 = (-second * r1 + 2 * third) / (r0 - r1);
    return {first - onD10 / r1 - onD11 / r0, onD10 / r1, onD11 / r0};
}
}  // namespace

static SamplerTask run(Sampling& s) {
    const ExponentialClock clock(s);
    const bool noise = onNoise(s.params), midpoint = text(s.params, "solver_type") == "midpoint";
    const std::vector<int> order = orders(int(integer(s.params, "order")), s.steps(),
                                          toggle(s.params, "lower_order_final"), s.levels().back() == 0);
    Tensor base;
    std::vector<Tensor> values;
    std::vector<double> taus;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (order[std::size_t(from.index)] == 1 || values.empty()) {
            base = s.x;
            values.clear();
            taus.clear();
        }
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        if (!clock.isFinite(from)) {
            s.advance(eulerStep(s.x, d, from, to), to);
            continue;
        }
        values.push_back(clock.predicted(noise, s.x, d, from));
        taus.push_back(from);
        const ExponentialForm e(clock, noise, taus[0], to);
        const std::vector<double> w = weights(clock, e, taus, midpoint);
        Sum mean;
        for (std::size_t j = 0; j < w.size(); ++j) mean += w[j] * values[j];
        s.advance(e.stateCoeff * base + e.scale * mean, to);
    }
}

SamplerInfo dpmSinglestep() {
    return {
        .id = "dpm_singlestep",
        .label = "DPM-Solver singlestep",
        .summary = "Groups of two or three levels make one step of second or third order",
        .source = "Lu et al. 2022a; 2022b, algorithm 1",
        .group = "Multistep",
        .params = {integerParam("order", "Order", 2, 1, 3, "Levels that make one step, and the order of that step."),
                   predictionParam(), clockParam(),
                   choiceParam("solver_type", "Second-order term", "midpoint",
                               {{"midpoint", "Midpoint"}, {"heun", "Heun"}},
                               "φ₁/2 (midpoint) or φ₂ (Heun); at order 3, without or with the curvature."),
                   toggleParam("lower_order_final", "Lower order at the end", false,
                               "The last step has order 1; it has anyway when the levels do not divide into groups or "
                               "the last is clean.")},
        .order = 2,
        .run = run};
}

}  // namespace meander::sampler
