// What the few-step rules share: the grid that checkpoints are trained on, its phases, and the heavy tail of PFGM++.
#pragma once
#include <vector>

#include "engine/sampling/sampler_common.h"

namespace meander {

// The level at the fraction u of the training grid, 1 the noisiest and 0 clean: the trailing training step
// round(u·steps) − 1 where steps are discrete, t = u in a flow, Karras' grid with ρ = 7 in σ (the grid of consistency
// training).
double levelAtFraction(const Process& process, double u);

// Levels for `steps` steps through `phases` equal phases of the training grid, noisiest first, ending at 0: every edge
// of a phase is a level (with fewer steps than phases, a level is an edge), and the steps are shared out evenly. Begins
// and ends where `schedule` does. EdgesOnly: with more steps than phases no level inside a phase, because a network
// that only knows the edge gives no direction to stop half-way.
enum class PhaseSteps : std::uint8_t { Shared, EdgesOnly };
std::vector<double> phasedLevels(const Process& process, const std::vector<double>& schedule, int phases,
                                 PhaseSteps inside = PhaseSteps::Shared);
// The end of the phase that holds τ: the next edge below.
double phaseEnd(const Process& process, int phases, double tau);
// `inner` between the first and the last level of `schedule`.
std::vector<double> between(const std::vector<double>& schedule, const std::vector<double>& inner);

// Jumps to the data and noises it to the next level, y' = a' D + τ' z: LCM, DMD and sCM, each on levels of its own.
SamplerTask jumpToData(Sampling& s);

// The trained time at or below `time`: whole where training steps are discrete.
double trainedTime(const Process& process, double time);

// aDDIM's step (Heek et al. 2024, algorithm 3): DDIM with the noise direction ε̂ made longer by the variance v of x0
// given the state, which the mean estimate x̂0 has lost,
//   y' = a' x̂0 + √(τ'² + (d/‖ε̂‖²) (a' − a τ'/τ)² v) ε̂. Per image, on every step: the last one adds √v too, or the
//       result keeps the deficit.
Tensor adjustedStep(const Sampling& s, const Tensor& denoised, double from, double to, double variance);

// The χ² variable with so many degrees of freedom that has the probability of the standard normal z.
double chiSquared(double degrees, double z);

ParamSpec phasesParam(int value, const char* help);
ParamSpec gammaParam(const char* help);

}  // namespace meander
