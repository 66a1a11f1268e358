// Phased consistency models (Wang et al. 2024, section 3.1): the trajectory is cut in phases, and inside a phase every
// state maps to the phase's edge by the DDIM form y_e = (τe/τ) y + (a_e − a τe/τ) D. Steps that end inside a phase
// follow the same direction (deterministic) or fall to the edge and are noised again.
#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const int phases = int(integer(s.params, "phases"));
    for (auto [from, to] : s.intervals()) {
        const double edge = std::min(phaseEnd(s.process, phases, from), double(to));
        const Tensor d = co_await s.denoise(s.x, from, edge);
        s.advance(s.addNoise(eulerStep(s.x, d, from, edge), s.ancestralVia(edge, to)), to);
    }
}

static std::vector<double> levels(const Process& p, const std::vector<double>& schedule, const Params& params) {
    const int phases = int(integer(params, "phases"));
    const bool isStochastic = text(params, "inside") == "noise";
    return phasedLevels(p, schedule, phases, isStochastic ? PhaseSteps::Shared : PhaseSteps::EdgesOnly);
}

SamplerInfo pcm() {
    return {.id = "pcm",
            .label = "PCM",
            .summary = "From edge to edge of the phases that the checkpoint was trained in",
            .source = "Wang et al. 2024, section 3.1",
            .group = "Few-step",
            .params = {phasesParam(4, "Equal phases of the training grid; the number the checkpoint was trained with. "
                                      "Steps should be a multiple or a divisor."),
                       choiceParam("inside", "Inside a phase", "follow",
                                   {{"follow", "Follow the direction"}, {"noise", "To the edge, then noise"}},
                                   "What a step that ends inside a phase does: deterministic along its direction, or "
                                   "consistency sampling within the phase.")},
            .order = 0,
            .madeFor = {Distillation::Phased, Distillation::Trajectory},
            .run = run,
            .ownLevels = levels};
}

}  // namespace meander::sampler
