// Multistep consistency sampling (Song et al. 2023, algorithm 1; Luo et al. 2023 for LCM): jump to the data, then noise again to the next level.
#include "engine/sampling/sampler_kit.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from, 0.0)).denoised;
        if (to.isClean())
            s.advance(combine({{s.signal(0), d}}), to);
        else
            s.advance(combine({{s.signal(to), d}, {double(to), s.noise()}}), to);
    }
}

SamplerInfo consistency() {
    return {.id = "lcm", .label = "LCM / consistency", .summary = "Jump to the data and noise again; for consistency models",
            .source = "Song et al. 2023, algorithm 1; Luo et al. 2023", .group = "Few-step", .order = 0, .stochastic = true, .fewStep = true, .run = run};
}

}  // namespace meander::sampler
