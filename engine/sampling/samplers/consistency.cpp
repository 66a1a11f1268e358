// Multistep consistency sampling (Song et al. 2023, algorithm 1): x ← f(x, τ); x ← x + √(τ'² − ε²) z. The jump ends at
// the floor ε, so only the noise between ε and τ' is added. Other processes: the same between their levels of σ = ε and
// τ'.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double floor = s.process.tauOfSigma(real(s.params, "floor"));
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from, 0.0);
        // D stands at the floor: as data, scaled to the signal of the level that is noised to.
        const double noiseStd = to.isClean() ? 0 : s.ancestralVia(floor, to).noiseStd;
        s.advance(s.signal(to) * d + s.freshNoise(noiseStd), to);
    }
}

SamplerInfo consistency() {
    ParamSpec floor =
        advanced(realParam("floor", "Floor ε", 0.002, 0, 1,
                           "Noise level that the checkpoint's answers stand at: σmin of its training.", 0.001));
    floor.unit = "σ";
    return {.id = "consistency",
            .label = "Consistency",
            .summary = "Jump to the data's end of the path and noise again to the next level",
            .source = "Song et al. 2023, algorithm 1",
            .group = "Few-step",
            .params = {floor},
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::Consistency, Distillation::Lcm},
            .run = run};
}

}  // namespace meander::sampler
