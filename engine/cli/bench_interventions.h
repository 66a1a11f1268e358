// `meander-run bench interventions`: what words, heads and their scaling do on the sprites.
#pragma once
#include <cstdint>
#include <string>

#include "engine/cli/command.h"

namespace meander::cli {

struct InterventionOptions {
    std::string device = "auto";
    int prompts = 200;  // with two objects
    std::uint64_t seed = 99;
    bool isJson = false;
};
int benchInterventions(const InterventionOptions& o);

}  // namespace meander::cli
