// One round of the engine: the requests of several runs are answered with one call of each model they need. What goes
// wrong in a shared call, or in one run's own arithmetic, stays with that run. Engine thread only.
#pragma once
#include <vector>

#include "engine/run/active_run.h"
#include "engine/run/memory_budget.h"

namespace meander {

// The first `requests` pending requests of a run.
struct BatchItem {
    ActiveRun* run;
    std::size_t requests;
};
// No run may be paused or done. A run whose requests could not be answered has failed (ActiveRun::hasFailed).
void evaluateTogether(Backend& backend, MemoryBudget& budget, const std::vector<BatchItem>& items);

}  // namespace meander
