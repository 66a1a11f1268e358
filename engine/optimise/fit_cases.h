// The cases that the help page of fitted schedules measures (meander-run bench fit), so that tests repeat them.
#pragma once
#include <map>

#include "engine/optimise/schedule_fit.h"

namespace meander {

struct FitCase {
    std::string name, model, sampler, method;
};
std::vector<FitCase> fitCases();  // row by row, as the page has them
// Fine runs of models, which cases have in common.
struct FineRuns {
    std::shared_ptr<const Run> reference, truth;
};
using FineRunsOfModels = std::map<std::string, FineRuns>;
// 8 steps, fitted and measured on the CPU. Throws Failure.
ScheduleFit carryOutCase(const FitCase& c, FineRunsOfModels& known);
std::string fitRow(const FitCase& c, const ScheduleFit& fit);  // of the page, without a line break

}  // namespace meander
