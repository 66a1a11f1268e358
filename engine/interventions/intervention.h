// Interventions change what happens inside a network at its sites (nn/site.h): one file each, for all architectures.
// An intervention is data, a Choice {id, params}; guidance rules name those of their rows, and a run makes hooks of
// them. Several apply in the order in which they are listed.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/models/model.h"
#include "engine/nn/hook.h"

namespace meander {

// What a hook is made with.
struct InterventionSetup {
    const ModelInfo& model;
    // A prompt prepared by that model, for hooks that attend to another text. Throws Failure.
    std::function<ConditioningPtr(const Prompt&)> condition;
};

struct InterventionInfo {
    std::string id;     // stable: "perturbed_attention"
    std::string label;  // starts the sentences of its refusals: "Identity attention"
    std::string summary, source;
    std::vector<ParamSpec> params;
    // Keeps something from one network call to the next, so every run has its own.
    bool hasMemory = false;
    // Evaluations of a branch from one whole computation to the next; null: every one is whole.
    std::int64_t (*period)(const Params&) = nullptr;
    // Whole evaluations that its memory follows from, together with those between them; null: one.
    std::int64_t (*spans)(const Params&) = nullptr;
    // Throws Failure with a sentence when it cannot work with the model.
    nn::SiteHookPtr (*make)(const Params&, const InterventionSetup&) = nullptr;
};

// The explicit table, from list.inl.
const std::vector<InterventionInfo>& interventions();
const InterventionInfo* findIntervention(const std::string& id);
// The hook of an intervention; missing parameters have their defaults. Throws Failure.
nn::SiteHookPtr makeHook(const Choice& intervention, const InterventionSetup& setup);

}  // namespace meander
