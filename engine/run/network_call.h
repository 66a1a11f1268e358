// Calls of a network for rows of several requests, each at its own noise level. A call that does not fit into memory is
// halved and goes on: rows do not depend on what else is in their call, so the results are the same in every bit.
#pragma once
#include <span>
#include <vector>

#include "engine/run/memory_budget.h"
#include "engine/run/run_guidance.h"

namespace meander {

class ActiveRun;

// All rows of one branch of one request.
struct BatchSlot {
    ActiveRun* run;
    std::size_t request, group;
    const RowGroup* rows;
};

// The answers, in the order of the slots. Throws what the network throws, and OutOfMemory when not even one row fits.
std::vector<GroupAnswer> callNetwork(Model& model, Backend& backend, MemoryBudget& budget,
                                     std::span<const BatchSlot> slots);

}  // namespace meander
