// Euler Negative (Koishi-Star; reForge): Euler with noise raised before each step, whose third and fourth steps also
// turn the state's sign. Published code raises noise by γ = max(churn/N, √2 − 1), so at every level whatever the churn,
// where Karras et al. 2022 (algorithm 2) have the minimum; and it subtracts the noise it draws.
#include <numbers>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double churn = real(s.params, "s_churn") / s.steps(), limit = std::numbers::sqrt2 - 1,
                 low = real(s.params, "s_tmin"), noiseScale = real(s.params, "s_noise");
    const double high =
        s.params.contains("s_tmax") ? real(s.params, "s_tmax") : std::numeric_limits<double>::infinity();
    const bool isPublished = text(s.params, "raise") == "published";
    for (auto [from, to] : s.intervals()) {
        const double sigma = s.process.sigma(from), gamma = sigma < low || sigma > high ? 0
                                                            : isPublished               ? std::max(churn, limit)
                                                                                        : std::min(churn, limit);
        const double raised =
            gamma > 0 && std::isfinite(sigma) ? s.process.tauOfSigma((1 + gamma) * sigma) : double(from);
        Tensor y = s.x;
        if (raised > from) {
            const auto split = s.ancestralVia(from, raised);
            y = split.scale * y - s.freshNoise(noiseScale * split.noiseStd, from, raised);
        }
        const Tensor d = co_await s.denoise(y, raised);
        const bool turns = !to.isClean() && from.index / 2 == 1;
        s.advance((turns ? -1 : 1) * eulerStep(y, d, raised, to), to);
    }
}

SamplerInfo eulerNegative() {
    return {.id = "euler_negative",
            .label = "Euler Negative",
            .summary = "Euler with raised noise that turns the state's sign in its third and fourth step",
            .source = "Koishi-Star, Euler-Smea-Dyn-Sampler; reForge",
            .group = "Stochastic",
            .params = {choiceParam("raise", "Raised by", "published",
                                   {{"published", "At least √2 − 1, as published"},
                                    {"karras", "At most √2 − 1, as Karras et al."}},
                                   "How the churn bounds the factor γ of the noise that is added before a step."),
                       realParam("s_churn", "Churn", 0, 0, 1000, "N γ: how much noise is added over the run.", 1),
                       realParam("s_tmin", "From σ", 0, 0, 1e6, "Noise is raised at levels above this.", 0.05),
                       optionalParam(realParam("s_tmax", "To σ", 50, 0, 1e6,
                                               "Noise is raised at levels below this; absent: at all.", 1)),
                       noiseScaleParam()},
            .stochastic = true,
            .drawsBesidePath = true,
            .run = run,
            .draws = [](const Params& p) {
                return real(p, "s_noise") > 0 && (text(p, "raise") == "published" || real(p, "s_churn") > 0);
            }};
}

}  // namespace meander::sampler
