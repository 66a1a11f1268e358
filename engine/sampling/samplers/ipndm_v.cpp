// iPNDM with variable steps, as in zju-pi's diff-solvers and ComfyUI: backward differences of the slopes with divided
// steps. In their third-order term the ratio of steps multiplies only a part of the bracket, which makes the weights
// inexact on unequal steps (order 2 to 3); "exact" has Adams–Bashforth's weights (LMS).
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

// Weights of the last slopes, newest first; h[0] the step to do, h[k] the k-th before it.
static std::vector<double> published(std::size_t k, const double* h) {
    if (k == 1) return {1};
    const double r = h[0] / h[1];
    if (k == 2) return {(2 + r) / 2, -r / 2};
    const double t1 = (1 - h[0] / (3 * (h[0] + h[1])) * (h[0] * (h[0] + h[1])) / (h[1] * (h[1] + h[2]))) / 2;
    const double q = h[1] / h[2];
    std::vector<double> w = {(2 + r) / 2 + t1, -r / 2 - (1 + q) * t1, t1 * q};
    if (k == 3) return w;
    const double t2 =
        ((1 - h[0] / (3 * (h[0] + h[1]))) / 2 + (1 - h[0] / (2 * (h[0] + h[1]))) * h[0] / (6 * (h[0] + h[1] + h[2])))
        * (h[0] * (h[0] + h[1]) * (h[0] + h[1] + h[2])) / (h[1] * (h[1] + h[2]) * (h[1] + h[2] + h[3]));
    const double p = h[1] * (h[1] + h[2]) / (h[2] * (h[2] + h[3]));
    return {w[0] + t2, w[1] - (1 + q + p) * t2, w[2] + (q + p * (1 + h[2] / h[3])) * t2, -t2 * p * q};
}

static SamplerTask run(Sampling& s) {
    const bool exact = text(s.params, "weights") == "exact";
    EvaluationHistory slopes(std::size_t(integer(s.params, "order")));
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        slopes.add(from, Sampling::slope(s.x, d, from));
        const std::size_t k = slopes.size();
        if (to.isClean()) {
            s.advance(d, to);
        } else if (exact) {
            s.advance(s.x + slopes.combined(adamsWeights(slopes.at(k), from, to)), to);
        } else {
            double h[4] = {to - from, 0, 0, 0};
            for (std::size_t j = 1; j < k; ++j) h[j] = slopes.at(k)[j - 1] - slopes.at(k)[j];
            s.advance(s.x + h[0] * slopes.combined(published(k, h)), to);
        }
    }
}

SamplerInfo ipndmV() {
    return {
        .id = "ipndm_v",
        .label = "iPNDM-V",
        .summary = "iPNDM with weights that follow the steps",
        .source = "Zhang & Chen 2023; zju-pi diff-solvers",
        .group = "Multistep",
        .params = {integerParam("order", "Order", 4, 1, 4, "Slopes that are remembered, the new one included."),
                   choiceParam("weights", "Weights", "published", {{"published", "As published"}, {"exact", "Exact"}},
                               "The published third-order term is inexact on unequal steps; exact is the LMS rule.")},
        .order = 2,
        .run = run};
}

}  // namespace meander::sampler
