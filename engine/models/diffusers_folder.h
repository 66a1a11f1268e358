// A model folder as diffusers writes it: model_index.json names the components, each in a folder of its own with its
// configuration. Reads configurations only.
#pragma once
#include <optional>
#include <string>

#include "engine/core/json.h"
#include "engine/process/parametrization.h"

namespace meander {

struct DiffusersFolder {
    std::string path;
    Json index;               // model_index.json
    std::string networkName;  // "unet" or "transformer"
    Json network, scheduler, textEncoder, codec;
    std::string component(const std::string& name) const;   // path of a component's folder
    std::string configName(const std::string& name) const;  // for messages: "'…/unet/config.json'"

    // Throws Failure.
    static DiffusersFolder open(const std::string& path);
    static bool looksLikeOne(const std::string& path);
};

struct SchedulerMeaning {
    Process process;
    Parametrization parametrization;
    bool isLcm = false;
};
// What scheduler_config.json says about the training. Throws Failure.
SchedulerMeaning meaningOfScheduler(const Json& config, const std::string& what);

}  // namespace meander
