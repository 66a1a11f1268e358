// The run whose recorded states interventions read from.
#include <algorithm>

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/interventions/intervention.h"
#include "engine/run/planner.h"

namespace meander {
namespace {

// The source runs that enabled rules name, each once.
std::vector<std::string> sourceRuns(const Recipe& r) {
    std::vector<std::string> all;
    for (const Choice& c : r.guidance) {
        const InterventionInfo* info = findIntervention(c.id);
        const auto it = c.params.find("run");
        const auto* id = it == c.params.end() ? nullptr : std::get_if<std::string>(&it->second);
        if (!info || !info->makeSource || isSwitchedOff(c) || !id || id->empty()) continue;
        if (std::find(all.begin(), all.end(), *id) == all.end()) all.push_back(*id);
    }
    return all;
}

}  // namespace

std::string sourceRunOf(const Recipe& recipe) {
    const auto all = sourceRuns(recipe);
    return all.empty() ? std::string() : all.front();
}

void Planner::takeSource() {
    const Recipe& r = m_plan.resolved;
    const auto all = sourceRuns(r);
    if (all.empty()) return;
    if (all.size() > 1)
        throw Failure("Interventions of one recipe read from one recorded run, and these name "
                      + std::to_string(all.size()) + ". Choose the same source run in all of them.");
    if (!m_sourceRun)
        throw Failure("The source run of an intervention is not in this project any more. Choose another, or a source "
                      "prompt.");
    const Run& source = *m_sourceRun;
    if (!source.trajectory || source.trajectory->evaluations.empty())
        throw Failure("The source run of an intervention has no recorded states. Show it once so that they are loaded, "
                      "or run it again.");
    if (source.recipe.model != r.model
        || source.trajectory->evaluations.front()->state.shape().rowCount() != m_plan.model.state.shape.count())
        throw Failure(
            "The source run of an intervention was drawn by another model or in another size. Choose a run of "
            "this model and size.");
    if (source.recipe.images != 1 && source.recipe.images != r.images)
        throw Failure("The source run of an intervention has " + std::to_string(source.recipe.images)
                      + " images, this recipe " + std::to_string(r.images)
                      + ". Choose a run with one image, or with as many.");
    m_plan.sourceRun = std::make_shared<const Run>(source);
}

}  // namespace meander
