// What the engine tells, kept in the project: to be called for every event, in order (from the engine's sink).
#pragma once
#include "engine/project/project_store.h"
#include "engine/run/engine.h"

namespace meander {

void recordEvent(ProjectStore& store, const RunEvent& e, std::function<void()> committed = {});

}  // namespace meander
