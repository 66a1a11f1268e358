// The measurements of `meander-run bench` that need no network: matrices of error, and stability.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "engine/cli/command.h"

namespace meander::cli {

struct MatrixOptions {
    std::string model = "analytic:gaussian2", device = "cpu";
    std::vector<std::string> samplers = {"euler", "heun", "dpmpp_2m", "rk4"},
                             schedules = {"karras", "exponential", "uniform_t", "cosine"};
    std::vector<int> budgets = {8, 16, 32, 64};  // evaluations
    int particles = 64;
    std::uint64_t seed = 1;
    bool isJson = false;
};
int benchMatrix(const MatrixOptions& o);
// How far the negative real axis is stable, for each sampler, or those named.
int benchStability(const std::vector<std::string>& samplers, bool isJson);

}  // namespace meander::cli
