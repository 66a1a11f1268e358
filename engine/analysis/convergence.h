// Measured order of convergence: each deterministic sampler on problems whose exact solution is known, under every
// process. The error at N = 20 … 640 steps and the slope of its logarithm. `meander-run bench convergence` prints it,
// resources/help/convergence.md is what it printed, and the test compares the slope with the order claimed.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/sampling/solve.h"

namespace meander {

// A sampler at settings whose order is known.
struct ConvergenceCase {
    std::string sampler;
    Params params = {};
    double order = 1;  // nominal
    std::vector<int> steps = {20, 40, 80, 160, 320, 640};
    std::string label() const;  // "lms (order 4, start runge_kutta)"
};
// Every sampler that solves the ODE, at its default settings (its order is SamplerInfo::order), then the settings of
// higher order.
std::vector<ConvergenceCase> convergenceCases();

// From a noisy level down to a low one, never to 0: the jump to clean is the same for every N and would hide the order.
struct ConvergenceProblem {
    std::string id;      // "VE Gaussian"
    std::string levels;  // in words
    std::shared_ptr<const Process> process;
    std::vector<double> (*make)(int steps);
    Estimator estimator;
    Tensor start;
    std::vector<double> exact;  // state at the last level
};
// Variance exploding, variance preserving and rectified flow, with a Gaussian and with a mixture of three. Double
// precision. The mixtures' exact solutions are Runge–Kutta 4 with 6000 steps.
std::vector<ConvergenceProblem> convergenceProblems(Backend& backend);

struct Convergence {
    std::vector<int> evaluations;
    std::vector<double> errors;  // root mean square over all elements
    // Slope of log error over the last doubling or the last two, the larger: two error terms of opposite sign pass
    // through 0 together, which dips one of them.
    double order = 0;
};
Convergence measureConvergence(const ConvergenceCase& c, const ConvergenceProblem& p);

}  // namespace meander
