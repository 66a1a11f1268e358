// Multistep consistency sampling (Song et al. 2023, algorithm 1; Luo et al. 2023 for LCM): jump to the data, then noise again to the next level.
#include "engine/sampling/samplers/samplers.h"

namespace meander {

SamplerTask consistency(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from, 0.0)).denoised;
        if (to.isClean())
            s.advance(combine({{s.signal(0), d}}), to);
        else
            s.advance(combine({{s.signal(to), d}, {double(to), s.noise()}}), to);
    }
}

}  // namespace meander
