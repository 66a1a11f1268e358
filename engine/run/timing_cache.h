// What this process has measured of its models: seconds a row of a network call takes. Written by the engine thread,
// read by plans on any thread.
#pragma once
#include <string>

namespace meander {

double measuredSecondsPerRow(const std::string& modelId);  // 0: not measured yet
void recordSecondsPerRow(const std::string& modelId, double seconds);

}  // namespace meander
