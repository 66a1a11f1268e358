// Rectified diffusion (Wang et al. 2024): retrained on its own pairs, ε̂ stays constant along the path, which in the
// form of diffusion is curved. A first-order path: x_s = (α_s/α_t) x_t + (σ_s − σ_t α_s/α_t) ε̂ is exact for a jump of
// any size, here y' = y + (τ' − τ) ε̂ + (a' − a) D. Phased checkpoints keep ε̂ constant in each phase.
#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const int phases = int(integer(s.params, "phases"));
    const bool keeps = toggle(s.params, "keep");
    Tensor noise;
    double end = -1;  // of the phase whose ε̂ is kept
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (const double edge = phaseEnd(s.process, phases, from); !keeps || edge != end) {
            noise = s.noiseEstimate(s.x, d, from);
            end = edge;
        }
        s.advance(s.signal(to) * d + to * noise, to);
    }
}

static std::vector<double> levels(const Process& p, const std::vector<double>& schedule, const Params& params) {
    const int phases = int(integer(params, "phases"));
    return phases == 1 ? schedule : phasedLevels(p, schedule, phases);
}

SamplerInfo rectifiedDiffusion() {
    return {.id = "rectified_diffusion",
            .label = "Rectified diffusion",
            .summary = "Jumps of any size along paths of constant ε",
            .source = "Wang et al. 2024, Rectified Diffusion",
            .group = "Few-step",
            .params = {phasesParam(1, "Phases of constant ε: 1, or those of a phased checkpoint."),
                       toggleParam("keep", "Keep ε", false,
                                   "Keeps the first ε of each phase instead of the newest: the same where the "
                                   "checkpoint is rectified, and a measure of how far it is not.")},
            .madeFor = {Distillation::Reflow, Distillation::Phased},
            .run = run,
            .ownLevels = levels};
}

}  // namespace meander::sampler
