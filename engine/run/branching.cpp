#include "engine/run/branching.h"

#include "engine/sampling/noise/noise.h"

namespace meander {

std::vector<double> branchLevels(const std::vector<double>& parent, int step, const std::vector<double>& own) {
    std::vector<double> levels(parent.begin(), parent.begin() + step + 1);
    const bool same = own.size() == parent.size() && std::equal(own.begin(), own.end(), parent.begin());
    if (same) return parent;
    const bool rises = parent.back() > parent.front();
    for (double tau : own)
        // A level that nearly coincides with the branching one would make a step of no size.
        if (rises ? tau > levels.back() * (1 + 1e-6) : tau < levels.back() * (1 - 1e-6)) levels.push_back(tau);
    return levels;
}

bool restoresHistory(const Recipe& child, const Run& parent) {
    const auto* sampler = findSampler(child.sampler.id);
    const bool isSameSchedule = child.schedule == parent.recipe.schedule && child.steps == parent.recipe.steps
                                && child.scheduleOperators == parent.recipe.scheduleOperators;
    if (sampler && sampler->freeSteps && !isSameSchedule) return false;
    return child.start == parent.recipe.start && child.sampler == parent.recipe.sampler
           && sameNoise(child.noise, child.seed, parent.recipe.noise, parent.recipe.seed)
           && child.images == parent.recipe.images && child.model == parent.recipe.model;
}

}  // namespace meander
