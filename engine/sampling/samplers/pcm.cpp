// Phased consistency models (Wang et al. 2024, section 3.1): the trajectory is cut in phases, and inside a phase every
// state maps to the phase's edge by the DDIM form y_e = (τe/τ) y + (1 − τe/τ) D. The network knows the edge alone, so
// with more steps than phases deterministic sampling visits the edges only; with noise a step falls to the edge and is
// noised again to a level inside the phase.
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
                                      "Fewer steps should divide it."),
                       choiceParam("inside", "Inside a phase", "follow",
                                   {{"follow", "Edges only"}, {"noise", "To the edge, then noise"}},
                                   "What more steps than phases do: nothing, since the network knows the edges alone, "
                                   "or consistency sampling within the phase.")},
            .order = 0,
            .madeFor = {Distillation::Phased, Distillation::Trajectory},
            .run = run,
            .ownLevels = levels};
}

}  // namespace meander::sampler
