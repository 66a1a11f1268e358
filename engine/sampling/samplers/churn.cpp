// Stochastic sampler of Karras et al. 2022, algorithm 2: noise is raised by a factor 1 + γ before each ODE step (Euler,
// Heun or DPM-Solver-2). γ = min(churn/N, √2 − 1) where σ = n/s is inside [S_tmin, S_tmax]. The factor is on σ and the
// signal is rescaled with it, so the marginal holds in flows, too.
#include <numbers>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static int requests(int step, int steps, const Params& p) {
    return text(p, "method") == "euler" ? 1 : twiceButLast(step, steps, p);
}

static SamplerTask run(Sampling& s) {
    const double churn = real(s.params, "s_churn"), low = real(s.params, "s_tmin"),
                 noiseScale = real(s.params, "s_noise");
    const double high =
        s.params.contains("s_tmax") ? real(s.params, "s_tmax") : std::numeric_limits<double>::infinity();
    const std::string method = text(s.params, "method");
    for (auto [from, to] : s.intervals()) {
        const double sigma = s.process.sigma(from),
                     gamma = sigma >= low && sigma <= high ? std::min(churn / s.steps(), std::numbers::sqrt2 - 1) : 0;
        const double raised = gamma > 0 ? s.process.tauOfSigma((1 + gamma) * sigma) : double(from);
        Tensor y = s.x;
        if (raised > from) {
            const auto [sigmaDown, scale, noiseStd] = s.ancestralVia(from, raised);
            y = scale * y + s.freshNoise(noiseScale * noiseStd, from, raised);
        }
        const Tensor d = co_await s.denoise(y, raised), euler = eulerStep(y, d, raised, to);
        if (to.isClean() || method == "euler") {
            s.advance(euler, to);
        } else if (method == "heun") {
            const Tensor d2 = co_await s.denoise(euler, to, to);
            s.advance(heunStep(y, d, euler, d2, raised, to), to);
        } else {
            const double middle = std::sqrt(raised * to);  // halfway in log τ
            const Tensor inner = eulerStep(y, d, raised, middle), d2 = co_await s.denoise(inner, middle);
            s.advance(y + (to - raised) * Sampling::slope(inner, d2, middle), to);
        }
    }
}

SamplerInfo churn() {
    ParamSpec high = realParam("s_tmax", "No churn above", 50, 0, 1e6,
                               "Noise level σ above which no noise is added; absent: everywhere.");
    high.optional = true;
    high.unit = "σ";
    ParamSpec low = realParam("s_tmin", "No churn below", 0, 0, 1e6, "Noise level σ below which no noise is added.");
    low.unit = "σ";
    return {
        .id = "edm_churn",
        .label = "EDM stochastic (churn)",
        .summary = "Raises the noise a little before each ODE step",
        .source = "Karras et al. 2022, algorithm 2",
        .group = "Stochastic",
        .params = {choiceParam("method", "ODE step", "heun", {{"euler", "Euler"}, {"heun", "Heun"}, {"dpm_2", "DPM2"}},
                               "The deterministic step that follows the added noise."),
                   realParam("s_churn", "Churn", 40, 0, 1000,
                             "How much noise the whole run adds and removes again, shared by its steps; 0 is the ODE.",
                             1),
                   low, high, noiseScaleParam()},
        .stochastic = true,
        .drawsBesidePath = true,
        .run = run,
        .requestsInStep = requests};
}

}  // namespace meander::sampler
