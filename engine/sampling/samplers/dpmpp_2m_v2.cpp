// DPM++ 2M v2 of stable-diffusion.cpp: 2M with the mean of this and the last step's length in the weight of the
// estimate, which softens changes of the step. The weights no longer add up to 1 where steps differ, so its order is 1.
#include <algorithm>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    TwoStepHistory history;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const double h = std::log(from / to);
        if (!history.denoised || to.isClean()) {
            s.advance(eulerStep(s.x, d, from, to), to);
        } else {
            const double mean = (h + history.h) / 2, ratio = std::min(h, history.h) / std::max(h, history.h);
            s.advance(to / from * s.x - std::expm1(-mean) * (d + ratio / 2 * (d - history.denoised)), to);
        }
        history = {d, h};
    }
}

SamplerInfo dpmpp2mV2() {
    return {.id = "dpmpp_2m_v2",
            .label = "DPM++ 2M v2",
            .summary = "2M with averaged step lengths; first order",
            .source = "stable-diffusion.cpp, dpm++2mv2",
            .group = "Multistep",
            .run = run};
}

}  // namespace meander::sampler
