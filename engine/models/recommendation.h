// What a model is best sampled with where its files recommend nothing: from its kind and its process.
#pragma once
#include <optional>
#include <string>

#include "engine/models/model.h"

namespace meander {

// Keys of the recipe: sampler, schedule, steps, guidance, images.
Json generalRecommendation(const ModelInfo& info);

// What a name or a title says about a distillation: "sdxl-turbo", "My Lightning 4 steps".
struct NamedDistillation {
    std::string word;    // that was found, as shown: "turbo"
    Distillation kind;   // None: few steps of an ordinary solver
    Json recommended;    // over the general recommendation
    bool holdsGuidance;  // in its weights; a scale other than 1 applies it twice
};
std::optional<NamedDistillation> distillationNamed(const std::string& title, bool isFlow);

}  // namespace meander
