// Accelerated stochastic sampler (Li et al. 2024, "Accelerating convergence of score-based diffusion models,
// provably"): half of the step's noise before the evaluation, half after it. y⁺ = y + √(Δ/2) z; y' = reverse-diffusion
// step of y⁺ without noise + √(Δ/2) z⁺, Δ = τ² − τ'². In y coordinates this is the paper's x⁺ = x + √((1−α)/2) z, x' =
// (x⁺ + (1−α) s(x⁺) + √((1−α)/2) z⁺)/√α. Law error O(1/N) where DDPM has O(1/√N).
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        if (to.isClean()) {
            const Tensor d = co_await s.denoise(s.x, from);
            s.advance(d, to);
            co_return;
        }
        const DiffusionStep step = reverseDiffusion(s, from, to, 1);
        const double half = step.noiseStd * std::sqrt(0.5) * noiseScale;
        const Tensor before = s.x + s.freshNoise(half, 0), d = co_await s.denoise(before, from),
                     mean = step.mean(before, d);
        s.advance(mean + s.freshNoise(half, 1), to);
    }
}

SamplerInfo acceleratedSde() {
    return {.id = "accelerated_sde",
            .label = "Accelerated SDE",
            .summary = "Half of the noise before the evaluation, half after",
            .source = "Li et al. 2024, accelerated stochastic sampler",
            .group = "Stochastic",
            .params = {noiseScaleParam()},
            .stochastic = true,
            .run = run};
}

}  // namespace meander::sampler
