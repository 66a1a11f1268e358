// Explicit Runge–Kutta methods for dy/dτ = (y − D)/τ by their tableaux. The step to clean stays Euler: there is no
// slope at τ = 0.
#include <map>

#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

namespace {

const Tableau& tableau(const std::string& id) {
    static const std::map<std::string, Tableau> table = {
        {"midpoint", {{0, 0.5}, {{}, {0.5}}, {0, 1}, {}}},
        {"heun", {{0, 1}, {{}, {1}}, {0.5, 0.5}, {}}},
        {"ralston_2", {{0, 2.0 / 3}, {{}, {2.0 / 3}}, {0.25, 0.75}, {}}},
        {"kutta_3", {{0, 0.5, 1}, {{}, {0.5}, {-1, 2}}, {1.0 / 6, 2.0 / 3, 1.0 / 6}, {}}},
        {"heun_3", {{0, 1.0 / 3, 2.0 / 3}, {{}, {1.0 / 3}, {0, 2.0 / 3}}, {0.25, 0, 0.75}, {}}},
        {"ralston_3", {{0, 0.5, 0.75}, {{}, {0.5}, {0, 0.75}}, {2.0 / 9, 1.0 / 3, 4.0 / 9}, {}}},
        {"ssprk_3", {{0, 1, 0.5}, {{}, {1}, {0.25, 0.25}}, {1.0 / 6, 1.0 / 6, 2.0 / 3}, {}}},
        {"kutta_4", kutta4()},
        {"three_eighths",
         {{0, 1.0 / 3, 2.0 / 3, 1}, {{}, {1.0 / 3}, {-1.0 / 3, 1}, {1, -1, 1}}, {0.125, 0.375, 0.375, 0.125}, {}}},
        // Without its last stage, which only the error estimate needs.
        {"dormand_prince_5",
         {{0, 0.2, 0.3, 0.8, 8.0 / 9, 1},
          {dormandPrince5().a.begin(), dormandPrince5().a.begin() + 6},
          {dormandPrince5().b.begin(), dormandPrince5().b.begin() + 6},
          {}}},
        {"butcher_6",
         {{0, 1.0 / 3, 2.0 / 3, 1.0 / 3, 0.5, 0.5, 1},
          {{},
           {1.0 / 3},
           {0, 2.0 / 3},
           {1.0 / 12, 1.0 / 3, -1.0 / 12},
           {-1.0 / 16, 9.0 / 8, -3.0 / 16, -3.0 / 8},
           {0, 9.0 / 8, -3.0 / 8, -3.0 / 4, 0.5},
           {9.0 / 44, -9.0 / 11, 63.0 / 44, 18.0 / 11, 0, -16.0 / 11}},
          {11.0 / 120, 0, 27.0 / 40, 27.0 / 40, -4.0 / 15, -4.0 / 15, 11.0 / 120},
          {}}},
    };
    return table.at(id);
}

}  // namespace

static SamplerTask run(Sampling& s) {
    const Tableau& t = tableau(text(s.params, "tableau"));
    for (auto [from, to] : s.intervals()) {
        if (to.isClean()) {
            s.advance(co_await s.denoise(s.x, from), to);
            co_return;
        }
        RungeKuttaStep step(t, s.x, from, to);
        while (!step.done()) step.add(co_await s.denoise(step.state(), step.tau()));
        s.advance(step.result(), to);
    }
}

static int requests(int step, int steps, const Params& p) {
    return step + 1 < steps ? int(tableau(text(p, "tableau")).c.size()) : 1;
}

SamplerInfo rungeKutta() {
    return {.id = "runge_kutta",
            .label = "Runge–Kutta, explicit",
            .summary = "Explicit Runge–Kutta steps of order 2 to 6 by their tableau",
            .source = "Butcher 2016; Dormand & Prince 1980",
            .group = "One step",
            .params = {choiceParam("tableau", "Tableau", "kutta_3",
                                   {{"midpoint", "Midpoint, order 2"},
                                    {"heun", "Heun, order 2"},
                                    {"ralston_2", "Ralston, order 2"},
                                    {"kutta_3", "Kutta, order 3"},
                                    {"heun_3", "Heun, order 3"},
                                    {"ralston_3", "Ralston, order 3"},
                                    {"ssprk_3", "Strong stability preserving, order 3"},
                                    {"kutta_4", "Classical, order 4"},
                                    {"three_eighths", "Kutta's 3/8 rule, order 4"},
                                    {"dormand_prince_5", "Dormand–Prince, order 5, six stages"},
                                    {"butcher_6", "Butcher, order 6, seven stages"}},
                                   "The method; as many evaluations a step as it has stages.")},
            .order = 3,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
