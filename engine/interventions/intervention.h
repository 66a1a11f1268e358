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

struct SourceRecord;

// What a hook is made with.
struct InterventionSetup {
    const ModelInfo& model;
    // A prompt prepared by that model, for hooks that attend to another text. Throws Failure.
    std::function<ConditioningPtr(const Prompt&)> condition;
    // Of the text that its rows are conditioned on; null: not known.
    const std::vector<Token>* tokens = nullptr;
    // What its source was, or, for a hook of the source's own rows, is written down in; null: it has none.
    std::shared_ptr<SourceRecord> source = {};
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
    // Attention probabilities are in memory where it acts; with a memory it keeps them.
    bool holdsMaps = false;
    // What it remembers is of the first evaluation in which it acted, and stays.
    bool remembersFirst = false;
    // It depends on the words of the rows in which it acts: such rows have hooks of their own.
    bool readsPrompt = false;
    // It reads from a source (interventions/source_record.h): the hook that acts in the source's rows. Null: from none.
    nn::SiteHookPtr (*makeSource)(const Params&, const InterventionSetup&) = nullptr;
    // Throws Failure with a sentence when it cannot work with the model.
    nn::SiteHookPtr (*make)(const Params&, const InterventionSetup&) = nullptr;
};

// The explicit table, from list.inl.
const std::vector<InterventionInfo>& interventions();
const InterventionInfo* findIntervention(const std::string& id);
// The hook of an intervention, or that of the rows of its source; missing parameters have their defaults. Throws
// Failure.
nn::SiteHookPtr makeHook(const Choice& intervention, const InterventionSetup& setup);
nn::SiteHookPtr makeSourceHook(const Choice& intervention, const InterventionSetup& setup);

}  // namespace meander
