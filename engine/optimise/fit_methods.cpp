#include "engine/optimise/fit_methods.h"

#include <cmath>

#include "engine/optimise/recorded_model.h"
#include "engine/optimise/step_costs.h"
#include "engine/schedule/redistribute.h"

namespace meander {
namespace {

template <StepCost cost> std::vector<double> byCost(const FitContext& c) {
    std::vector<double> levels;
    for (const int k : cheapestPath(stepCosts(c.reference, cost), c.intervals, c.gamma).points)
        levels.push_back(c.reference.levels[std::size_t(k)]);
    return levels;
}

// Steps of equal local error. Euler's error of a step of length h is C h², so that equal errors mean equal shares of
// ∫√C dτ, and √(C h²) is its part between two neighbours of the reference.
std::vector<double> byEqualError(const FitContext& c) {
    const ReferencePaths& r = c.reference;
    std::vector<double> shares(std::size_t(r.intervals()), 0.0);
    for (int k = 0; k < r.intervals(); ++k)
        for (const ReferencePath& p : r.paths)
            shares[std::size_t(k)] += std::sqrt(rmsDifference(r.eulerStep(p, k, k + 1), p.states[std::size_t(k) + 1]))
                                      / double(r.paths.size());
    return levels::equalised(r.levels, c.intervals, r.levels, shares, 1, r.process);
}

std::vector<double> byKlub(const FitContext& c) {
    if (c.intervals < 2) throw Failure("The bound of Align Your Steps needs two steps: one of them leads to 0.");
    if (!c.energy) return recordedKlubLevels(c.reference, c.intervals);
    const Process& p = c.reference.process;
    const double first = c.reference.levels.front(),
                 last = c.reference.levels[std::size_t(c.reference.intervals()) - 1];
    std::vector<double> levels;
    for (const double sigma : klubLevels(p.sigma(first), p.sigma(last), c.intervals - 1, *c.energy))
        levels.push_back(p.tauOfSigma(sigma));
    levels.front() = first;
    levels.back() = last;
    levels.push_back(0);
    return levels;
}

}  // namespace

const std::vector<FitMethod>& fitMethods() {
    static const std::vector<FitMethod> methods = {
        {"l2", "L2", "Least sum over the steps of the RMS that an Euler step from the path misses it by",
         "Chen et al. 2024, On the trajectory regularity of ODE-based diffusion sampling, section 5 (GITS), metric L2",
         true, byCost<StepCost::L2>},
        {"l1", "L1", "The same with the mean of absolute differences", "Chen et al. 2024 (GITS), metric L1", true,
         byCost<StepCost::L1>},
        {"deviation", "Deviation", "The same with the distance from the chord of the path, beyond the path's own",
         "Chen et al. 2024 (GITS), metric deviation; the authors use γ = 1.15", true, byCost<StepCost::Deviation>},
        {"at_end", "L2 at the end",
         "The same with what arrives of it at the end, as differences between the recorded paths shrink or grow on the "
         "way",
         "own; the costs of Chen et al. 2024 carried along the linearised flow", true, byCost<StepCost::AtEnd>},
        {"boss", "BOSS", "Least sum of mean squares of what the steps miss",
         "Nguyen et al. 2024, Bellman optimal step-size straightening of flow-matching models, section 3.2", true,
         byCost<StepCost::Squared>},
        {"equal_error", "Equal error", "Steps that all miss the path by as much", "de Boor 1973, equidistribution",
         false, byEqualError},
        {"klub", "KLUB",
         "Least upper bound of the divergence between the reverse SDE and its discretisation; the last step leads from "
         "the model's lowest level to 0",
         "Sabour et al. 2024, Align Your Steps, section 3", false, byKlub, 2}};
    return methods;
}

const FitMethod* findFitMethod(const std::string& id) {
    for (const FitMethod& m : fitMethods())
        if (m.id == id) return &m;
    return nullptr;
}

FittedLevels fitLevels(const FitContext& context, const std::string& method, const SamplerInfo& sampler,
                       const Params& params) {
    if (const FitMethod* one = findFitMethod(method)) return {one->levels(context), one};
    FittedLevels best;
    double least = INFINITY;
    for (const FitMethod& m : fitMethods()) {
        if (context.intervals < m.fewestSteps) continue;
        std::vector<double> levels = m.levels(context);
        double sum = 0;
        for (const double square : predictedErrors(context.reference, sampler, params, levels)) sum += square;
        if (sum < least) least = sum, best = {std::move(levels), &m};
    }
    if (!best.method)
        throw Failure("No method gives levels with a finite predicted error. Record the reference again.");
    return best;
}

}  // namespace meander
