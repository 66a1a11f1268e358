// A schedule of few steps for a recipe, fitted to fine runs of it; what it saves is predicted from their record and
// measured on seeds that had no part in the fit. In four moves, so that whoever carries runs out (command line, window,
// test) keeps its own progress and cancelling:
//   planFit → run plan.reference → fitSchedule → run effectPlans → takeEffect
// Nothing is better silently or worse silently: `findings` says in words what was found.
#pragma once
#include "engine/optimise/error_estimate.h"
#include "engine/optimise/fit_methods.h"
#include "engine/run/plan.h"

namespace meander {

// steps, method, gamma, paths, held_out, reference_steps; the form and the command line are made from them.
const std::vector<ParamSpec>& fitParams();

struct FitPlan {
    Recipe recipe;                // with the number of steps that is fitted
    Params settings;              // of fitParams, resolved
    std::vector<Plan> reference;  // fine runs to fit to; empty where recorded ones are given
    std::vector<Plan> effect;     // a fine run on other seeds, and one for each schedule that will be compared
    double evaluations = 0;       // of the network, over all images of all runs
    double seconds = 0;           // estimate; 0 when nothing was measured yet
    std::size_t bytes = 0, recordBytes = 0;  // of device memory at once; of the records
};
// `recorded`: the reference is there already. Throws Failure for recipes whose end is not that of one path (added
// noise, distilled models, curved spaces, starts from data) and for settings that do not fit.
FitPlan planFit(const Recipe& recipe, const Params& settings, bool isRecorded = false);
// A sentence where a run has less than three times as many steps as are fitted, else empty.
std::string tooCoarse(const Run& run, int steps);

struct ComparedSchedule {
    std::string id, label;  // "fitted", "current", or of a schedule
    std::vector<double> levels;
    ErrorEstimate predicted;
    std::optional<ErrorEstimate> measured;
};

struct ScheduleFit {
    FitPlan plan;
    std::vector<ComparedSchedule> schedules;  // the fitted one first
    std::vector<std::string> notes;           // sentences on the method's assumptions
    int referencePaths = 0;
    const ComparedSchedule& fitted() const { return schedules.front(); }
};
ScheduleFit fitSchedule(const FitPlan& plan, std::span<const std::shared_ptr<const Run>> reference);

// The fine run first, then one for each schedule; on seeds of their own.
std::vector<Plan> effectPlans(const ScheduleFit& fit);
void takeEffect(ScheduleFit& fit, std::span<const std::shared_ptr<const Run>> runs);

// What was predicted; once measured, what was measured, beside the prediction, and whether to keep another schedule.
std::vector<std::string> findings(const ScheduleFit& fit);
// Measured against every other schedule: better everywhere, and so by the 95 % interval.
bool wins(const ScheduleFit& fit);

}  // namespace meander
