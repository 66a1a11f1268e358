// DPM-Solver++(2S) and (3S), DPM-Solver-2 and -3 (Lu et al. 2022b, algorithm 1; 2022a, algorithms 1 and 2): singlestep,
// with their own levels between those of the schedule, in log τ. The step to clean takes the estimate.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s, int order) {
    const bool noise = onNoise(s.params);
    const double r1 = real(s.params, "r1"), r2 = order == 3 ? real(s.params, "r2") : 1;
    for (auto [from, to] : s.intervals()) {
        if (to.isClean()) {
            s.advance(co_await s.denoise(s.x, from), to);
            co_return;
        }
        DpmSolverStep step(order, noise, s.x, from, to, r1, r2);
        while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau()));
        s.advance(step.result(), to);
    }
}

static SamplerTask run2(Sampling& s) { return run(s, 2); }
static SamplerTask run3(Sampling& s) { return run(s, 3); }
static int requests3(int step, int steps, const Params&) { return step + 1 < steps ? 3 : 1; }

static std::string problem3(const Params& p) {
    return real(p, "r1") < real(p, "r2")
               ? ""
               : "the second middle level must come after the first: choose r2 greater than r1.";
}

SamplerInfo dpmpp2s() {
    return {.id = "dpmpp_2s",
            .label = "DPM++ 2S",
            .summary = "Second-order singlestep in log-SNR, two evaluations a step",
            .source = "Lu et al. 2022b, algorithm 1; k-diffusion",
            .group = "One step",
            .params = {predictionParam(), advanced(realParam("r1", "Middle level", 0.5, 0.05, 1,
                                                             "Place of the second evaluation in the step, in log τ."))},
            .order = 2,
            .run = run2,
            .requestsInStep = twiceButLast};
}

SamplerInfo dpmpp3s() {
    return {.id = "dpmpp_3s",
            .label = "DPM++ 3S",
            .summary = "Third-order singlestep in log-SNR, three evaluations a step",
            .source = "Lu et al. 2022a, algorithm 2; 2022b",
            .group = "One step",
            .params = {predictionParam(),
                       advanced(realParam("r1", "First middle level", 1.0 / 3, 0.05, 0.9,
                                          "Place of the second evaluation in the step, in log τ.")),
                       advanced(realParam("r2", "Second middle level", 2.0 / 3, 0.1, 1,
                                          "Place of the third evaluation in the step, in log τ."))},
            .order = 3,
            .run = run3,
            .requestsInStep = requests3,
            .problem = problem3};
}

}  // namespace meander::sampler
