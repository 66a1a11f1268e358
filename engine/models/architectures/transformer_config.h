// Entries of the configurations of transformers. Throw Failure, with `what` (the file) and the entry.
#pragma once
#include <string>
#include <vector>

#include "engine/core/json.h"

namespace meander {

// A whole number of 1 … largest.
int extentIn(const Json& config, const char* key, int fallback, int largest, const std::string& what);
// The same for a list of numbers of 0 … largest.
std::vector<int> extentsIn(const Json& config, const char* key, const std::vector<int>& fallback, int largest,
                           const std::string& what);
// Refuses a setting that is there and is not the one that is known.
void requireSetting(const Json& config, const char* key, const Json& known, const std::string& what);
void requireObject(const Json& config, const std::string& what);
[[noreturn]] void sizesDoNotFit(const std::string& what);

}  // namespace meander
