// The folder that -o names, for the commands that export.
#pragma once
#include "engine/cli/command.h"
#include "engine/run/trajectory.h"

namespace meander::cli {

// -o, which may not be empty, and --replace.
CLI::Option* addFolder(CLI::App& command, std::string& folder, bool& isReplacing);
// Makes the folder and finds out whether it can be written and holds no other run, before anything is computed for it.
// Throws Failure.
void prepareFolder(const std::string& folder, bool isReplacing);
// The names of the files. `isReplacing`: the files of an earlier run go first. Throws Failure.
std::vector<std::string> exportInto(const Run& run, const std::string& folder, bool isReplacing);

}  // namespace meander::cli
