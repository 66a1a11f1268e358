// What this process has measured of its models: seconds a row of a network call takes. Written by the engine thread,
// read by plans on any thread.
#pragma once
#include "engine/models/model.h"

namespace meander {

double measuredSecondsPerRow(const ModelInfo& model);  // 0: not measured yet
void recordSecondsPerRow(const ModelInfo& model, double seconds);
// Names the model and the size of its states, on which time and memory depend.
std::string costKeyOf(const ModelInfo& model);

}  // namespace meander
