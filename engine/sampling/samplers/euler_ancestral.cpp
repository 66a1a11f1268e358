// Ancestral sampling (Ho et al. 2020; k-diffusion): an Euler step below the target level, then fresh noise up to it. η = 1 takes the variance of the exact
// posterior of a single data point, η = 0 is Euler. Written in σ = τ/a, so it serves every process.
#include <algorithm>
#include <cmath>

#include "engine/sampling/samplers/samplers.h"

namespace meander {

SamplerTask eulerAncestral(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from, to)).denoised;
        const double sigmaFrom = s.process.sigma(from), sigmaTo = s.process.sigma(to), ratio = sigmaTo / sigmaFrom;
        const double up = std::min(sigmaTo, eta * sigmaTo * std::sqrt(std::max(0.0, 1 - ratio * ratio)));
        const double down = s.process.tauOfSigma(std::sqrt(std::max(0.0, sigmaTo * sigmaTo - up * up)));
        const Tensor lower = combine({{down / from, s.x}, {1 - down / from, d}});
        if (to.isClean() || up == 0) {
            s.advance(lower, to);
            continue;
        }
        const double rise = s.signal(to) / s.signal(down);
        const double spread = std::sqrt(std::max(0.0, to * to - rise * rise * down * down));
        s.advance(combine({{rise, lower}, {noiseScale * spread, s.noise()}}), to);
    }
}

}  // namespace meander
