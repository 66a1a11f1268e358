// Mixture of bridges (Jo & Hwang 2024): dX = σ²/r · E[log_X(X_T)|X] dt + σ dB^M with r the time that is left, by
// geodesic random walk. Here r = τ, and a step has the variance of the bridge to a single end, σ² (τ − τ') τ'/τ, so
// that it is exact where the end is known and arrives with τ' = 0. σ = 0 is the Riemannian flow's Euler.
#include <cmath>

#include "engine/sampling/manifold_common.h"
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const Manifold& m = s.process.manifold();
    const double sigma = real(s.params, "sigma");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const double share = 1 - to / from, noiseStd = sigma * std::sqrt((from - to) * to / from);
        s.advance(noiseStd > 0 ? randomWalk(m, s.x, d, share, s.noise(), noiseStd) : alongGeodesic(m, s.x, d, share),
                  to);
    }
}

SamplerInfo bridgeMixture() {
    return {.id = "bridge_mixture",
            .label = "Mixture of bridges",
            .summary = "Random walk along geodesics towards the expected end",
            .source = "Jo & Hwang 2024",
            .group = "Manifold",
            .params = {realParam(
                "sigma", "σ", 1, 0, 20,
                "Strength of the Brownian motion, as the model was made or trained with; 0 walks without noise.")},
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::Bridge},
            .curved = true,
            .run = run};
}

}  // namespace meander::sampler
