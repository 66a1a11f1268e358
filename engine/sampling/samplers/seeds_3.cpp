// SEEDS-3 (Gonzalez et al. 2023, algorithm 3, data prediction in λ): three-stage stochastic exponential solver; the
// noises of the stages are one path.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static int requests(int step, int steps, const Params&) { return step + 1 < steps ? 3 : 1; }

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise"), r1 = real(s.params, "r_1"),
                 r2 = real(s.params, "r_2");
    const bool noisy = eta > 0 && noiseScale > 0;
    for (const Interval& interval : finiteIntervals(s)) {
        const NoiseLevel from = interval.from, to = interval.to;
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        if (to.isClean()) {
            s.advance(combine({{s.signal(0), d}}), to);
            co_return;
        }
        const double lambda = s.halfLogSnr(from), h = s.halfLogSnr(to) - lambda,
                     first = s.tauOfHalfLogSnr(lambda + r1 * h), second = s.tauOfHalfLogSnr(lambda + r2 * h);
        Tensor path;  // noise so far in units of τ: decays by e^{−ηΔλ} and grows to unit variance
        const auto stage = [&](double level, const Tensor& other, double onOther) {
            const auto step = exponentialStep(s, from, level, eta);
            return other ? combine({{step.stateCoeff, s.x}, {step.onDenoised - onOther, d}, {onOther, other}})
                         : combine({{step.stateCoeff, s.x}, {step.onDenoised, d}});
        };
        const auto noised = [&](const Tensor& y, double after, double level, double share, int draw) {
            if (!noisy) return y;
            const double decay = share * h * eta, fresh = std::sqrt(-std::expm1(-2 * decay));
            const Tensor z = s.noise(after, level, draw);
            path = path ? combine({{std::exp(-decay), path}, {fresh, z}}) : combine({{fresh, z}});
            return combine({{1, y}, {level * noiseScale, path}});
        };
        // Weight of the later estimate where D is linear from λ to the node r: a (Hθ − 1 + e^{−Hθ})/(Hθ) θ/r over a
        // share θ of the step.
        const auto weight = [&](double level, double share, double node) {
            const double total = (1 + eta) * h * share;
            return s.signal(level) * (total + std::expm1(-total)) / total * share / node;
        };
        const Tensor d2 = (co_await s.denoise(noised(stage(first, {}, 0), from, first, r1, 0), first)).denoised;
        const Tensor d3 =
            (co_await s.denoise(noised(stage(second, d2, weight(second, r2, r1)), first, second, r2 - r1, 1), second))
                .denoised;
        s.advance(noised(stage(to, d3, weight(to, 1, r2)), second, to, 1 - r2, 2), to);
    }
}

SamplerInfo seeds3() {
    return {.id = "seeds_3",
            .label = "SEEDS-3",
            .summary = "Three-stage stochastic exponential solver",
            .source = "Gonzalez et al. 2023, SEEDS",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(),
                       advanced(realParam("r_1", "First node", 1.0 / 3, 0.05, 0.95,
                                          "Where in the step, in log-SNR, the second estimate is made.")),
                       advanced(realParam(
                           "r_2", "Second node", 2.0 / 3, 0.05, 1,
                           "Where in the step, in log-SNR, the third estimate is made; above the first node.")),
                       timeShiftParam()},
            .stochastic = true,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
