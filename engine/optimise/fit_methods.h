// The ways to fit levels to a reference: one row each, which the command line, the window and the help page list. What
// a method minimises is its own; what the result is worth is predicted and measured alike for all (schedule_fit.h).
#pragma once
#include <string>

#include "engine/optimise/klub.h"
#include "engine/sampling/sampling.h"

namespace meander {

struct FitContext {
    const ReferencePaths& reference;
    int intervals = 0;                          // N, the step to 0 among them
    double gamma = 1;                           // of methods that have it
    std::optional<EstimateEnergy> energy = {};  // of an exact model (klub.h); none: what the reference recorded
};

struct FitMethod {
    std::string id, label, summary, source;
    bool hasGamma = false;  // dynamic programming with a weight γ on the steps to come
    // Levels τ, falling from the reference's first to 0. Throws Failure where there are none.
    std::vector<double> (*levels)(const FitContext&) = nullptr;
    int fewestSteps = 1;
};
const std::vector<FitMethod>& fitMethods();
const FitMethod* findFitMethod(const std::string& id);

struct FittedLevels {
    std::vector<double> levels;
    const FitMethod* method = nullptr;
};
// By one method, or by the one whose levels are predicted to have the least error with this sampler ("auto").
FittedLevels fitLevels(const FitContext& context, const std::string& method, const SamplerInfo& sampler,
                       const Params& params);

}  // namespace meander
