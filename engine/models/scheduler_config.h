// What a scheduler_config.json of diffusers says about the training of a model.
#pragma once
#include <string>
#include <vector>

#include "engine/core/json.h"
#include "engine/process/distillation.h"
#include "engine/process/parametrization.h"

namespace meander {

struct SchedulerMeaning {
    Process process;
    Parametrization parametrization;
    Distillation distillation = Distillation::None;
    double sigmaData = 0.5;
    // Keys that the file leaves out or null, for which diffusers' defaults stand.
    std::vector<std::string> unstatedPrediction = {}, unstatedProcess = {};
};
// Throws Failure. `what` names the file.
SchedulerMeaning meaningOfScheduler(const Json& config, const std::string& what);

}  // namespace meander
