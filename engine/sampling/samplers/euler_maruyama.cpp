// Euler–Maruyama on the reverse SDE (Song et al. 2021, eq. 6) with stochasticity η: the plain reference among the
// stochastic samplers. No noise in the step to clean.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const DiffusionStep step = eulerMaruyama(s, from, to, to.isClean() ? 0 : eta);
        const Tensor mean = step.mean(s.x, d);
        s.advance(mean + s.freshNoise(step.noiseStd * noiseScale), to);
    }
}

SamplerInfo eulerMaruyama() {
    return {.id = "euler_maruyama",
            .label = "Euler–Maruyama",
            .summary = "First-order step of the reverse SDE; the plain reference",
            .source = "Song et al. 2021, eq. 6",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam()},
            .stochastic = true,
            .run = run};
}

}  // namespace meander::sampler
