// PFGM++ (Xu et al. 2023): data beside D more dimensions, noise of radius r = σ√D. With that alignment the ODE, the
// levels and Heun's method of EDM hold unchanged; only the noise differs: R = r √(B/(1 − B)), B ~ Beta(N/2, D/2), in a
// uniform direction, which is Gaussian noise times √(D/χ²_D). D = 1 is PFGM, D → ∞ diffusion.
#include <cmath>

#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

// Per image, from one normal of its own.
static std::vector<double> tails(const Tensor& noise, double dimensions) {
    const HostTensor z = download(noise);
    std::vector<double> factors;
    for (std::int64_t row = 0; row < noise.rows(); ++row)
        factors.push_back(std::sqrt(dimensions / chiSquared(dimensions, z.at(row * (noise.count() / noise.rows())))));
    return factors;
}

static SamplerTask run(Sampling& s) {
    const bool isHeun = text(s.params, "solver") == "heun";
    if (const double dimensions = real(s.params, "dimensions");
        s.intervals().size() == std::size_t(s.steps()) && dimensions < 1e9) {
        // The noise of the start gets its tail; data that it was put on stays.
        const double first = s.levels().front();
        const std::vector<double> tail = tails(s.noise(first, first, 0), dimensions);
        std::vector<double> rest;
        for (const double f : tail) rest.push_back(s.signal(first) * (1 - f));
        const std::vector<Tensor> parts = s.clean ? std::vector<Tensor>{s.x, s.clean} : std::vector<Tensor>{s.x};
        const std::vector<std::vector<double>> factors =
            s.clean ? std::vector<std::vector<double>>{tail, rest} : std::vector<std::vector<double>>{tail};
        s.x = combineRows(parts, factors);
    }
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from), euler = eulerStep(s.x, d, from, to);
        if (!isHeun || to.isClean()) {
            s.advance(euler, to);
            continue;
        }
        const Tensor d2 = co_await s.denoise(euler, to, to);
        s.advance(heunStep(s.x, d, euler, d2, from, to), to);
    }
}

static int requests(int step, int steps, const Params& p) {
    return text(p, "solver") == "heun" ? twiceButLast(step, steps, p) : 1;
}

static bool draws(const Params& p) { return real(p, "dimensions") < 1e9; }

SamplerInfo pfgmpp() {
    ParamSpec dimensions = realParam(
        "dimensions", "D", 2048, 1, 1e9,
        "Dimensions beside the data, as trained: 128 and 2048 in the paper, 1 is PFGM, 10⁹ is a plain diffusion model.",
        1);
    dimensions.logarithmic = true;
    return {.id = "pfgmpp",
            .label = "PFGM++",
            .summary = "Heun's method of EDM from heavy-tailed noise of D dimensions",
            .source = "Xu et al. 2023, algorithm 1",
            .group = "Few-step",
            .params = {dimensions, choiceParam("solver", "Solver", "heun", {{"heun", "Heun"}, {"euler", "Euler"}},
                                               "Two evaluations a step, or one.")},
            .order = 2,
            .stochastic = true,
            .madeFor = {Distillation::Poisson},
            .drawsBesidePath = true,
            .run = run,
            .requestsInStep = requests,
            .draws = draws};
}

}  // namespace meander::sampler
