// Checked access to a record. Views index it with cursors of other runs and with numbers from files, so every index is
// looked at where it is used.
#pragma once
#include "engine/run/trajectory.h"

namespace meander {

// By its index, the position in the record; null outside it.
const Evaluation* evaluationAt(const Trajectory& t, int index);
// State at which step k starts: the initial one for 0, the last one beyond the steps done.
const HostTensor& stateAtStep(const Trajectory& t, int step);
// τ at which step k starts, the last level beyond them; 0 without levels.
double levelAt(const Trajectory& t, int step);

}  // namespace meander
