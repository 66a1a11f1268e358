// Linear stability of samplers, measured through their own code. The test equation dy/dt = λ y in one of two clocks,
// equal steps Δ and z = λ Δ: what a step multiplies y by, over the complex plane. Multistep rules multiply by several
// factors at once; the largest decides (the root condition), and is found exactly from the states that the sampler goes
// through, which follow a linear recurrence (Prony 1795).
#pragma once
#include <complex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/sampling/sampling.h"

namespace meander {

enum class StabilityClock : std::uint8_t {
    Noise,     // t = τ, far from 0, where steps of log τ are short too: every rule in its classical form (exponential
               // integrators become Adams' rules)
    LogNoise,  // t = −log τ with the given step: exponential integrators treat the decay of y towards D exactly, and
               // only what λ adds to it is approximated
};

struct StabilityOptions {
    StabilityClock clock = StabilityClock::Noise;
    double logStep = 0.5;  // h = log(τ/τ'), for LogNoise
};

// Largest modulus of the factors at each z; NaN where the sampler failed or follows no short recurrence (adaptive
// steps). Noise counts as 0.
std::vector<double> amplification(const SamplerInfo& sampler, const Params& params,
                                  std::span<const std::complex<double>> z, const StabilityOptions& options = {});

struct StabilityRegion {
    double left = -4, right = 1, bottom = -3, top = 3;
    int columns = 0, rows = 0;
    std::vector<double> growth;  // (rows, columns) from the bottom left, at cell centres; at most 1: stable
};
StabilityRegion stabilityRegion(const SamplerInfo& sampler, const Params& params, StabilityRegion bounds,
                                const StabilityOptions& options = {});
// How far the negative real axis is stable from 0 on, up to `limit`; 0 when not at all.
double stabilityInterval(const SamplerInfo& sampler, const Params& params, double limit = 100,
                         const StabilityOptions& options = {});

// Roots of x^n = Σ c_k x^k, k < n.
std::vector<std::complex<double>> recurrenceRoots(std::span<const std::complex<double>> c);

}  // namespace meander
