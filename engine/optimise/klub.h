// The upper bound that Align Your Steps minimises (Sabour et al. 2024, section 3, KLUB): the divergence of the path
// measure of the exact reverse SDE from that of its first-order discretisation with levels σ_0 > … > σ_n,
//   KLUB = Σ_i ∫_{σ_{i+1}}^{σ_i} E‖D(x_σ, σ) − D(x_{σ_i}, σ_i)‖² / σ³ dσ.
// For the exact estimate D = E[x0 | x_σ] the difference is orthogonal to D(x_{σ_i}), so that with the energy v(σ) =
// E‖D(x_σ, σ)‖², which falls with σ, the numerator is v(σ) − v(σ_i) and partial integration leaves a Riemann sum:
//   KLUB = ½ Σ_i (v(σ_{i+1}) − v(σ_i))/σ_{i+1}²  −  ½ ∫ −v'(σ)/σ² dσ.
// σ is n/s, so it holds for every process. The last level is above 0: the bound of a step to 0 is infinite.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "engine/analysis/student.h"
#include "engine/optimise/reference_paths.h"

namespace meander {

using EstimateEnergy = std::function<double(double sigma)>;

// v(σ) = Σ_i λ_i²/(λ_i + σ²) of a Gaussian with these variances, without the part of its mean, which is constant.
EstimateEnergy gaussianEnergy(std::vector<double> variances);
// Of an exact model that is one Gaussian ("analytic:gaussian?d=64&…"); none for others.
std::optional<EstimateEnergy> exactEnergy(const std::string& model);

// The first sum of the bound, which alone depends on the levels between the ends; `sigmas` falling, above 0; the first
// may be infinite.
double klubSum(std::span<const double> sigmas, const EstimateEnergy& v);
// The levels (intervals + 1, with both ends) of least bound: the grid's best by dynamic programming, then every level
// in turn to its own minimum until none moves.
std::vector<double> klubLevels(double highest, double lowest, int intervals, const EstimateEnergy& v);

// Estimates from recorded paths: the probability flow has the marginals of the noised data, so the mean of ‖D‖² over
// paths is v at the levels of the record. Only for models without guidance is D the estimate that the bound means.
// v at every level above 0, made falling (pooled neighbours: Ayer et al. 1955).
std::vector<double> recordedEnergy(const ReferencePaths& reference);
// Levels of least bound among those of the record, with `intervals` steps of which the last leads to 0.
std::vector<double> recordedKlubLevels(const ReferencePaths& reference, int intervals);
// The bound (with its second sum, over the record's levels) for levels of the record that end above 0 or at 0, which
// does not count; mean and interval over the paths.
MeanInterval recordedKlub(const ReferencePaths& reference, std::span<const double> levels);

}  // namespace meander
