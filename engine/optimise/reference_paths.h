// Fine runs as what a schedule is fitted to: for each image the states at every level and the estimates there. In the
// integration coordinates of engine/process (EDM coordinates x/α over σ for variance exploding and preserving, native
// ones over t for flows), where the slope of the probability flow is (y − D)/τ.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/analysis/path.h"

namespace meander {

struct ReferencePath {
    std::vector<State> states;    // at every level
    std::vector<State> denoised;  // x̂0 at every level but the last, of the state there
};

struct ReferencePaths {
    Process process = Process::varianceExploding(0.002, 80);
    std::vector<double> levels;        // τ, falling to 0
    std::vector<ReferencePath> paths;  // one per image
    bool isGuided = false;             // the estimates are combined ones

    int intervals() const { return int(levels.size()) - 1; }
    std::size_t dimensions() const { return paths.front().states.front().size(); }
    // Straight on from level `from`: y_from + (τ_to − τ_from) (y_from − D_from)/τ_from; D itself at 0.
    State eulerStep(const ReferencePath& path, int from, int to) const;
};

// Why a run can be no reference: a sentence, or empty. Looks at its steps, not at its states.
std::string referenceProblem(const Run& run);
// Of finished runs with equal levels and state shapes. Throws Failure with a sentence for runs that a schedule cannot
// be fitted to: without recorded states, with added noise, on curved spaces, ending above 0, or of samplers whose first
// estimate of a step is not at the step's state.
ReferencePaths referencePaths(std::span<const std::shared_ptr<const Run>> runs);

}  // namespace meander
