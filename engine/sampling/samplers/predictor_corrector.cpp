// Predictor–corrector sampling (Song et al. 2021, algorithms 1–5): at each level Langevin steps of size ε = 2 (r
// ‖z‖/‖score‖)², then a step of the reverse SDE. score = −(y − a D)/τ² in y coordinates; r is the signal-to-noise ratio
// of a Langevin step.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static int requests(int, int, const Params& p) { return 1 + int(integer(p, "corrector_steps")); }

static std::vector<double> norms(const Tensor& t, bool wholeBatch) {
    auto list = t.backend().reduceRows(kernels::Reduction::SumSquares, t.view());
    double sum = 0;
    for (double& v : list) sum += v = std::sqrt(v);
    if (wholeBatch) list.assign(list.size(), sum / double(list.size()));
    return list;
}

// y + ε score + √(2ε) z, with ε row by row.
static Tensor langevin(const Tensor& y, const Tensor& d, const Tensor& z, double a, double tau, double snr,
                       bool wholeBatch) {
    const Tensor score = (a * d - y) / (tau * tau);
    const auto scores = norms(score, wholeBatch), noises = norms(z, wholeBatch);
    std::vector<std::vector<double>> factors(3, std::vector<double>(scores.size(), 1.0));
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const double ratio = scores[i] > 0 ? snr * noises[i] / scores[i] : 0, step = 2 * ratio * ratio;
        factors[1][i] = step;
        factors[2][i] = std::sqrt(2 * step);
    }
    const std::vector<Tensor> values{y, score, z};
    return combineRows(values, factors);
}

static SamplerTask run(Sampling& s) {
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise"), snr = real(s.params, "snr");
    const int correctors = int(integer(s.params, "corrector_steps"));
    const std::string predictor = text(s.params, "predictor");
    const bool wholeBatch = text(s.params, "norms") == "batch", denoise = toggle(s.params, "denoise");
    for (auto [from, to] : s.intervals()) {
        Tensor y = s.x;
        for (int k = 0; k < correctors; ++k) {
            const Tensor d = co_await s.denoise(y, from, from);
            y = langevin(y, d, s.noise(from, from, k), s.signal(from), from, snr, wholeBatch);
        }
        const Tensor d = co_await s.denoise(y, from);
        DiffusionStep step =
            predictor == "euler_maruyama" ? eulerMaruyama(s, from, to, eta) : reverseDiffusion(s, from, to, eta);
        if (predictor == "ancestral") {
            const auto [sigmaDown, scale, noiseStd] = s.ancestral(from, to, eta);
            step = {scale * sigmaDown / from, scale * (1 - sigmaDown / from), noiseStd};
        }
        if (to.isClean() && denoise) step = {0, s.signal(0), 0};
        const Tensor mean = step.mean(y, d);
        s.advance(mean + s.freshNoise(step.noiseStd * noiseScale, from, to, correctors), to);
    }
}

// Over few numbers the norm of one score varies much, and dividing by it changes the law that the Langevin steps keep.
static std::string advice(const SamplerSituation& s) {
    const bool isRow = text(s.params, "norms") == "row";
    if (integer(s.params, "corrector_steps") == 0 || real(s.params, "snr") == 0) return {};
    if (s.elements * (isRow ? 1 : s.images) >= 256) return {};
    return std::string("The step of a Langevin correction comes from the norm of ")
           + (isRow ? "one score" : "the batch's scores") + " of " + std::to_string(s.elements)
           + " numbers, which varies so much that the variance of the result is wrong. "
           + (isRow && s.elements * s.images >= 256 ? "Take the norms of the whole batch."
                                                    : "Draw more together, or set the Langevin steps to 0.");
}

SamplerInfo predictorCorrector() {
    return {.id = "predictor_corrector",
            .label = "Predictor–corrector",
            .summary = "Langevin steps at each level, then a step of the reverse SDE",
            .source = "Song et al. 2021, algorithms 1-5",
            .group = "Stochastic",
            .params = {choiceParam("predictor", "Predictor", "reverse_diffusion",
                                   {{"reverse_diffusion", "Reverse diffusion"},
                                    {"euler_maruyama", "Euler–Maruyama"},
                                    {"ancestral", "Ancestral"}},
                                   "How the reverse SDE is stepped."),
                       integerParam("corrector_steps", "Langevin steps", 1, 0, 20,
                                    "Langevin steps at each level before the predictor."),
                       realParam("snr", "Signal-to-noise ratio", 0.16, 0, 2,
                                 "Size of a Langevin step: the ratio of its drift to its noise.", 0.01),
                       etaParam(1), noiseScaleParam(),
                       advanced(choiceParam(
                           "norms", "Norms of", "batch", {{"batch", "The whole batch"}, {"row", "Each image"}},
                           "Whether the step size is one for the batch, as published, which lets an image depend on "
                           "those beside it, or one for each image, which is wrong for states of few numbers.")),
                       advanced(toggleParam("denoise", "Noise-free end", true,
                                            "Ends on the estimate; off adds the last step's noise."))},
            .stochastic = true,
            .run = run,
            .requestsInStep = requests,
            .draws = [](const Params& p) { return integer(p, "corrector_steps") > 0 || real(p, "eta") > 0; },
            .advice = advice};
}

}  // namespace meander::sampler
