// DPM-Solver++ (stochastic), two stages (k-diffusion): an estimate at λ + r h, reached by an ancestral step, corrects
// the ancestral step of the whole interval. Ancestral pairs are on the clock e^{−λ} = n/s. Both noises are of one path
// W(τ), the second continuing the first, as from the Brownian tree of the published code; two independent ones would
// make it first order.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise"), r = real(s.params, "r");
    for (const Interval& interval : finiteIntervals(s)) {
        const NoiseLevel from = interval.from, to = interval.to;
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double sigma = s.process.sigma(from), lambda = s.halfLogSnr(from),
                     middle = s.tauOfHalfLogSnr(lambda + r * (s.halfLogSnr(to) - lambda));
        const auto move = [&](double level, const Tensor& estimate, const Tensor& path) -> Tensor {
            const auto [sigmaDown, sigmaUp] = ancestralPair(sigma, s.process.sigma(level), eta);
            const double a = s.signal(level), kept = sigmaDown / sigma;
            const Tensor moved = a * (kept / s.signal(from) * s.x + (1 - kept) * estimate);
            return path ? moved + a * sigmaUp * noiseScale / std::sqrt(from - level) * path : Sum(moved);
        };
        const bool isNoisy = eta > 0 && noiseScale > 0;
        Tensor path;  // W(τ) − W(τ_r), then W(τ) − W(τ')
        if (isNoisy) path = s.freshNoise(std::sqrt(from - middle), from, middle, 0);
        const Tensor half = move(middle, d, path), d2 = co_await s.denoise(half, middle);
        if (isNoisy && middle > to) path = path + s.freshNoise(std::sqrt(middle - to), middle, to, 1);
        s.advance(move(to, d + 1 / (2 * r) * (d2 - d), path), to);
    }
}

SamplerInfo dpmppSde() {
    return {.id = "dpmpp_sde",
            .label = "DPM++ SDE",
            .summary = "Two-stage exponential solver of the reverse SDE",
            .source = "Lu et al. 2022, DPM-Solver++; k-diffusion",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(),
                       advanced(realParam("r", "Inner node", 0.5, 0.05, 1,
                                          "Where in the step, in log-SNR, the second estimate is made.")),
                       timeShiftParam()},
            .stochastic = true,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
