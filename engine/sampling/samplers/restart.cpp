// Restart sampling (Xu et al. 2023, algorithm 1): Heun's method, and once at a low level t_min: K times noise up to
// t_max in one forward step and Heun back down on levels spaced by ρ = 7. The forward jump contracts accumulated errors
// as an SDE does, the way back keeps the accuracy of the ODE.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

// The restart follows this step of the schedule, from 1 to the last but one.
static int restartStep(int steps, const Params& p) {
    return std::clamp(int(std::lround(real(p, "at") * steps)), 1, std::max(1, steps - 1));
}

static int requests(int step, int steps, const Params& p) {
    const int extra = step + 1 == restartStep(steps, p) && steps > 1
                          ? int(2 * integer(p, "restarts") * integer(p, "inner_steps"))
                          : 0;
    return twiceButLast(step, steps, p) + extra;
}

// Levels from σ = rise · σ_min down to σ_min, evenly spaced in σ^(1/7).
static std::vector<double> climb(const Sampling& s, double low, double rise, int steps) {
    const double rho = 7, bottom = std::pow(s.process.sigma(low), 1 / rho), top = bottom * std::pow(rise, 1 / rho);
    std::vector<double> levels;
    for (int i = 0; i < steps; ++i)
        levels.push_back(s.process.tauOfSigma(std::pow(top + (bottom - top) * i / steps, rho)));
    levels.push_back(low);
    return levels;
}

static SamplerTask run(Sampling& s) {
    const int restarts = int(integer(s.params, "restarts")), inner = int(integer(s.params, "inner_steps")),
              at = restartStep(s.steps(), s.params);
    const double rise = real(s.params, "rise"), noiseScale = real(s.params, "s_noise");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from), euler = eulerStep(s.x, d, from, to);
        if (to.isClean()) {
            s.advance(euler, to);
            co_return;
        }
        const Tensor d2 = co_await s.denoise(euler, to, to);
        Tensor y = heunStep(s.x, d, euler, d2, from, to);
        for (int k = 0; to.index == at && k < restarts; ++k) {
            const auto levels = climb(s, to, rise, inner);
            const auto [sigmaDown, scale, noiseStd] = s.ancestralVia(to, levels.front());
            y = scale * y + s.freshNoise(noiseScale * noiseStd, to, levels.front(), k);
            for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
                const double high = levels[i], low = levels[i + 1];
                const Tensor e = co_await s.denoise(y, high, low), predicted = eulerStep(y, e, high, low),
                             e2 = co_await s.denoise(predicted, low, low);
                y = heunStep(y, e, predicted, e2, high, low);
            }
        }
        s.advance(y, to);
    }
}

SamplerInfo restart() {
    ParamSpec rise =
        realParam("rise", "Noise up by", 5, 1, 10000,
                  "Factor on the noise level σ by which a restart goes back up; the paper's t_max over t_min.", 0.5);
    rise.unit = "×";
    rise.logarithmic = true;
    return {
        .id = "restart",
        .label = "Restart",
        .summary = "Heun; noises back up and solves again a few times at a low level",
        .source = "Xu et al. 2023, Restart",
        .group = "Stochastic",
        .params = {integerParam("restarts", "Restarts", 2, 0, 50, "How often the noise is added and removed again."),
                   realParam(
                       "at", "After", 0.75, 0, 1,
                       "Share of the steps after which the restarts are done; the level there is the paper's t_min."),
                   rise,
                   integerParam("inner_steps", "Steps of a restart", 3, 1, 100, "Heun steps on the way back down."),
                   noiseScaleParam()},
        .stochastic = true,
        .drawsBesidePath = true,
        .run = run,
        .requestsInStep = requests};
}

}  // namespace meander::sampler
