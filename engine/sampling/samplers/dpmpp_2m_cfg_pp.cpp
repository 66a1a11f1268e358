// DPM++ 2M with CFG++ as in ComfyUI: the guided estimate steps, the state relaxes towards the unconditional one, and
// the extrapolation is from the last unconditional to the new guided estimate. In log τ.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    TwoStepHistory history;  // of unconditional estimates
    for (auto [from, to] : s.intervals()) {
        const auto [d, conditional, u] = co_await s.denoise(s.x, from);
        const double ratio = to / from, h = std::log(from / to);
        const Sum euler = d + ratio * (s.x - u);
        if (!history.denoised || to.isClean()) s.advance(euler, to);
        else s.advance(euler + (1 - ratio) * h / (2 * history.h) * (d - history.denoised), to);
        history = {u, h};
    }
}

SamplerInfo dpmpp2mCfgPp() {
    return {.id = "dpmpp_2m_cfg_pp",
            .label = "DPM++ 2M CFG++",
            .summary = "2M with guided estimate and unconditional noise",
            .source = "Chung et al. 2024; ComfyUI",
            .group = "CFG++",
            .order = 2,
            .unconditional = true,
            .run = run};
}

}  // namespace meander::sampler
