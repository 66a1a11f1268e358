// Implicit Runge–Kutta for dy/dτ = (y − D)/τ (Hairer & Wanner 1996, chapter IV.5), solved by fixed-point sweeps over
// all stages at once: stage slopes k_i = f(y + h Σ a_ij k_j) from the slope at the start. Each sweep, one shared
// network call, raises the order by one up to the method's. The step to clean stays Euler.
#include <map>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {

const Tableau& tableau(const std::string& id) {
    const double r3 = std::sqrt(3.0), r15 = std::sqrt(15.0), r6 = std::sqrt(6.0);
    static const std::map<std::string, Tableau> table = {
        {"gauss_1", {{0.5}, {{0.5}}, {1}, {}}},
        {"gauss_2", {{0.5 - r3 / 6, 0.5 + r3 / 6}, {{0.25, 0.25 - r3 / 6}, {0.25 + r3 / 6, 0.25}}, {0.5, 0.5}, {}}},
        {"gauss_3",
         {{0.5 - r15 / 10, 0.5, 0.5 + r15 / 10},
          {{5.0 / 36, 2.0 / 9 - r15 / 15, 5.0 / 36 - r15 / 30},
           {5.0 / 36 + r15 / 24, 2.0 / 9, 5.0 / 36 - r15 / 24},
           {5.0 / 36 + r15 / 30, 2.0 / 9 + r15 / 15, 5.0 / 36}},
          {5.0 / 18, 4.0 / 9, 5.0 / 18},
          {}}},
        {"radau_2", {{1.0 / 3, 1}, {{5.0 / 12, -1.0 / 12}, {0.75, 0.25}}, {0.75, 0.25}, {}}},
        {"radau_3",
         {{(4 - r6) / 10, (4 + r6) / 10, 1},
          {{(88 - 7 * r6) / 360, (296 - 169 * r6) / 1800, (-2 + 3 * r6) / 225},
           {(296 + 169 * r6) / 1800, (88 + 7 * r6) / 360, (-2 - 3 * r6) / 225},
           {(16 - r6) / 36, (16 + r6) / 36, 1.0 / 9}},
          {(16 - r6) / 36, (16 + r6) / 36, 1.0 / 9},
          {}}},
        {"lobatto_2", {{0, 1}, {{0.5, -0.5}, {0.5, 0.5}}, {0.5, 0.5}, {}}},
        {"lobatto_3",
         {{0, 0.5, 1},
          {{1.0 / 6, -1.0 / 3, 1.0 / 6}, {1.0 / 6, 5.0 / 12, -1.0 / 12}, {1.0 / 6, 2.0 / 3, 1.0 / 6}},
          {1.0 / 6, 2.0 / 3, 1.0 / 6},
          {}}},
    };
    return table.at(id);
}

Tensor along(const Tensor& y, double h, const std::vector<double>& weights, const std::vector<Tensor>& slopes) {
    Sum mean;
    for (std::size_t j = 0; j < weights.size(); ++j) mean += weights[j] * slopes[j];
    return y + h * mean;
}

}  // namespace

static SamplerTask run(Sampling& s) {
    const Tableau& t = tableau(text(s.params, "tableau"));
    const int sweeps = int(integer(s.params, "sweeps"));
    const std::size_t stages = t.c.size();
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const double h = to - from;
        std::vector<Tensor> slopes(stages, Sampling::slope(s.x, d, from));
        for (int k = 0; k < sweeps; ++k) {
            std::vector<Sampling::Query> queries;
            for (std::size_t i = 0; i < stages; ++i)
                queries.push_back({along(s.x, h, t.a[i], slopes), from + t.c[i] * h});
            const std::vector<DenoiseResult> answers = co_await s.denoiseAll(queries);
            for (std::size_t i = 0; i < stages; ++i)
                slopes[i] = Sampling::slope(queries[i].x, answers[i].denoised, queries[i].tau);
        }
        s.advance(along(s.x, h, t.b, slopes), to);
    }
}

static int requests(int step, int steps, const Params& p) {
    return step + 1 < steps ? 1 + int(integer(p, "sweeps")) * int(tableau(text(p, "tableau")).c.size()) : 1;
}

SamplerInfo implicitRungeKutta() {
    return {.id = "implicit_runge_kutta",
            .label = "Runge–Kutta, implicit",
            .summary = "Gauss, Radau IIA and Lobatto IIIC steps, solved by sweeps that share network calls",
            .source = "Hairer & Wanner 1996, chapter IV.5",
            .group = "One step",
            .params = {choiceParam("tableau", "Tableau", "gauss_2",
                                   {{"gauss_1", "Gauss, one stage (implicit midpoint), order 2"},
                                    {"gauss_2", "Gauss, two stages, order 4"},
                                    {"gauss_3", "Gauss, three stages, order 6"},
                                    {"radau_2", "Radau IIA, two stages, order 3"},
                                    {"radau_3", "Radau IIA, three stages, order 5"},
                                    {"lobatto_2", "Lobatto IIIC, two stages, order 2"},
                                    {"lobatto_3", "Lobatto IIIC, three stages, order 4"}},
                                   "The method."),
                       integerParam("sweeps", "Sweeps", 3, 1, 50,
                                    "Fixed-point sweeps a step, each one evaluation a stage: n of them give order n + "
                                    "1, up to the method's.")},
            .order = 4,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
