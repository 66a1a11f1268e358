// SEEDS-2 (Gonzalez et al. 2023, algorithm 2, data prediction in λ = log(a/τ)): two-stage stochastic exponential
// solver. The noise of the whole step continues the noise of the inner one, so both are one path of the driven linear
// SDE.
#include "engine/sampling/stochastic_common.h"

namespace meander {

// `node` r: the second estimate is at λ + r h.
SamplerTask runSeeds2(Sampling& s, double node) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    const bool isExact = text(s.params, "weights") == "phi_2", isNoisy = eta > 0 && noiseScale > 0;
    for (auto [from, to] : finiteIntervals(s)) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double lambda = s.halfLogSnr(from),
                     middle = s.tauOfHalfLogSnr(lambda + node * (s.halfLogSnr(to) - lambda));
        const ExponentialStep inner = exponentialStep(s, from, middle, eta), whole = exponentialStep(s, from, to, eta);
        Tensor half = inner.mean(s.x, d), path;  // path: the noise so far, in units of τ
        if (isNoisy) {
            path = s.freshNoise(inner.noiseStd / middle, from, middle, 0);
            half = half + middle * noiseScale * path;
        }
        const Tensor d2 = co_await s.denoise(half, middle);
        const double total = (1 + eta) * whole.h;
        // Share of the second estimate: 1/(2r) of the integral, or exactly for D linear between the nodes: ∫ = a' (H −
        // 1 + e^{−H})/H / r.
        const double onSecond =
            isExact ? s.signal(to) * (total + std::expm1(-total)) / (total * node) : whole.denoisedCoeff / (2 * node);
        Tensor next = whole.mean(s.x, d) + onSecond * (d2 - d);
        if (isNoisy) {
            const double rest = (1 - node) * whole.h * eta, stddev = to * noiseScale;
            next = next + stddev * std::exp(-rest) * path
                   + stddev * std::sqrt(-std::expm1(-2 * rest)) * s.noise(middle, to, 1);
        }
        s.advance(next, to);
    }
}

namespace sampler {

static SamplerTask run(Sampling& s) { return runSeeds2(s, real(s.params, "r")); }

SamplerInfo seeds2() {
    return {.id = "seeds_2",
            .label = "SEEDS-2",
            .summary = "Two-stage stochastic exponential solver",
            .source = "Gonzalez et al. 2023, SEEDS",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(),
                       advanced(realParam("r", "Inner node", 0.5, 0.05, 1,
                                          "Where in the step, in log-SNR, the second estimate is made.")),
                       advanced(choiceParam("weights", "Weights", "phi_1",
                                            {{"phi_1", "Midpoint (φ1)"}, {"phi_2", "Exact integral (φ2)"}},
                                            "How the two estimates share the step.")),
                       timeShiftParam()},
            .stochastic = true,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace sampler
}  // namespace meander
