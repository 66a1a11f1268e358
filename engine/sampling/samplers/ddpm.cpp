// DDPM (Ho et al. 2020, eq. 6–7): the mean of the exact posterior q(x' | x, x̂0), then noise of its variance (fixed
// small) or of the forward step's (fixed large). On a clock c of noise over constant signal: y' = (c'/c)² y + (1 −
// (c'/c)²) D + spread z, spread² = c'² (1 − (c'/c)²) (small) or that of the forward step (large).
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool large = text(s.params, "variance") == "fixed_large", exact = toggle(s.params, "exact_marginal");
    const double noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        // Published code takes τ for the clock; the exact one is σ = τ/a, the same where a = 1. With y = a x: r² a'/a =
        // (a'/a) (τ' a/(τ a'))² = (a/a') (τ'/τ)².
        const double a = exact ? s.signal(from) : 1, next = exact ? s.signal(to) : 1, ratio = to * a / (from * next),
                     kept = ratio * ratio;
        double variance = to * to * (1 - kept);
        if (large) {
            const double scale = s.process.nativeScale(from) / s.process.nativeScale(to);
            variance = scale * scale * (from * from - a * a / (next * next) * to * to);
        }
        const double spread = to.isClean() ? 0 : noiseScale * std::sqrt(variance);
        Tensor mean = combine({{to * to / (from * from) * (a / next), s.x}, {next * (1 - kept), d}});
        s.advance(spread > 0 ? combine({{1, mean}, {spread, s.noise()}}) : mean, to);
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
            .run = run};
}

}  // namespace meander::sampler
