// DPM++ 2M with CFG++ as in ComfyUI: the guided estimate steps, the state relaxes towards the unconditional one, and
// the extrapolation is from the last unconditional to the new guided estimate. In log τ.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    Tensor previous;
    double previousH = 0;
    for (auto [from, to] : s.intervals()) {
        const DenoiseResult d = co_await s.denoise(s.x, from);
        const double ratio = to / from, h = std::log(from / to);
        if (!previous || to.isClean()) {
            s.advance(combine({{ratio, s.x}, {1, d.denoised}, {-ratio, d.unconditional}}), to);
        } else {
            const double w = (1 - ratio) * h / (2 * previousH);
            s.advance(combine({{ratio, s.x}, {1 + w, d.denoised}, {-ratio, d.unconditional}, {-w, previous}}), to);
        }
        previous = d.unconditional;
        previousH = h;
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
