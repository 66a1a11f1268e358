// DDIM (Song et al. 2021, eq. 12): to the next level along the predicted ε, with a share η of the DDPM posterior's
// noise. In coordinates y = a x0 + τ ε.
#include <algorithm>
#include <cmath>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        const double ratio = s.process.sigma(to) / s.process.sigma(from);
        const double fresh =
            to.isClean()
                ? 0
                : eta * to * std::sqrt(std::max(0.0, 1 - ratio * ratio));  // standard deviation of the new noise
        const double kept = std::sqrt(std::max(0.0, to * to - fresh * fresh));
        // a' D + kept · ε̂ with ε̂ = (y − a D)/τ
        const double stateCoeff = kept / from, onDenoised = s.signal(to) - s.signal(from) * kept / from;
        if (fresh > 0) s.advance(combine({{stateCoeff, s.x}, {onDenoised, d}, {fresh, s.noise()}}), to);
        else s.advance(combine({{stateCoeff, s.x}, {onDenoised, d}}), to);
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
