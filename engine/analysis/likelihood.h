// Log-likelihood of data under a model, by the change of variables along its probability flow (Song et al. 2021,
// section 4.3; Chen et al. 2018): dy/dτ = (y − D)/τ carries data to noise, whose density is known, and log q changes by
// the divergence (n − tr ∂D/∂y)/τ. The trace comes from differences of D: along every coordinate, or along random
// signs, whose mean it is (Hutchinson 1990; Grathwohl et al. 2019).
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "engine/sampling/solve.h"

namespace meander {

struct LikelihoodOptions {
    std::optional<double> low;  // τ at which the data are taken to lie; the process's lowest level without it
    int steps = 200;            // Runge–Kutta steps of order 4, equal in log τ
    int probes = 0;  // random directions of the trace, the same over the whole path; 0: every coordinate, which is
                     // exact and costs as many evaluations
    std::optional<double>
        difference;  // of D, half its length in units of τ; without it 1e-4 in double precision, 1e-2 in single
    std::uint64_t seed = 1;
    // Log density of y at the highest level; empty: N(0, τ²), what noise is drawn from.
    std::function<std::vector<double>(const Tensor& y, double tau)> prior;
};

struct Likelihood {
    std::vector<double> logDensity;  // per row, in nats, of the native state at the lowest level
    std::vector<double> prior;       // the part of it that is the density of the noise reached
    Tensor latent;                   // that noise, y at the highest level
    int evaluations = 0;             // of D, per row
};

// Throws Failure for a level or a difference out of range and for densities that are not numbers. `y` (rows, state...)
// in integration coordinates (process.h) at the lowest level.
Likelihood logLikelihood(const Process& process, const RequestEstimator& estimator, const Tensor& y,
                         const LikelihoodOptions& options = {});
double lowestLevel(const Process& process, const LikelihoodOptions& options);

}  // namespace meander
