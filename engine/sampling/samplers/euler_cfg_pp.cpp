// CFG++ on Euler/DDIM (Chung et al. 2024, algorithm 2): x̂0 is guided, the noise direction is the unconditional one.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        const auto [d, conditional, u] = co_await s.denoise(s.x, from);
        s.advance(s.signal(to) * d + to * s.noiseEstimate(s.x, u, from), to);
    }
}

SamplerInfo eulerCfgPp() {
    return {.id = "euler_cfg_pp",
            .label = "Euler CFG++",
            .summary = "Guided estimate, unconditional noise",
            .source = "Chung et al. 2024, algorithm 2",
            .group = "CFG++",
            .unconditional = true,
            .run = run};
}

}  // namespace meander::sampler
