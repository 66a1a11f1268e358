// Euler's method on the probability-flow ODE; in these coordinates also DDIM with η = 0 (Song et al. 2021; Karras et
// al. 2022, algorithm 1 without correction).
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        s.advance(eulerStep(s.x, d, from, to), to);
    }
}

SamplerInfo euler() {
    return {.id = "euler",
            .label = "Euler",
            .summary = "First-order ODE step; the plain reference",
            .source = "Song et al. 2021; Karras et al. 2022",
            .group = "One step",
            .madeFor = {Distillation::None, Distillation::Reflow, Distillation::Shortcut},
            .run = run};
}

}  // namespace meander::sampler
