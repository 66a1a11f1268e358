// Fixed-point inversion (Pan et al. 2023, AIDI; Garibi et al. 2024, ReNoise): the state above whose DDIM step comes
// down to the present one, solved by iteration, so that sampling back on the same levels returns the data. Residual
// r(y) = x − [(τ/τ') y + (1 − τ/τ') D(y, τ')]; y ← y + κ r(y) with Anderson acceleration (Anderson 1965; depth
// 0: plain iteration). Only levels above are asked, so clean data is no special case.
#include <algorithm>

#include "engine/sampling/inversion_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const int iterations = int(integer(s.params, "iterations")), depth = int(integer(s.params, "depth"));
    const double tolerance = real(s.params, "tolerance");
    for (auto [from, to] : s.intervals()) {
        const double kept = from / to;
        // ∂D/∂y lies between 0 and min(1/a, 1/τ) for data of deviation up to 2, so this κ makes the iteration contract
        // at every level.
        const double relax = 1 / (kept + (1 - kept) * std::min(1 / std::max(s.signal(to), 1e-9), 1 / to));
        Anderson accelerate(depth);
        Tensor y = s.signal(to) / s.signal(from) * s.x;
        for (int i = 0; i < iterations; ++i) {
            const Tensor d = co_await s.denoise(y, to, from);
            const Tensor step = relax * (s.x - eulerStep(y, d, to, from));
            const std::vector<double> size = rmsRows(step), scale = rmsRows(y);
            y = accelerate.next(y, step);
            bool isDone = tolerance > 0;
            for (std::size_t r = 0; r < size.size(); ++r) isDone &= size[r] <= tolerance * std::max(scale[r], 1e-12);
            if (isDone) break;
        }
        s.advance(y, to);
    }
}

static int requests(int, int, const Params& p) { return int(integer(p, "iterations")); }

SamplerInfo fixedPointInversion() {
    return {.id = "fixed_point_inversion",
            .label = "Fixed-point inversion",
            .summary = "Solves for the noise that the deterministic step brings back to the data",
            .source = "Pan et al. 2023; Garibi et al. 2024",
            .group = "Inversion",
            .params = {integerParam("iterations", "Iterations", 5, 1, 200,
                                    "Evaluations a step, at most: more bring the round trip closer to exact."),
                       integerParam("depth", "Anderson depth", 2, 0, 8,
                                    "Earlier iterates that acceleration combines; 0 is the plain iteration."),
                       advanced(realParam(
                           "tolerance", "Tolerance", 0, 0, 0.1,
                           "Stops a step when an iteration moves less than this share of the state; 0 always does all.",
                           1e-6))},
            .inverts = true,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
