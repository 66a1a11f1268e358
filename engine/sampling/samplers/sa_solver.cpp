// SA-Solver (Xue et al. 2023, "Stochastic Adams solver", eqs. 13–18): predictor and corrector of Adams type for the
// variance-controlled SDE, with exact integrals of Lagrange polynomials of D in λ against e^{(1+τ²)λ}. The
// stochasticity τ(·) is constant inside an interval of the training time and 0 outside.
#include <deque>

#include "engine/sampling/stochastic_common.h"

namespace meander {

namespace {

struct History {
    std::deque<Tensor> values;  // newest first
    std::deque<double> lambdas;
    void push(Tensor d, double lambda, std::size_t keep) {
        values.push_front(std::move(d));
        lambdas.push_front(lambda);
        while (values.size() > keep) {
            values.pop_back();
            lambdas.pop_back();
        }
    }
};

struct AdamsStep {
    double from, to;  // τ of the model's clock
    double stochasticity = 0;
    Tensor start, noise;  // state at `from`; noise already scaled
};

// a' (1 + τ²) ∫ e^{(1+τ²)(λ−λ')} D(λ) dλ with D through the newest `order` estimates, plus the decayed state and the
// noise.
Tensor adams(const Sampling& s, const AdamsStep& step, const History& history, int order, bool simple) {
    const double lambda = s.halfLogSnr(step.from), end = s.halfLogSnr(step.to), h = end - lambda,
                 rate = 1 + step.stochasticity * step.stochasticity, a = s.signal(step.to);
    const std::vector<double> nodes(history.lambdas.begin(), history.lambdas.begin() + order);
    std::vector<double> weights = exponentialWeights(nodes, lambda, end, rate);
    for (double& w : weights) w *= rate * a;
    if (simple && order == 2) {  // appendix D: the integral of the slope to second order in h only
        const double all = -a * std::expm1(-rate * h);
        const bool corrects = nodes[0] == end;
        weights[1] = corrects ? all - a * 0.5 * rate * h : a * 0.5 * rate * h * h / (nodes[1] - lambda);
        weights[0] = all - weights[1];
    }
    const double kept = step.to / step.from * std::exp(-(rate - 1) * h);
    Sum next = kept * step.start;
    for (int i = 0; i < order; ++i) next += weights[std::size_t(i)] * history.values[std::size_t(i)];
    if (step.noise) next += step.noise;
    return next;
}

}  // namespace

SamplerTask runStochasticAdams(Sampling& s, bool evaluateTwice) {
    const int predictor = int(integer(s.params, "predictor_order")),
              corrector = int(integer(s.params, "corrector_order"));
    const double eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise"),
                 shift = real(s.params, "time_shift");
    const bool simple = toggle(s.params, "simple_order_2"), atStart = text(s.params, "tau_at") == "start";
    const double high = levelAtProgress(s.process, real(s.params, "tau_start"), shift),
                 low = levelAtProgress(s.process, real(s.params, "tau_end"), shift);
    History history;
    Tensor predicted = s.x, state;
    AdamsStep last;
    const auto list = finiteIntervals(s);
    const int solved = int(list.size()) - (list.back().to.isClean() ? 1 : 0);  // intervals before the jump to clean
    for (int i = 0; i < int(list.size()); ++i) {
        const NoiseLevel from = list[std::size_t(i)].from, to = list[std::size_t(i)].to;
        Tensor d = co_await s.denoise(predicted, from);
        history.push(d, s.halfLogSnr(from), std::size_t(std::max(predictor, corrector)));
        const int known = int(history.values.size());
        int correctorOrder =
            i == 0 || (to.isClean() && !evaluateTwice) ? 0 : std::min({corrector, known, solved - i + 1});
        state = correctorOrder == 0 ? predicted : adams(s, last, history, correctorOrder, simple);
        if (evaluateTwice && correctorOrder > 0) {
            d = co_await s.denoise(state, from);
            history.values.front() = d;
        }
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double clock =
            atStart ? from : to;  // the noisy edge itself is outside, whichever way a level on it is rounded
        last = {from, to, clock < high * (1 - 1e-9) && clock >= low * (1 - 1e-9) ? eta : 0, state, {}};
        const double noiseStd = to * noiseScale
                                * std::sqrt(-std::expm1(-2 * last.stochasticity * last.stochasticity
                                                        * (s.halfLogSnr(to) - s.halfLogSnr(from))));
        if (noiseStd > 0) last.noise = s.freshNoise(noiseStd, from, to);
        predicted = adams(s, last, history, std::min({predictor, known, solved - i}), simple);
        s.advance(predicted, to);
    }
}

std::vector<ParamSpec> stochasticAdamsParams() {
    return {etaParam(1, "Stochasticity τ inside the interval: 0 follows the ODE, 1 the reverse SDE."),
            noiseScaleParam(),
            integerParam("predictor_order", "Predictor order", 3, 1, 4, "Past estimates that the predictor uses."),
            integerParam("corrector_order", "Corrector order", 4, 0, 5,
                         "Estimates that the corrector uses, the new one included; 0 leaves the corrector out."),
            realParam("tau_start", "Noise from", 0.2, 0, 1,
                      "Share of the training time after which noise is added; 0 is pure noise."),
            realParam("tau_end", "Noise until", 0.8, 0, 1,
                      "Share of the training time after which no more noise is added; 1 is clean."),
            advanced(choiceParam("tau_at", "Interval tested at", "end",
                                 {{"end", "End of a step"}, {"start", "Start of a step"}},
                                 "Which end of a step decides whether it is inside the interval.")),
            advanced(toggleParam(
                "simple_order_2", "Simple second order", false,
                "Second-order steps with the slope integrated to second order only (the paper's appendix D).")),
            timeShiftParam()};
}

namespace sampler {

static SamplerTask run(Sampling& s) { return runStochasticAdams(s, false); }

SamplerInfo saSolver() {
    return {.id = "sa_solver",
            .label = "SA-Solver",
            .summary = "Stochastic Adams predictor-corrector, one evaluation a step",
            .source = "Xue et al. 2023, SA-Solver",
            .group = "Stochastic",
            .params = stochasticAdamsParams(),
            .stochastic = true,
            .run = run};
}

}  // namespace sampler
}  // namespace meander
