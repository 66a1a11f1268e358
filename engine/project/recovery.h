// Rescues what can be read of a damaged project into a new file; the damaged one is only read.
#pragma once
#include "engine/core/result.h"

namespace meander {

struct Recovered {
    std::string path;     // the copy
    int runs = 0;         // in the copy
    int damagedRuns = 0;  // of them with something missing
    std::string sentence;
};

Result<Recovered> recoverProject(const std::string& path);

}  // namespace meander
