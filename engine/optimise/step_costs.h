// What one Euler step between two levels of a reference misses, for every pair of levels: nothing is evaluated, since
// states and slopes are recorded.
#pragma once
#include "engine/optimise/level_path.h"
#include "engine/optimise/reference_paths.h"

namespace meander {

enum class StepCost : std::uint8_t {
    L1,         // mean |e|
    L2,         // RMS of e, mean over the paths (GITS)
    Squared,    // mean square of e (BOSS, eq. 6: mean ‖y_i + v_i (τ_j − τ_i) − y_j‖²)
    AtEnd,      // the same of what arrives of e at the end: shrunk or grown along the way as RecordedModel has it
    Deviation,  // RMS distance from the chord of the whole path, beyond that of the path itself (GITS, "dev"); may be
                // negative
};
// With e = (Euler step from level i to level j) − (state at level j). The step to 0 is one of them: its end is the
// estimate at its start.
CostMatrix stepCosts(const ReferencePaths& reference, StepCost cost);

}  // namespace meander
