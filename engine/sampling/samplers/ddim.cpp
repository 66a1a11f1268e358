// DDIM (Song et al. 2021, eq. 12): to the next level along the predicted ε, with a share η of the DDPM posterior's
// noise. In coordinates y = a x0 + τ ε.
#include <algorithm>
#include <cmath>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const auto [direction, noiseStd] = posteriorSplit(s, from, to, eta);
        s.advance(s.signal(to) * d + direction * s.noiseEstimate(s.x, d, from) + s.freshNoise(noiseStd), to);
    }
}

SamplerInfo ddim() {
    return {.id = "ddim",
            .label = "DDIM",
            .summary = "Along the predicted noise, with a share η of fresh noise",
            .source = "Song et al. 2021, eq. 12",
            .group = "One step",
            .params = {etaParam(0)},
            .madeFor = {Distillation::None, Distillation::Reflow, Distillation::Shortcut},
            .run = run};
}

}  // namespace meander::sampler
