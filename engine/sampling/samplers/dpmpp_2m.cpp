// DPM-Solver++(2M) (Lu et al. 2022b, algorithm 2): second-order multistep, one evaluation a step; the first step and
// the one to clean are first order. In these coordinates dy/d(log τ) = y − D under every process, so the exponential
// integrator runs in log τ. For variance exploding and preserving this is the paper's λ. For rectified flow it avoids λ
// = −∞ at pure noise: on the exact Gaussian with Karras levels the order is 2.07 where extrapolating in log((1 − t)/t)
// gives 1.76 and, at 20 steps, ten times the error.
#include <cmath>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    TwoStepHistory history;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double h = std::log(from / to);
        s.advance(to / from * s.x + (1 - to / from) * history.extrapolated(d, h), to);
        history = {d, h};
    }
}

SamplerInfo dpmpp2m() {
    return {.id = "dpmpp_2m",
            .label = "DPM++ 2M",
            .summary = "Second-order multistep in log-SNR, one evaluation a step",
            .source = "Lu et al. 2022, DPM-Solver++ algorithm 2",
            .group = "Multistep",
            .order = 2,
            .run = run};
}

}  // namespace meander::sampler
