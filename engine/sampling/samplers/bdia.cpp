// BDIA (Zhang, G. et al. 2023): DDIM that also looks one level back, x'= DDIM(x) + γ (x_before − DDIM_up(x)), native
// states. The map (x_before, x) → (x, x') can be solved for x_before, so the last two states lead back to the first
// exactly. γ = 0 is DDIM.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double gamma = real(s.params, "gamma");
    Tensor before;
    double higher = 0;
    for (auto [from, to] : s.intervals()) {
        const Tensor y = s.x, d = co_await s.denoise(y, from), down = eulerStep(y, d, from, to);
        if (before && gamma != 0) {
            const double scale = s.process.nativeScale(higher) / s.process.nativeScale(to);
            const Tensor up = eulerStep(y, d, from, higher);
            s.advance(down + gamma * scale * (before - up), to);
        } else {
            s.advance(down, to);
        }
        before = y;
        higher = from;
    }
}

SamplerInfo bdia() {
    return {.id = "bdia",
            .label = "BDIA-DDIM",
            .summary = "DDIM averaged with its own reverse, which can be run back exactly",
            .source = "Zhang, G. et al. 2023, BDIA",
            .group = "Multistep",
            .params = {realParam("gamma", "γ", 0.5, 0, 1,
                                 "Weight of the step back; 0 is DDIM, 1 a leapfrog. Below 1 errors of it die out.")},
            .run = run};
}

}  // namespace meander::sampler
