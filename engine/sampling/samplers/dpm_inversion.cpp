// DPM-Solver++(2M) run upwards (Lu et al. 2022b; the inverse multistep scheduler of diffusers): second order, one
// evaluation a step. The exponential integrator runs in log τ as in DPM++ 2M; the step out of clean data, where log τ
// is −∞, is first order and starts no history.
#include <cmath>

#include "engine/sampling/inversion_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    Tensor previous;
    double previousH = 0;
    for (auto [from, to] : s.intervals()) {
        const Asked asked = askedAt(s, from, to);
        const Tensor d = (co_await s.denoise(asked.state, asked.tau, double(to))).denoised;
        if (from.isClean()) {
            s.advance(raised(s, noiseEstimate(s, asked, d), from, to), to);
            continue;
        }
        const double h = std::log(from / to), extrapolate = previous ? h / (2 * previousH) : 0;
        const double stateCoeff = to / from, onDenoised = s.signal(to) - s.signal(from) * stateCoeff;
        if (extrapolate == 0) s.advance(combine({{stateCoeff, s.x}, {onDenoised, d}}), to);
        else
            s.advance(
                combine(
                    {{stateCoeff, s.x}, {onDenoised * (1 + extrapolate), d}, {-onDenoised * extrapolate, previous}}),
                to);
        previous = d;
        previousH = h;
    }
}

SamplerInfo dpmInversion() {
    return {.id = "dpm_inversion",
            .label = "DPM++ 2M inversion",
            .summary = "Second-order multistep run from the data to noise",
            .source = "Lu et al. 2022, DPM-Solver++ algorithm 2",
            .group = "Inversion",
            .order = 2,
            .inverts = true,
            .run = run};
}

}  // namespace meander::sampler
