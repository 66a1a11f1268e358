// Multistep consistency models (Heek et al. 2024): consistent inside each of a few equal segments, DDIM between their
// edges (algorithm 2). aDDIM (algorithm 3) makes up for the variance that a mean estimate loses.
#include <cmath>

#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool adjusts = toggle(s.params, "adjusted");
    const double variance = real(s.params, "variance"), offset = real(s.params, "offset");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (!adjusts) s.advance(eulerStep(s.x, d, from, to), to);
        else s.advance(adjustedStep(s, d, from, to, variance / (offset + std::exp(2 * s.halfLogSnr(from)))), to);
    }
}

static std::vector<double> levels(const Process& p, const std::vector<double>& schedule, const Params& params) {
    const int segments = int(integer(params, "segments"));
    return segments == 0 ? schedule : phasedLevels(p, schedule, segments);
}

SamplerInfo multistepConsistency() {
    return {.id = "multistep_consistency",
            .label = "Multistep consistency",
            .summary = "DDIM between the segments of the checkpoint, with the lost variance made up on wish",
            .source = "Heek et al. 2024, algorithms 2 and 3",
            .group = "Few-step",
            .params =
                {integerParam(
                     "segments", "Segments", 0, 0, 128,
                     "Equal segments that the checkpoint was trained in: its steps. 0 takes the schedule's levels."),
                 toggleParam(
                     "adjusted", "Adjusted (aDDIM)", false,
                     "Widens each state by the variance that the mean estimate lacks; for plain models at few steps."),
                 advanced(realParam("variance", "Variance", 0.1, 0, 10,
                                    "Numerator of the variance v/(offset + SNR) of the data given the state: 0.1 for "
                                    "images; 1 with offset 1/s² is exact for Gaussian data of deviation s.")),
                 advanced(realParam("offset", "Offset", 2, 0.001, 1000, "Offset of that variance."))},
            .madeFor = {Distillation::Phased, Distillation::None},
            .run = run,
            .ownLevels = levels};
}

}  // namespace meander::sampler
