// Runs that serve an optimisation and belong to no project: carried out together on an engine of their own, whose
// thread is not that of the caller.
#pragma once
#include <functional>
#include <memory>

#include "engine/run/engine.h"

namespace meander {

struct CarryOutOptions {
    std::string device = "auto";
    int threads = 0;                                  // as EngineOptions
    std::function<void(double share)> progress = {};  // of the evaluations, from 0 to 1; the calling thread
    std::function<bool()> isCancelled = {};           // looked at several times a second; the calling thread
};
// The finished runs in the order of the plans; none when cancelled. What they have in common is computed once
// (Submission::group). Throws Failure with the sentence of a run that failed. Waits.
std::vector<std::shared_ptr<const Run>> carryOut(const std::vector<Plan>& plans, const CarryOutOptions& options);

}  // namespace meander
