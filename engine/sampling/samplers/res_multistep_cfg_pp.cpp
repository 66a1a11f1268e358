// RES multistep with CFG++ as in ComfyUI: the state is moved by the guidance, then the second-order step is taken with
// unconditional estimates. In log τ.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    EvaluationHistory estimates(2);
    for (auto [from, to] : s.intervals()) {
        const auto [d, conditional, u] = co_await s.denoise(s.x, from);
        estimates.add(-std::log(from), u);
        const double ratio = to / from;
        if (estimates.size() == 1 || to.isClean()) {
            s.advance(d + ratio * (s.x - u), to);
        } else {
            const Tensor guided = s.x + d - u;
            const auto weights = exponentialWeights(estimates.at(2), -std::log(from), -std::log(to), 1);
            s.advance(ratio * guided + estimates.combined(weights), to);
        }
    }
}

SamplerInfo resMultistepCfgPp() {
    return {.id = "res_multistep_cfg_pp",
            .label = "RES multistep CFG++",
            .summary = "RES multistep with guided state and unconditional estimates",
            .source = "Chung et al. 2024; ComfyUI",
            .group = "CFG++",
            .order = 2,
            .unconditional = true,
            .run = run};
}

}  // namespace meander::sampler
