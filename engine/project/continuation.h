// A run of a project made ready for the engine: one that waited when its program ended, one that was interrupted and
// goes on behind its last evaluation, or any one again from the beginning, with or without what it reuses.
#pragma once
#include "engine/project/project_store.h"
#include "engine/run/engine.h"

namespace meander {

enum class Continuation : std::uint8_t {
    Start,  // a waiting run, as the run it is
    GoOn,   // an ended one, from its record, as the run it is
    Again,  // its recipe as a new run
    Whole,  // its recipe without reuse inside the network as a new run, which its error is measured against
};

// Loads what the run builds on (its record, the runs it branches or starts from) and plans it anew. Any thread; waits
// for the store.
Result<Submission> prepareRun(ProjectStore& store, const std::string& runId, Continuation how);

}  // namespace meander
