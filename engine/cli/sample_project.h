// The sample project that the window opens with: what its runs are, in one place.
#pragma once
#include "engine/cli/command.h"
#include "engine/recipe/recipe.h"

namespace meander::cli {

struct SampleRun {
    std::string name;
    Recipe recipe;
    bool isPinned = false;
};
// Throws Failure when a model is missing.
std::vector<SampleRun> sampleRuns();

}  // namespace meander::cli
