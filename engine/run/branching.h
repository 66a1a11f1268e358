// How a branch continues its parent: which levels it visits, and whether the sampler's history is restored by replay or
// restarted.
#pragma once
#include "engine/run/trajectory.h"

namespace meander {

// The parent's levels up to `step`, then those of `own` that lie beyond (below; above where levels rise).
std::vector<double> branchLevels(const std::vector<double>& parent, int step, const std::vector<double>& own);

// True when the same sampler code can run from the start, answered from the parent's record up to `step`: multistep
// history and noise are then right by construction. False: the sampler starts afresh from the recorded state at `step`.
bool restoresHistory(const Recipe& child, const Run& parent);

}  // namespace meander
