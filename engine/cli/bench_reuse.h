// `meander-run bench reuse`: what reuse inside the network saves and costs, on the sprites and on a network of full
// width.
#pragma once
#include <cstdint>
#include <string>

#include "engine/cli/command.h"

namespace meander::cli {

struct ReuseOptions {
    std::string device = "auto", precision = "f32";
    int prompts = 200;  // of the sprites
    int steps = 20;     // of both
    std::uint64_t seed = 99;
    bool isSpritesOnly = false, isJson = false;
};
int benchReuse(const ReuseOptions& o);

}  // namespace meander::cli
