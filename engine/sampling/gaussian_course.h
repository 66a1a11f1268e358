// What a sampler makes of Gaussian data, through its own code: the standard deviation of its states after each step
// beside the exact one. The denoiser of N(0, s²) is linear, D(y, τ) = a s²/(a² s² + τ²) y, so a state is a combination
// of the first state and the draws of noise: one vector of its weights stands for all samples, and norms of such
// vectors are the root mean squares that rules with norms take.
#pragma once
#include <optional>
#include <vector>

#include "engine/sampling/sampling.h"

namespace meander {

struct GaussianStep {
    double from = 0, to = 0;  // τ
    double ratio = 1;  // variance of the states over the exact a² s² + τ²; infinite or NaN where they explode
};

// From the exact law at the first level; `params` are resolved. Nothing for samplers that control their error (their
// steps depend on the data), keep their states in a box, start from data or step on curved spaces, and for runs of more
// than 200 steps or 4096 draws.
std::optional<std::vector<GaussianStep>> gaussianCourse(const SamplerInfo& sampler, const Params& params,
                                                        const Process& process, const std::vector<double>& levels,
                                                        double deviation);
std::vector<double> levelsOf(const std::vector<GaussianStep>& course);
// Chooses its steps by an estimate of its error.
bool controlsError(const SamplerInfo& sampler);

}  // namespace meander
