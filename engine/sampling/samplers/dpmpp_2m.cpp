// DPM-Solver++(2M) (Lu et al. 2022b, algorithm 2): second-order multistep in λ = log(a/τ), one evaluation a step. The first step and the one to clean are first order.
#include <cmath>

#include "engine/sampling/samplers/samplers.h"

namespace meander {

SamplerTask dpmpp2m(Sampling& s) {
    Tensor previous;
    double previousH = 0;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from, to)).denoised;
        const double h = s.halfLogSnr(to) - s.halfLogSnr(from);  // ∞ from pure noise or to clean
        const double onState = to / from, onDenoised = -s.signal(to) * std::expm1(-h);
        const double extrapolate = previous && !to.isClean() && std::isfinite(previousH) ? h / (2 * previousH) : 0;
        if (extrapolate == 0)
            s.advance(combine({{onState, s.x}, {onDenoised, d}}), to);
        else
            s.advance(combine({{onState, s.x}, {onDenoised * (1 + extrapolate), d}, {-onDenoised * extrapolate, previous}}), to);
        previous = d;
        previousH = h;
    }
}

}  // namespace meander
