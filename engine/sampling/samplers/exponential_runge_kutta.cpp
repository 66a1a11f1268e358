// Exponential Runge–Kutta of third and fourth order and Lawson's integrating factor, for y' = −y + D in u = −log τ with
// e^{−y} integrated exactly (Lawson 1967; Cox & Matthews 2002; Krogstad 2005). Finite at pure noise of a flow. The step
// to clean takes the estimate.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {

// y at the share c of a step: e^{cz} y + h Σ weights[j] D_j.
struct Stage {
    double c;
    std::vector<double> weights;
};

// The stages after the first, the result last; z = −h.
std::vector<Stage> stagesOf(const std::string& method, double z) {
    const double half = std::exp(z / 2), whole = std::exp(z), p1 = phi(1, z), p2 = phi(2, z), p3 = phi(3, z),
                 middle = phi(1, z / 2) / 2;
    if (method == "lawson_2a") return {{0.5, {half / 2}}, {1, {0, half}}};
    if (method == "lawson_2b") return {{1, {whole}}, {1, {whole / 2, 0.5}}};
    if (method == "lawson_4")
        return {{0.5, {half / 2}}, {0.5, {0, 0.5}}, {1, {0, 0, half}}, {1, {whole / 6, half / 3, half / 3, 1.0 / 6}}};
    if (method == "etdrk_2") return {{1, {p1}}, {1, {p1 - p2, p2}}};
    if (method == "etdrk_3")
        return {{0.5, {middle}}, {1, {-p1, 2 * p1}}, {1, {p1 - 3 * p2 + 4 * p3, 4 * p2 - 8 * p3, 4 * p3 - p2}}};
    const std::vector<double> last = {p1 - 3 * p2 + 4 * p3, 2 * p2 - 4 * p3, 2 * p2 - 4 * p3, 4 * p3 - p2};
    if (method == "krogstad_4")
        return {
            {0.5, {middle}}, {0.5, {middle - phi(2, z / 2), phi(2, z / 2)}}, {1, {p1 - 2 * p2, 0, 2 * p2}}, {1, last}};
    return {{0.5, {middle}}, {0.5, {0, middle}}, {1, {middle * (half - 1), 0, 2 * middle}}, {1, last}};  // etdrk_4
}

}  // namespace

static SamplerTask run(Sampling& s) {
    for (auto [from, to] : s.intervals()) {
        std::vector<Tensor> values;
        values.push_back(co_await s.denoise(s.x, from));
        if (to.isClean()) {
            s.advance(values[0], to);
            co_return;
        }
        const double h = std::log(from / to);
        const std::vector<Stage> stages = stagesOf(text(s.params, "method"), -h);
        for (std::size_t i = 0; i < stages.size(); ++i) {
            Sum mean;
            for (std::size_t j = 0; j < stages[i].weights.size(); ++j) mean += stages[i].weights[j] * values[j];
            const Tensor y = std::exp(-h * stages[i].c) * s.x + h * mean;
            if (i + 1 == stages.size()) {
                s.advance(y, to);
            } else {
                const double tau = stages[i].c == 1 ? double(to) : from * std::pow(to / from, stages[i].c);
                values.push_back(co_await s.denoise(y, tau));
            }
        }
    }
}

static int requests(int step, int steps, const Params& p) {
    return step + 1 < steps ? int(stagesOf(text(p, "method"), -1).size()) : 1;
}

SamplerInfo exponentialRungeKutta() {
    return {.id = "exponential_runge_kutta",
            .label = "Exponential Runge–Kutta",
            .summary = "ETD and Lawson steps of order 2 to 4 on x̂0, in log τ",
            .source = "Cox & Matthews 2002; Krogstad 2005; Lawson 1967",
            .group = "One step",
            .params = {choiceParam("method", "Method", "krogstad_4",
                                   {{"etdrk_2", "ETDRK2, two stages"},
                                    {"etdrk_3", "ETDRK3, three stages"},
                                    {"etdrk_4", "ETDRK4 (Cox & Matthews), four stages"},
                                    {"krogstad_4", "ETDRK4-B (Krogstad), four stages"},
                                    {"lawson_2a", "Lawson, midpoint"},
                                    {"lawson_2b", "Lawson, trapezoid"},
                                    {"lawson_4", "Lawson, fourth order"}},
                                   "The method; as many evaluations a step as it has stages.")},
            .order = 4,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
