// UniPC (Zhao et al. 2023, algorithms 5 to 8): a multistep predictor of any order, and a corrector that uses the
// evaluation at the predicted state, which the next step needs anyway. B(h) is h (bh1) or e^h − 1 (bh2). In log τ.
// ComfyUI ends at σ = 0.001 instead of 0 (end_level), which 1 + σ² in single precision makes 2⁻¹⁰.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {
struct Rule {
    ExponentialClock clock;
    bool onNoise, bh1;

    // y at `to` from y at the newest value's level. With `next`, the value at `to`: UniC, otherwise UniP.
    Tensor step(const EvaluationHistory& values, std::size_t order, const Tensor& y, double to,
                const Tensor* next) const {
        const double from = values.at(1)[0];
        const ExponentialForm e(clock, onNoise, from, to);
        const double b = e.scale * (bh1 ? e.h : e.hPhi(1));
        std::vector<double> places;
        for (std::size_t k = 1; k < order; ++k) places.push_back(clock.between(from, values.at(order)[k]) / e.h);
        if (next) places.push_back(1);
        const std::vector<double> rho = coefficients(places, e.z, next ? order == 1 : order == 2);
        Sum differences;
        for (std::size_t k = 0; k < places.size(); ++k)
            differences += rho[k] / places[k] * ((next && k + 1 == places.size() ? *next : values[k + 1]) - values[0]);
        return e.stateCoeff * y + e.scale * e.hPhi(1) * values[0] + b * differences;
    }

    // Σ_k ρ_k r_k^{i−1} = i! φ_{i+1}(z)/B, B relative to z; a single one is 1/2 in the simplified form of the paper.
    std::vector<double> coefficients(const std::vector<double>& places, double z, bool simplified) const {
        if (places.empty()) return {};
        if (simplified) return {0.5};
        const std::size_t n = places.size();
        std::vector<std::vector<double>> r(n, std::vector<double>(n));
        std::vector<double> b(n);
        double factorial = 1;
        for (std::size_t i = 0; i < n; ++i) {
            factorial *= double(i + 1);
            b[i] = factorial * phi(int(i) + 2, z) / (bh1 ? 1 : phi(1, z));
            for (std::size_t k = 0; k < n; ++k) r[i][k] = std::pow(places[k], double(i));
        }
        return solveLinear(std::move(r), std::move(b));
    }
};
}  // namespace

static SamplerTask run(Sampling& s) {
    const ExponentialClock clock(s);
    const Rule rule{clock, onNoise(s.params), text(s.params, "variant") == "bh1"};
    const bool corrects = toggle(s.params, "corrector"), lowerFinal = toggle(s.params, "lower_order_final");
    const double endLevel = real(s.params, "end_level");
    EvaluationHistory values(std::size_t(integer(s.params, "order")));
    std::size_t order = 0;  // of the last step
    Tensor y = s.x;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from), value = clock.predicted(rule.onNoise, s.x, d, from);
        if (!clock.isFinite(from)) {
            s.advance(eulerStep(s.x, d, from, to), to);
            continue;
        }
        y = corrects && order > 0 ? rule.step(values, order, y, from, &value) : s.x;
        values.add(from, value);
        order = lowerFinal ? std::min(values.size(), std::size_t(s.steps() - from.index)) : values.size();
        if (!to.isClean()) s.advance(rule.step(values, order, y, to, nullptr), to);
        else s.advance(endLevel > 0 && endLevel < from ? rule.step(values, order, y, endLevel, nullptr) : d, to);
    }
}

static SamplerInfo make(const char* id, const char* label, const char* variant) {
    return {
        .id = id,
        .label = label,
        .summary = "Multistep predictor and corrector with one evaluation a step",
        .source = "Zhao et al. 2023, algorithms 5 to 8",
        .group = "Multistep",
        .params = {integerParam("order", "Order", 3, 1, 6, "Of the predictor; the corrector's is one higher."),
                   choiceParam("variant", "B(h)", variant, {{"bh1", "h (bh1)"}, {"bh2", "eʰ − 1 (bh2)"}},
                               "The paper recommends bh1 without guidance and bh2 with it."),
                   predictionParam(), clockParam(),
                   toggleParam("corrector", "Corrector", true,
                               "Corrects each state with the evaluation made at it (UniC)."),
                   toggleParam("lower_order_final", "Lower order at the end", true,
                               "The last steps have falling order, for stability."),
                   advanced(realParam(
                       "end_level", "End level", 0x1p-10, 0, 0.1,
                       "τ at which the step to clean ends; 0.001 in ComfyUI, in effect 1/1024; 0 takes the estimate.",
                       0.001))},
        .order = 2,
        .run = run};
}

SamplerInfo uniPc() { return make("uni_pc", "UniPC", "bh1"); }
SamplerInfo uniPcBh2() { return make("uni_pc_bh2", "UniPC bh2", "bh2"); }

}  // namespace meander::sampler
