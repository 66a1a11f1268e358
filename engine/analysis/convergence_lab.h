// The convergence laboratory: what a sampler with a schedule costs and misses, against the exact flow map or a fine
// reference, at equal numbers of evaluations; and the fitted order with its confidence. Pure functions over a problem;
// `meander-run bench matrix` prints them. (convergence.h measures nominal orders on fixed problems.)
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/models/model.h"
#include "engine/sampling/solve.h"

namespace meander {

// error ≈ factor · n^(−order), fitted by least squares of logarithms.
struct OrderFit {
    double order = 0, factor = 0;
    double low = 0, high = 0;  // confidence interval of the order (Student's t); equal to it for two points, which
                               // leave nothing to judge by
    int points = 0;            // used: errors of 0 and those at the floor of rounding are left out
};
OrderFit fitOrder(std::span<const double> n, std::span<const double> errors, double confidence = 0.95);

// x̂0 of a model for one prompt, without guidance: what the driver does for one branch. The model must outlive it.
RequestEstimator modelEstimator(Model& model, const Prompt& prompt);

// A model, where its paths start and where the true ones end.
struct LabProblem {
    std::shared_ptr<void> owner;  // of model and device, where the problem opened them itself; outlives what follows
    std::string name;
    Process process;
    Tensor start;                // y at process.maximum()
    RequestEstimator estimator;  // x̂0
    std::vector<double> truth;   // clean ends of the exact paths from there
    std::string reference;       // "exact flow", "Runge–Kutta, 2000 steps"
    // Where the exact paths are at another level: a run that ends above 0 is compared there.
    std::function<std::vector<double>(double tau)> truthAt = {};
};
// Particles from noise through a model. The truth is the flow in closed form where the model is one Gaussian, else
// Runge–Kutta with so many steps in equal angles atan σ down to the lowest level of the model, and its estimate there.
// The model must outlive the problem. Throws Failure for models on curved spaces.
LabProblem labProblem(Model& model, Backend& backend, int particles, std::uint64_t seed = 1, const Prompt& prompt = {},
                      int referenceSteps = 2000);

// The same with a model and a CPU thread of its own. `beforeEvaluation` may throw to end the work, also while the truth
// is computed.
LabProblem labProblem(const std::string& model, int particles, std::uint64_t seed = 1,
                      std::function<void()> beforeEvaluation = {}, int referenceSteps = 2000);

struct LabCell {
    std::string sampler, schedule;
    int budget = 0;  // evaluations allowed
    int steps = 0, evaluations = 0;
    double error = 0;             // root mean square over all numbers of all particles
    double secondsOfModel = 0;    // in the estimator
    double secondsOfSampler = 0;  // everything else: what a step costs beside the network
    bool drawsNoise = false;      // the error is then a distance to a path that the sampler does not follow
    std::string problem;          // not empty: why there is no number
};
// The most steps whose evaluations fit the budget; 0 when not even one does.
int stepsWithin(const SamplerInfo& sampler, const Params& params, int budget);
LabCell measure(const LabProblem& problem, const Choice& sampler, const Choice& schedule, int budget);
// The order in evaluations of one sampler's cells; without points where noise is drawn, since the error then tends to
// no power of the steps.
OrderFit orderOf(const std::vector<LabCell>& cells);
// Row by row: every sampler with every schedule at every budget.
std::vector<LabCell> convergenceMatrix(const LabProblem& problem, const std::vector<Choice>& samplers,
                                       const std::vector<Choice>& schedules, const std::vector<int>& budgets);

}  // namespace meander
