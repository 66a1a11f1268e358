// Trajectory-segmented consistency (Ren et al. 2024, Hyper-SD): inside a segment the jump goes to s = max(edge, ⌊(1 −
// η) t'⌋), then fresh noise up to the next time. One segment is the unified one-step checkpoint (the TCD step), as many
// as steps is DDIM on the segments' edges.
#include <algorithm>

#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const int segments = int(integer(s.params, "segments"));
    const double eta = real(s.params, "eta");
    const Process& p = s.process;
    for (auto [from, to] : s.intervals()) {
        const bool isLast = to.index == s.steps();
        const double time = to.isClean() ? 0 : p.networkTime(to), edge = phaseEnd(p, segments, from);
        const double below = isLast || eta == 0 ? double(to) : p.tauOfTime(trainedTime(p, (1 - eta) * time));
        const Sampling::AncestralStep step = s.ancestralVia(std::min(std::max(below, edge), double(to)), to);
        const Tensor d = co_await s.denoise(s.x, from, step.sigmaDown);
        s.advance(s.addNoise(eulerStep(s.x, d, from, step.sigmaDown), step), to);
    }
}

static std::vector<double> levels(const Process& p, const std::vector<double>& schedule, const Params& params) {
    return phasedLevels(p, schedule, int(integer(params, "segments")));
}

SamplerInfo hyperSegments() {
    return {
        .id = "hyper_segments",
        .label = "Segmented consistency",
        .summary = "Jumps inside the segments of the checkpoint with a share η of fresh noise",
        .source = "Ren et al. 2024, Hyper-SD",
        .group = "Few-step",
        .params = {integerParam(
                       "segments", "Segments", 1, 1, 128,
                       "Segments the checkpoint was trained in: 1 for the unified checkpoint, N for its N-step ones."),
                   etaParam(1, "Stochasticity: 1 jumps to the data or the segment's edge and noises again; lower keeps "
                               "more of the path and more detail.")},
        .order = 0,
        .stochastic = true,
        .madeFor = {Distillation::Trajectory, Distillation::Phased},
        .run = run,
        .ownLevels = levels};
}

}  // namespace meander::sampler
