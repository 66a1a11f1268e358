#include "engine/run/branching.h"

#include <algorithm>
#include <limits>

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"
#include "engine/interventions/intervention.h"
#include "engine/sampling/noise/noise.h"

namespace meander {

std::vector<double> branchLevels(const std::vector<double>& parent, int step, const std::vector<double>& own) {
    std::vector<double> levels(parent.begin(), parent.begin() + step + 1);
    if (own == parent) return parent;
    const bool rises = parent.back() > parent.front();
    for (double tau : own)
        // A level that nearly coincides with the branching one would make a step of no size.
        if (rises ? tau > levels.back() * (1 + 1e-6) : tau < levels.back() * (1 - 1e-6)) levels.push_back(tau);
    return levels;
}

bool restoresHistory(const Recipe& child, const Run& parent) {
    const SamplerInfo* sampler = findSampler(child.sampler.id);
    const bool hasParts = parent.recipe.recordStates || !sampler || !sampler->unconditional;
    return hasParts && child.start == parent.recipe.start && child.sampler == parent.recipe.sampler
           && sameNoise(child.noise, child.seed, parent.recipe.noise, parent.recipe.seed)
           && child.images == parent.recipe.images && child.model == parent.recipe.model;
}

BranchPlan planBranch(const Recipe& child, const Run& parent, const std::vector<double>& own) {
    const std::vector<double>& visited = parent.trajectory->levels;
    const int step = child.branch->step;
    const bool replays = restoresHistory(child, parent);
    const SamplerInfo* sampler = findSampler(child.sampler.id);
    if (!replays || !sampler || !sampler->freeSteps) return {branchLevels(visited, step, own), replays};
    const std::vector<double>& given = parent.plannedLevels.empty() ? visited : parent.plannedLevels;
    const auto tail = [&](const std::vector<double>& levels) {
        std::vector<double> below;
        const double from = visited[std::size_t(step)];
        std::copy_if(levels.begin(), levels.end(), std::back_inserter(below),
                     [&](double tau) { return tau < from * (1 - 1e-6); });
        return below;
    };
    if (tail(given) == tail(own)) return {given, true};
    return {branchLevels(visited, step, own), false};
}

bool canReplay(const Recipe& r) {
    const SamplerInfo* sampler = findSampler(r.sampler.id);
    return r.recordStates || (r.guidance.empty() && sampler && !sampler->unconditional);
}

namespace {

// Nothing of it was reused, and something could have been.
bool isWhole(const Evaluation& e) {
    return std::any_of(e.metrics.begin(), e.metrics.end(), [](const Metric& m) {
        return m.name == savedWorkName
               && std::all_of(m.values.begin(), m.values.end(), [](double v) { return v == 0; });
    });
}

// Whole evaluations that the features of a recipe follow from.
std::int64_t spanOf(const Recipe& recipe) {
    std::int64_t span = 1;
    for (const Choice& c : recipe.guidance) {
        const InterventionInfo* info = findIntervention(c.id);
        if (!info || isSwitchedOff(c)) continue;
        if (info->remembersFirst) return std::numeric_limits<std::int64_t>::max();  // it may be the first of all
        if (info->spans) span = std::max(span, info->spans(c.params));
    }
    return span;
}

}  // namespace

std::size_t featuresFollowFrom(const Trajectory& record, std::size_t until, const Recipe& recipe) {
    std::int64_t missing = spanOf(recipe);
    for (std::size_t i = until; i-- > 0;) {
        const Evaluation& e = *record.evaluations[i];
        // Evaluations that a sampler awaits together have features of their own.
        if (i > 0 && record.evaluations[i - 1]->step == e.step) return 0;
        if (isWhole(e) && --missing == 0) return i;
    }
    return 0;
}

Status canGoOn(const Run& run) {
    const std::string name = "Run " + std::to_string(run.number);
    if (run.status == RunStatus::Finished) return Error{name + " is finished; there is nothing to go on with."};
    if (!hasEnded(run.status)) return Error{name + " is waiting or in progress."};
    if (!run.trajectory || run.trajectory->evaluations.empty())
        return Error{name + " has no recorded evaluation to go on from. Run its recipe again."};
    if (!canReplay(run.recipe))
        return Error{name
                     + " did not record the parts of its estimates, which it needs to go on. Run its recipe again."};
    return Done{};
}

}  // namespace meander
