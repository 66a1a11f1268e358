// DPM-Solver++(2M) run upwards (Lu et al. 2022b; the inverse multistep scheduler of diffusers): second order, one
// evaluation a step. The exponential integrator runs in log τ as in DPM++ 2M; the step out of clean data, where log τ
// is −∞, is first order and starts no history.
#include <cmath>

#include "engine/sampling/inversion_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    TwoStepHistory history;
    for (auto [from, to] : s.intervals()) {
        const InversionPoint at = inversionPoint(s, from, to);
        const Tensor d = co_await s.denoise(at.state, at.tau, double(to));
        if (from.isClean()) {
            s.advance(noisedAlong(s, s.noiseEstimate(at.state, d, at.tau), from, to), to);
            continue;
        }
        const double h = std::log(from / to);
        s.advance(to / from * s.x + (1 - to / from) * history.extrapolated(d, h), to);
        history = {d, h};
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
