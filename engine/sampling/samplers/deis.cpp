// DEIS tAB and ρAB (Zhang & Chen 2023, eq. 15): slopes are extrapolated by a polynomial in a chosen time and integrated
// over τ. Times: t of the linear VP process with σ from 0.002 at t = 0.001 to 80 at t = 1 (tAB as in zju-pi's
// diff-solvers and ComfyUI), log τ (diffusers' log-ρ), or τ itself (ρAB, the same as LMS).
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

// σ² = exp(β_d t²/2 + β_min t) − 1
static constexpr double earliest = 1e-3;
struct VpTime {
    double betaD, betaMin;
    VpTime() {
        const double low = std::log1p(0.002 * 0.002), high = std::log1p(80.0 * 80.0);
        betaD = 2 * (low / earliest - high) / (earliest - 1);
        betaMin = high - 0.5 * betaD;
    }
    double t(double sigma) const {
        return (std::sqrt(betaMin * betaMin + 2 * betaD * std::log1p(sigma * sigma)) - betaMin) / betaD;
    }
    double slope(double t) const {  // dσ/dt
        const double grow = std::exp(0.5 * betaD * t * t + betaMin * t);
        return 0.5 * (betaD * t + betaMin) * grow / std::sqrt(grow - 1);
    }
};

// ∫ ℓ_j(t) dσ by the sum that those programs take: 10000 points with both ends, times 1/10000 of the interval.
static std::vector<double> tableWeights(std::span<const double> taus, double to) {
    static const VpTime vp;
    constexpr int n = 10000;
    std::vector<double> nodes, w(taus.size(), 0.0);
    for (double tau : taus) nodes.push_back(vp.t(tau));
    const double a = nodes[0], b = vp.t(to);
    for (int i = 0; i < n; ++i) {
        const double t = a + (b - a) * i / (n - 1), f = vp.slope(t) * (b - a) / n;
        for (std::size_t j = 0; j < w.size(); ++j) {
            double product = f;
            for (std::size_t k = 0; k < w.size(); ++k)
                if (k != j) product *= (t - nodes[k]) / (nodes[j] - nodes[k]);
            w[j] += product;
        }
    }
    return w;
}

static std::vector<double> weights(const std::string& time, std::span<const double> taus, double to) {
    if (taus.size() == 1) return {to - taus[0]};
    if (time == "t") return tableWeights(taus, to);
    if (time == "rho") return adamsWeights(taus, taus[0], to);
    std::vector<double> u, w;
    for (double tau : taus) u.push_back(-std::log(tau));
    for (double v : exponentialWeights(u, u[0], -std::log(to), -1)) w.push_back(-to * v);  // dτ = −τ du
    return w;
}

static SamplerTask run(Sampling& s) {
    const std::string time = text(s.params, "time");
    const bool lowerOrderFinal = toggle(s.params, "lower_order_final") && s.steps() < 15;
    EvaluationHistory slopes(std::size_t(integer(s.params, "order")));
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        slopes.add(from, Sampling::slope(s.x, d, from));
        const std::size_t left = std::size_t(s.steps() - from.index),
                          k = lowerOrderFinal ? std::min(slopes.size(), left) : slopes.size();
        s.advance(to.isClean() ? Sum(d) : s.x + slopes.combined(weights(time, slopes.at(k), to)), to);
    }
}

SamplerInfo deis() {
    return {
        .id = "deis",
        .label = "DEIS",
        .summary = "Multistep with slopes extrapolated in a time of choice, integrated exactly",
        .source = "Zhang & Chen 2023, eq. 15",
        .group = "Multistep",
        .params = {integerParam("order", "Order", 3, 1, 4, "Slopes that are remembered, the new one included."),
                   choiceParam("time", "Polynomial in", "t",
                               {{"t", "Time of the linear VP process (tAB)"}, {"log_rho", "log τ"}, {"rho", "τ (ρAB)"}},
                               "The variable in which slopes are extrapolated."),
                   toggleParam("lower_order_final", "Lower order at the end", false,
                               "With fewer than 15 steps the last steps have order 2 and 1, as in diffusers.")},
        .order = 2,
        .run = run};
}

}  // namespace meander::sampler
