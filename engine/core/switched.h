// Rules and operators that stand in a list can be switched off in their place, with their settings kept.
#pragma once
#include "engine/core/params.h"

namespace meander {

inline constexpr const char* enabledKey = "enabled";

// For the rows of such a table. Optional: a recipe says so only where something is off, and recipes of earlier versions
// say nothing.
ParamSpec enabledParam();
bool isSwitchedOff(const Choice& choice);

}  // namespace meander
