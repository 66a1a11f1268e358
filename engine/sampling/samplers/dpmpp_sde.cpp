// DPM-Solver++ (stochastic), two stages (k-diffusion): an estimate at λ + r h, reached by an ancestral step, corrects the ancestral step of the whole interval.
// Ancestral pairs are on the clock e^{−λ} = n/s. The two noises bridge τ → τ_r and τ → τ' of one path, which a Brownian source answers with the right correlation.
#include "engine/sampling/stochastic_kit.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise"), r = real(s.params, "r");
    for (const Interval& interval : finiteIntervals(s)) {
        const Level from = interval.from, to = interval.to;
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        if (to.isClean()) {
            s.advance(combine({{s.signal(0), d}}), to);
            co_return;
        }
        const double sigma = s.process.sigma(from), lambda = s.halfLogSnr(from), middle = s.tauOfHalfLogSnr(lambda + r * (s.halfLogSnr(to) - lambda));
        const auto move = [&](double level, const Tensor& estimate, int draw) {
            const auto [down, up] = ancestralPair(sigma, s.process.sigma(level), eta);
            const double a = s.signal(level), kept = down / sigma;
            const Tensor moved = combine({{a / s.signal(from) * kept, s.x}, {a * (1 - kept), estimate}});
            const double spread = a * up * noiseScale;
            return spread > 0 ? combine({{1, moved}, {spread, s.noise(from, level, draw)}}) : moved;
        };
        const Tensor d2 = (co_await s.denoise(move(middle, d, 0), middle)).denoised;
        const double onSecond = 1 / (2 * r);
        s.advance(move(to, combine({{1 - onSecond, d}, {onSecond, d2}}), 1), to);
    }
}

SamplerInfo dpmppSde() {
    return {.id = "dpmpp_sde", .label = "DPM++ SDE", .summary = "Two-stage exponential solver of the reverse SDE", .source = "Lu et al. 2022, DPM-Solver++; k-diffusion", .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(), advanced(realParam("r", "Inner node", 0.5, 0.05, 1, "Where in the step, in log-SNR, the second estimate is made.")), timeShiftParam()},
            .stochastic = true, .run = run, .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
