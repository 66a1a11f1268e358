// DPM++ 2M v2 of stable-diffusion.cpp: 2M with the mean of this and the last step's length in the weight of the
// estimate, which softens changes of the step. The weights no longer add up to 1 where steps differ, so its order is 1.
#include <algorithm>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    Tensor previous;
    double previousH = 0;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        const double h = std::log(from / to);
        if (!previous || to.isClean()) {
            s.advance(eulerStep(s.x, d, from, to), to);
        } else {
            const double onDenoised = -std::expm1(-(h + previousH) / 2),
                         extrapolate = std::min(h, previousH) / (2 * std::max(h, previousH));
            s.advance(
                combine({{to / from, s.x}, {onDenoised * (1 + extrapolate), d}, {-onDenoised * extrapolate, previous}}),
                to);
        }
        previous = d;
        previousH = h;
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
