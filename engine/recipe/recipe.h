// All settings of a run, as data: the undo unit, the saved recipe, the command line's input and the bug report. No
// sentinels: what is absent is optional.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/models/model.h"
#include "engine/taps/taps.h"

namespace meander {

struct BranchPoint {
    std::string run;  // id of the parent run
    int step = 0;     // steps [0, step) are the parent's
    bool operator==(const BranchPoint&) const = default;
};

struct Recipe {
    std::string model = "builtin:sprites-unet";
    std::string prompt;
    std::string negativePrompt;
    std::string promptDialect = "plain";  // of prompts, models/prompt_dialect.h
    int clipSkip = 1;
    std::optional<int> classIndex;
    std::uint64_t seed = 42;
    int images = 1;                    // images or particles
    std::optional<int> width, height;  // of the image in pixels; none: the model's own
    int steps = 20;
    Choice start{"noise", {}};  // engine/run/initial_state.h
    Choice source{"none", {}};  // engine/run/source_image.h
    Choice sampler{"dpmpp_2m", {}};
    Choice schedule{"karras", {}};
    Choice noise{"philox", {}};
    std::vector<Choice> scheduleOperators;  // applied to the schedule's levels, in order
    std::vector<Choice> guidance;           // in order of application
    Choice checkpoint{"as_stated", {}};     // what the model's files say of its training, or what is declared instead
    std::vector<Choice> adapters;           // added to the model's weights, in order
    std::string precision = "auto";
    std::string weights = "file";  // format in which the network's matrices are kept
    std::string device = "auto";   // "auto", "cpu", "cuda:0"
    AttentionLevel attention = AttentionLevel::Full;
    bool recordStates = true;
    std::optional<BranchPoint> branch;

    bool operator==(const Recipe&) const = default;
};

Json toJson(const Recipe& r);
// Unknown keys are an error that names them; absent keys take the defaults.
Result<Recipe> recipeFromJson(const Json& j);
// A model's recommended settings over the defaults.
Recipe recommendedRecipe(const ModelInfo& info);

}  // namespace meander
