// What the sampler files share: makers of parameter descriptions and the integrals behind multistep and exponential integrators.
#pragma once
#include <cmath>
#include <span>
#include <vector>

#include "engine/sampling/sampling.h"

namespace meander {

ParamSpec realParam(const char* key, const char* label, double value, double low, double high, const char* help, double step = 0.05);
ParamSpec integerParam(const char* key, const char* label, std::int64_t value, double low, double high, const char* help);
ParamSpec toggleParam(const char* key, const char* label, bool value, const char* help);
ParamSpec choiceParam(const char* key, const char* label, const char* value, std::vector<ParamChoice> choices, const char* help);
ParamSpec advanced(ParamSpec spec);  // folded away at first
// The two that most stochastic samplers have.
ParamSpec etaParam(double value, const char* help = "Share of fresh noise: 0 follows the ODE, 1 has the variance of the reverse diffusion.");
ParamSpec noiseScaleParam();

// w_j = ∫_a^b ℓ_j(u) du for the Lagrange polynomials ℓ_j of the nodes: Adams–Bashforth on any nodes (LMS, PLMS, iPNDM). Exact up to rounding.
std::vector<double> adamsWeights(std::span<const double> nodes, double a, double b);
// w_j = ∫_a^b e^{rate (u − b)} ℓ_j(u) du: the variation of constants behind DEIS, DPM-Solver, UniPC, RES and SA-Solver. b may be infinite when rate > 0 and
// the polynomial is a constant (one node).
std::vector<double> exponentialWeights(std::span<const double> nodes, double a, double b, double rate);

// φ_1(z) = (e^z − 1)/z, φ_{k+1}(z) = (φ_k(z) − 1/k!)/z, without cancellation at small z.
double phi(int k, double z);

}  // namespace meander
