// ER-SDE (Cui et al. 2023, "Elucidating the solution space of extended reverse-time SDE"): the family of reverse SDEs
// named by a noise scale function φ(σ) on the clock σ = n/s. With r = φ(σ')/φ(σ): y' = (a'/a) r y + a' (1 − r) D +
// Taylor terms in D(σ) + a' √(σ'² − r² σ²) z. φ(σ) = σ is the ODE, σ² the reverse SDE. The integrals of 1/φ are left
// Riemann sums of 200 points, as published.
#include <array>

#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

namespace {
struct NoiseScale {
    const char *id, *label;
    double (*value)(double sigma);
};
// Cui et al. 2023, appendix A.8.
const std::array<NoiseScale, 7> scales = {{
    {"er_sde", "ER-SDE: σ (e^(σ^0.3) + 10)", [](double x) { return x * (std::exp(std::pow(x, 0.3)) + 10); }},
    {"ode", "ODE: σ", [](double x) { return x; }},
    {"sde", "Reverse SDE: σ²", [](double x) { return x * x; }},
    {"sde_1", "σ (e^(−1/σ) + 10)", [](double x) { return x * (std::exp(-1 / x) + 10); }},
    {"sde_2", "σ^1.5", [](double x) { return std::pow(x, 1.5); }},
    {"sde_3", "σ^2.5", [](double x) { return std::pow(x, 2.5); }},
    {"sde_4", "σ^0.9 log10(1 + 100 σ^1.5)",
     [](double x) { return std::pow(x, 0.9) * std::log10(1 + 100 * std::pow(x, 1.5)); }},
}};
}  // namespace

static SamplerTask run(Sampling& s) {
    constexpr int points = 200;
    const double noiseScale = real(s.params, "s_noise");
    const int order = int(integer(s.params, "order"));
    const auto phi = std::find_if(scales.begin(), scales.end(), [&](const NoiseScale& n) {
                         return n.id == text(s.params, "noise_scale");
                     })->value;
    Tensor d1, slope1;              // the last estimate and the last slope dD/dσ
    double sigma1 = 0, sigma2 = 0;  // levels of the last two estimates
    for (auto [from, to] : finiteIntervals(s)) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double sigma = s.process.sigma(from), target = s.process.sigma(to), a = s.signal(to),
                     r = phi(target) / phi(sigma), move = target - sigma;
        Tensor next = a * (r / s.signal(from) * s.x + (1 - r) * d), slope;
        if (order >= 2 && d1) {
            double integral = 0, moment = 0;
            for (int i = 0; i < points; ++i) {
                const double at = target - move * i / points;
                integral -= 1 / phi(at) * move / points;
                moment -= (at - sigma) / phi(at) * move / points;
            }
            slope = (d - d1) / (sigma - sigma1);
            next = next + a * (move + integral * phi(target)) * slope;
            if (order >= 3 && slope1) {
                const Sum curvature = 2 / (sigma - sigma2) * (slope - slope1);
                next = next + a * (move * move / 2 + moment * phi(target)) * curvature;
            }
        }
        const double variance = target * target - sigma * sigma * r * r;
        const bool isRounding = variance <= 1e-12 * target * target;
        s.advance(next + s.freshNoise(isRounding ? 0 : a * noiseScale * std::sqrt(variance), from, to), to);
        d1 = d;
        slope1 = slope;
        sigma2 = std::exchange(sigma1, sigma);
    }
}

SamplerInfo erSde() {
    std::vector<ParamChoice> choices;
    for (const auto& n : scales) choices.push_back({n.id, n.label});
    return {.id = "er_sde",
            .label = "ER-SDE",
            .summary = "Taylor solver of an extended reverse SDE, little noise by default",
            .source = "Cui et al. 2023, ER-SDE-Solvers",
            .group = "Stochastic",
            .params = {integerParam("order", "Order", 3, 1, 3, "Taylor order of the estimate over the step."),
                       choiceParam("noise_scale", "Noise scale function", "er_sde", choices,
                                   "φ(σ) of the extended reverse SDE; the faster it grows the more fresh noise."),
                       noiseScaleParam(), timeShiftParam()},
            .stochastic = true,
            .run = run};
}

}  // namespace meander::sampler
