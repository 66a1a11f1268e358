// Carries out plans on the engine and waits, with a progress bar on a terminal (stderr) or JSON lines; SIGINT and
// SIGTERM cancel cleanly.
#pragma once
#include "engine/cli/command.h"
#include "engine/project/project_store.h"
#include "engine/run/engine.h"

namespace meander::cli {

struct BatchOptions {
    std::string device = "auto";
    bool isJson = false;
    bool isQuiet = false;
    ProjectStore* project = nullptr;  // records into it
    // Told of every run that has ended, once it is safe in the project; on another thread. With it the batch tells
    // nothing itself, a run that fails does not end the batch, and the records of ended runs are not kept in memory.
    std::function<void(const Run&)> onEnd = {};
};
struct BatchResult {
    std::vector<std::shared_ptr<const Run>> runs;  // as they ended, in the order of the plans
    bool isInterrupted = false;
    std::string device, deviceNote;
    double seconds = 0;
};
// Throws Failure when a run failed. Whether the project could be written its `close` tells.
BatchResult runBatch(std::vector<Submission> submissions, const BatchOptions& options);
BatchResult runBatch(const std::vector<Plan>& plans, const BatchOptions& options);

}  // namespace meander::cli
