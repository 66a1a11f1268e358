// Heun++ as the field's programs have it: Heun with a third slope one step ahead, weighted by the levels relative to
// the first one, w_k = τ_k/(3 τ_0). The weights of the later slopes vanish at low noise, where it is Euler's method;
// its order is 1, as measured. The last step is Euler, the one before it has two slopes.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const std::vector<double>& levels = s.levels();
    const double first = levels.front(), last = levels.back();
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from), second = eulerStep(s.x, d, from, to);
        if (to == last) {
            s.advance(second, to);
            co_return;
        }
        const double h = to - from, after = levels[std::size_t(to.index) + 1];
        const Tensor slope1 = Sampling::slope(s.x, d, from), d2 = co_await s.denoise(second, to, to),
                     slope2 = Sampling::slope(second, d2, to);
        if (after == last) {
            const double w2 = to / (2 * first);
            s.advance(s.x + h * ((1 - w2) * slope1 + w2 * slope2), to);
            continue;
        }
        const Tensor third = eulerStep(second, d2, to, after), d3 = co_await s.denoise(third, after, after),
                     slope3 = Sampling::slope(third, d3, after);
        const double w2 = to / (3 * first), w3 = after / (3 * first);
        s.advance(s.x + h * ((1 - w2 - w3) * slope1 + w2 * slope2 + w3 * slope3), to);
    }
}

static int requests(int step, int steps, const Params&) { return std::min(3, steps - step); }

SamplerInfo heunpp2() {
    return {.id = "heunpp2",
            .label = "Heun++ (first order)",
            .summary =
                "Heun with a third slope ahead, whose weights fade with the noise: first order, three evaluations",
            .source = "Carzit 2023, as in ComfyUI and Forge",
            .group = "One step",
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
