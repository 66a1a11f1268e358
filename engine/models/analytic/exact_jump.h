// What a perfectly distilled network would answer on a single Gaussian, whose probability flow is known in closed form:
// the oracle of few-step rules.
#pragma once
#include "engine/models/analytic/mixture.h"
#include "engine/process/distillation.h"

namespace meander {

bool hasExactJump(Distillation d);
// x̂0 (as the sampler reads it) for the state y at `tau`, headed to `target` (NaN: not said). Consistency: the end of
// the path. Trajectory, shortcut, phased: the x̂0 whose step y_s = (s/τ) y + (a_s − a s/τ) x̂0 lands on the path at
// `target`; without a target the posterior mean. Reflow: the straight coupling's data point.
void exactJump(const Mixture& gaussian, const Process& process, Distillation d, double tau, double target,
               std::span<const double> y, std::span<double> x0);

}  // namespace meander
