// SEEDS-3 (Gonzalez et al. 2023, algorithm 3, data prediction in λ): three-stage stochastic exponential solver; the
// noises of the stages are one path.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static int requests(int step, int steps, const Params&) { return step + 1 < steps ? 3 : 1; }

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise"), r1 = real(s.params, "r_1"),
                 r2 = real(s.params, "r_2");
    const bool isNoisy = eta > 0 && noiseScale > 0;
    for (const Interval& interval : finiteIntervals(s)) {
        const NoiseLevel from = interval.from, to = interval.to;
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double lambda = s.halfLogSnr(from), h = s.halfLogSnr(to) - lambda,
                     first = s.tauOfHalfLogSnr(lambda + r1 * h), second = s.tauOfHalfLogSnr(lambda + r2 * h);
        Tensor path;  // noise so far in units of τ: decays by e^{−ηΔλ} and grows to unit variance
        const auto stage = [&](double level, const Tensor& other, double onOther) -> Tensor {
            return exponentialStep(s, from, level, eta).mean(s.x, d) + onOther * (other - d);
        };
        const auto noised = [&](const Tensor& y, double after, double level, double share, int draw) -> Tensor {
            if (!isNoisy) return y;
            const double decay = share * h * eta, fresh = std::sqrt(-std::expm1(-2 * decay));
            const Tensor z = s.noise(after, level, draw);
            path = path ? std::exp(-decay) * path + fresh * z : fresh * z;
            return y + level * noiseScale * path;
        };
        // Weight of the later estimate where D is linear from λ to the node r: a (Hθ − 1 + e^{−Hθ})/(Hθ) θ/r over a
        // share θ of the step.
        const auto weight = [&](double level, double share, double node) {
            const double total = (1 + eta) * h * share;
            return s.signal(level) * (total + std::expm1(-total)) / total * share / node;
        };
        const Tensor y2 = noised(stage(first, d, 0), from, first, r1, 0), d2 = co_await s.denoise(y2, first);
        const Tensor y3 = noised(stage(second, d2, weight(second, r2, r1)), first, second, r2 - r1, 1),
                     d3 = co_await s.denoise(y3, second);
        s.advance(noised(stage(to, d3, weight(to, 1, r2)), second, to, 1 - r2, 2), to);
    }
}

static std::string problem(const Params& p) {
    return real(p, "r_1") < real(p, "r_2") ? ""
                                           : "the second node must come after the first: choose r_2 greater than r_1.";
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
            .requestsInStep = requests,
            .problem = problem};
}

}  // namespace meander::sampler
