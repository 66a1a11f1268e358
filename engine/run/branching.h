// How a run continues a record: a branch its parent's, an interrupted run its own.
#pragma once
#include "engine/run/trajectory.h"

namespace meander {

// The parent's levels up to `step`, then those of `own` that lie beyond (below; above where levels rise).
std::vector<double> branchLevels(const std::vector<double>& parent, int step, const std::vector<double>& own);

// True when the same sampler code can run from the start, answered from the parent's record up to the branch: multistep
// history and noise are then right by construction. False: the sampler starts afresh from the recorded state.
bool restoresHistory(const Recipe& child, const Run& parent);

// The levels of a branch and whether it replays.
struct BranchPlan {
    std::vector<double> levels;
    bool restoresHistory = false;
};
// `own`: what the child's schedule gives. A sampler that chooses its own steps is given what the parent's was given, as
// long as nothing of it changes.
BranchPlan planBranch(const Recipe& child, const Run& parent, const std::vector<double>& own);

// A record of this recipe repeats its run in every bit: the parts of each estimate are recorded, or neither the sampler
// nor guidance uses them. No record holds features of the network: where a rule keeps some, the last evaluations are
// made again.
bool canReplay(const Recipe& recipe);

// Of the first `until` evaluations of a record: the one from which the features that the recipe's rules keep follow,
// the last whole one or one before it. 0 where the record does not tell.
std::size_t featuresFollowFrom(const Trajectory& record, std::size_t until, const Recipe& recipe);

// Whether a run that ended before its end can go on from its record (Submission::interrupted); the sentence says why
// not, and to run the recipe again.
Status canGoOn(const Run& run);

}  // namespace meander
