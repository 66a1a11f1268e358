// Levels that nodes of ComfyUI make: schedulers, lists, and what splits, flips and changes them.
#pragma once
#include <set>

#include "engine/core/params.h"
#include "engine/exchange/import/comfy_graph.h"
#include "engine/exchange/imported_recipe.h"

namespace meander {

struct ComfySigmas {
    Choice schedule;
    std::vector<Choice> operators;
    int steps = 20;           // of the schedule, before the operators
    std::string description;  // "BasicScheduler: simple, 20 steps"
    std::vector<ImportedSetting> notes;
    std::set<std::string> visited;  // ids of the nodes
};

// Nothing for a node that is not known or lacks its values.
std::optional<ComfySigmas> comfySigmas(const ComfyGraph& graph, const ComfyGraph::Source& from);
// The schedule that a node names by "scheduler", with its steps and "denoise".
std::optional<ComfySigmas> comfySchedule(const ComfyNode& node, const ComfyGraph& graph);

}  // namespace meander
