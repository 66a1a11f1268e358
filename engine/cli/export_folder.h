// The folder that -o names, for the commands that export.
#pragma once
#include "engine/cli/command.h"
#include "engine/run/trajectory.h"

namespace meander::cli {

// -o, which may not be empty.
CLI::Option* addFolder(CLI::App& command, std::string& folder);
// Makes the folder and finds out whether it can be written, before anything is computed for it. Throws Failure.
void prepareFolder(const std::string& folder);
// The names of the files. Tells on stderr of what an earlier export left there. Throws Failure.
std::vector<std::string> exportInto(const Run& run, const std::string& folder);

}  // namespace meander::cli
