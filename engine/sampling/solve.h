// Runs a sampler to its end with a function as the model: for oracles, tests, benchmarks and the command line. What a
// run of the program does with a network, without its record.
#pragma once
#include <functional>
#include <vector>

#include "engine/sampling/sampling.h"

namespace meander {

// x̂0 of y at τ (integration coordinates, process.h): the combined estimate; conditional and unconditional may be left
// empty, then they are the combined one.
using Estimator = std::function<DenoiseResult(const Tensor& y, double tau)>;
// The same for models that are conditioned on more: the level stepped to, another time.
using RequestEstimator = std::function<DenoiseResult(const DenoiseRequest& request)>;
// Standard normals shaped as `like`.
using NoiseFunction = std::function<Tensor(const NoiseRequest& request, const Tensor& like)>;

struct Solution {
    Tensor state;                // y at the last level
    std::vector<double> levels;  // as done; a sampler may have chosen its own
    int requests = 0;            // x̂0 asked for
    int rounds = 0;              // times the sampler waited: less than `requests` when it asks for several at once
    int advances = 0;            // steps done
    std::vector<Tensor> states;  // y after each
    std::vector<double> values() const { return download(state).toDoubles(); }
};

// `params` need not name every parameter; missing ones have their defaults. Throws Failure for wrong parameters and for
// noise without a noise function. `firstStep`: the interval of `levels` that `start` belongs to.
Solution solve(const SamplerInfo& info, const Process& process, const std::vector<double>& levels, const Tensor& start,
               const Params& params, const Estimator& estimator, const NoiseFunction& noise = {}, int firstStep = 0);
// `clean`: the data the run starts from, for samplers that need it.
Solution solve(const SamplerInfo& info, const Process& process, const std::vector<double>& levels, const Tensor& start,
               const Params& params, const RequestEstimator& estimator, const NoiseFunction& noise = {},
               int firstStep = 0, const Tensor& clean = {});

// x̂0 under independent Gaussians x0 ~ N(mean, deviation²) in every element; `scale` of classifier-free guidance between
// the two.
struct Gaussian {
    double mean = 0, stddev = 1;
};
struct GaussianPair {
    Gaussian conditional, unconditional;
    double scale = 1;
};
// D = μ + a s²/(a² s² + τ²) (y − a μ)
Tensor denoise(const Gaussian& g, const Process& process, const Tensor& y, double tau);
Estimator gaussianEstimator(const Process& process, Gaussian g);
Estimator gaussianEstimator(const Process& process, GaussianPair pair);
// The probability flow carries (y − a μ)/√(a² s² + τ²) unchanged from one level to another.
Tensor exactFlow(const Gaussian& g, const Process& process, const Tensor& y, double from, double to);

}  // namespace meander
