// Gradient estimation with CFG++ as in ComfyUI: Euler CFG++ plus γ − 1 times the change of the unconditional slope.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double gamma = real(s.params, "gamma");
    Tensor previous;
    for (auto [from, to] : s.intervals()) {
        const auto [d, conditional, u] = co_await s.denoise(s.x, from);
        const Tensor slope = Sampling::slope(s.x, u, from);
        const Sum euler = d + to * slope;
        if (to.isClean() || !previous) s.advance(euler, to);
        else s.advance(euler + (gamma - 1) * (to - from) * (slope - previous), to);
        previous = slope;
    }
}

SamplerInfo gradientEstimationCfgPp() {
    return {.id = "gradient_estimation_cfg_pp",
            .label = "Gradient estimation CFG++",
            .summary = "Gradient estimation with guided estimate and unconditional slope",
            .source = "Permenter & Yuan 2024; Chung et al. 2024; ComfyUI",
            .group = "CFG++",
            .params = {realParam("gamma", "γ", 2, 1, 5, "Weight of the new slope; 1 is Euler CFG++.")},
            .unconditional = true,
            .run = run};
}

}  // namespace meander::sampler
