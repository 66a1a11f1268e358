// iPNDM (Zhang & Chen 2023, section 3.2): Adams–Bashforth on slopes with constant weights, the order growing from 1 in
// the first steps. Second order on levels whose spacing changes smoothly.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool multistepLast = toggle(s.params, "multistep_last");
    EvaluationHistory slopes(std::size_t(integer(s.params, "order")));
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        slopes.add(from, Sampling::slope(s.x, d, from));
        s.advance(to.isClean() && !multistepLast ? Sum(d)
                                                 : s.x + (to - from) * slopes.combined(adamsBashforth(slopes.size())),
                  to);
    }
}

SamplerInfo ipndm() {
    return {
        .id = "ipndm",
        .label = "iPNDM",
        .summary = "Adams–Bashforth with constant weights, its order growing in the first steps",
        .source = "Zhang & Chen 2023, DEIS, section 3.2",
        .group = "Multistep",
        .params =
            {integerParam("order", "Order", 4, 1, 4, "Slopes that are remembered, the new one included."),
             advanced(toggleParam(
                 "multistep_last", "Multistep to clean", false,
                 "The step to clean also extrapolates, as in stable-diffusion.cpp; otherwise it takes the estimate."))},
        .order = 2,
        .run = run};
}

}  // namespace meander::sampler
