#include "engine/sampling/stochastic_common.h"

#include <algorithm>

namespace meander {

AncestralPair ancestralPair(double from, double to, double eta) {
    const double ratio = to / from, up = std::min(to, eta * to * std::sqrt(std::max(0.0, 1 - ratio * ratio)));
    return {std::sqrt(std::max(0.0, to * to - up * up)), up};
}

ParamSpec timeShiftParam() {
    return advanced(realParam("time_shift", "Time shift of the model", 3, 0.1, 20,
                              "Shift of the training time of a flow model (SD3: 3, Flux: 3.16), which places the level "
                              "that stands for pure noise; no effect elsewhere.",
                              0.1));
}

double levelAtProgress(const Process& process, double progress, double timeShift) {
    const double time = 1 - progress;
    if (process.trainingSteps() > 0) return process.tauOfStep(time * (process.trainingSteps() - 1));
    if (process.signal(process.maximum()) > 0)
        return std::pow(process.maximum(), time) * std::pow(process.minimum(), progress);
    return timeShift * time / (1 + (timeShift - 1) * time);
}

std::vector<Interval> finiteIntervals(const Sampling& s) {
    auto list = s.intervals();
    if (!list.empty() && std::isinf(s.halfLogSnr(list.front().from))) {
        auto& [from, to] = list.front();
        const double stand = levelAtProgress(s.process, 1e-4, real(s.params, "time_shift"));
        from.tau = stand > to ? stand : to + (from - to) / 2;  // a schedule may go lower by less
    }
    return list;
}

ParamSpec exactMarginalParam() {
    return toggleParam("exact_marginal", "Keep the marginal", false,
                       "For flow models: rescales the signal with the noise so that the marginal stays exact; off "
                       "gives the numbers of other programs.");
}

std::string exactMarginalAdvice(const SamplerSituation& s) {
    if (s.process.kind() != ProcessKind::RectifiedFlow || toggle(s.params, "exact_marginal")) return {};
    return "As published it treats a flow as if its signal were constant, which up to doubles the variance of the "
           "result. Turn on \"Keep the marginal\", or leave it off to have the numbers of other programs.";
}

ExponentialStep exponentialStep(const Sampling& s, double from, double to, double eta) {
    const double h = s.halfLogSnr(to) - s.halfLogSnr(from), extra = eta == 0 ? 0 : eta * h;
    return {h, to / from * std::exp(-extra), -s.signal(to) * std::expm1(-h - extra),
            to * std::sqrt(-std::expm1(-2 * extra))};
}

static DiffusionStep explicitStep(const Sampling& s, double from, double to, double eta, double share) {
    const double noise = eta * eta;
    return {1 - share * (1 + noise), share * (1 + noise * s.signal(from)),
            eta * std::sqrt(std::max(0.0, from * from - to * to))};
}

DiffusionStep eulerMaruyama(const Sampling& s, double from, double to, double eta) {
    return explicitStep(s, from, to, eta, 1 - to / from);
}

DiffusionStep reverseDiffusion(const Sampling& s, double from, double to, double eta) {
    return explicitStep(s, from, to, eta, (1 - to * to / (from * from)) / 2);
}

}  // namespace meander
