// Shortcut models (Frans et al. 2024, algorithm 2): x_{t+d} = x_t + d·s(x_t, t, d) with equal steps d = 1/N, N a power
// of two, and the network conditioned on d (as the level that is stepped to). With d = 0 it answers with the velocity:
// the same image's many-step path.
#include <cmath>
#include <limits>

#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool conditionsOnStep = toggle(s.params, "tell_step");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from, conditionsOnStep ? double(to) : double(from));
        s.advance(eulerStep(s.x, d, from, to), to);
    }
}

static std::vector<double> levels(const Process& p, const std::vector<double>& schedule, const Params& params) {
    int steps = int(schedule.size()) - 1;
    if (toggle(params, "power_of_two")) steps = 1 << int(std::lround(std::log2(steps)));
    std::vector<double> inner;
    for (int k = steps - 1; k > 0; --k) inner.push_back(levelAtFraction(p, double(k) / steps));
    return between(schedule, inner);
}

SamplerInfo shortcut() {
    return {.id = "shortcut",
            .label = "Shortcut",
            .summary = "Equal steps whose length the network is conditioned on",
            .source = "Frans et al. 2024, algorithm 2",
            .group = "Few-step",
            .params = {toggleParam("power_of_two", "Power of two", true,
                                   "Rounds the number of steps to 1, 2, 4 … as in training."),
                       advanced(toggleParam(
                           "tell_step", "Condition on the step", true,
                           "Off: the network is conditioned on a step of no length, to see what that does."))},
            .madeFor = {Distillation::Shortcut},
            .run = run,
            .ownLevels = levels};
}

}  // namespace meander::sampler
