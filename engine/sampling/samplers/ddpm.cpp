// DDPM (Ho et al. 2020, eq. 6–7): the mean of the exact posterior q(x' | x, x̂0), then noise of its variance (fixed
// small) or of the forward step's (fixed large). On a clock c of noise over constant signal: y' = (c'/c)² y + (1 −
// (c'/c)²) D + noiseStd z, noiseStd² = c'² (1 − (c'/c)²) (small) or that of the forward step (large).
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isLarge = text(s.params, "variance") == "fixed_large", isExact = toggle(s.params, "exact_marginal");
    const double noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        // Published code takes τ for the clock; the exact one is σ = τ/a, the same where a = 1. With y = a x: r² a'/a =
        // (a'/a) (τ' a/(τ a'))² = (a/a') (τ'/τ)².
        const double a = isExact ? s.signal(from) : 1, next = isExact ? s.signal(to) : 1,
                     ratio = to * a / (from * next), kept = ratio * ratio;
        double variance = to * to * (1 - kept);
        if (isLarge) {
            const double scale = s.process.nativeScale(from) / s.process.nativeScale(to);
            variance = scale * scale * (from * from - a * a / (next * next) * to * to);
        }
        const Tensor mean = to * to / (from * from) * (a / next) * s.x + next * (1 - kept) * d;
        s.advance(mean + s.freshNoise(to.isClean() ? 0 : noiseScale * std::sqrt(std::max(0.0, variance))), to);
    }
}

SamplerInfo ddpm() {
    return {.id = "ddpm",
            .label = "DDPM",
            .summary = "Mean and variance of the exact posterior of one data point",
            .source = "Ho et al. 2020, eq. 6-7",
            .group = "Stochastic",
            .params = {choiceParam(
                           "variance", "Variance", "fixed_small",
                           {{"fixed_small", "Posterior (fixed small)"}, {"fixed_large", "Forward step (fixed large)"}},
                           "Noise of the posterior of a single point, or of the forward step, which is right for data "
                           "of unit variance."),
                       noiseScaleParam(), exactMarginalParam()},
            .stochastic = true,
            .run = run,
            .advice = exactMarginalAdvice};
}

}  // namespace meander::sampler
