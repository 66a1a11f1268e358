// meander-run bench convergence: the table of measured orders, in Markdown; resources/help/convergence.md is its
// output.
#include <cstdio>
#include <iostream>

#include "engine/analysis/convergence.h"
#include "engine/cli/command.h"

namespace meander::cli {

namespace {

std::string number(const char* format, double v) {
    char text[32];
    std::snprintf(text, sizeof text, format, v);
    return text;
}

void printTable(const ConvergenceProblem& p, const std::vector<ConvergenceCase>& cases) {
    std::cout << "\n## " << p.id << "\n\n"
              << p.levels
              << ".\n\n| sampler | N = 20 | 40 | 80 | 160 | 320 | 640 | measured order | claimed "
                 "|\n|---|---|---|---|---|---|---|---|---|\n";
    for (const auto& c : cases) {
        const Convergence r = measureConvergence(c, p);
        std::cout << "| " << c.label() << " |";
        for (double e : r.errors) std::cout << ' ' << number("%.2e", e) << " |";
        std::cout << ' ' << number("%.2f", r.order) << " | " << number("%.0f", c.order) << " |\n";
    }
}

}  // namespace

int benchConvergence(bool isJson) {
    const auto backend = kernels::createCpuBackend();
    const auto problems = convergenceProblems(*backend);
    const auto cases = convergenceCases();
    if (isJson) {
        for (const auto& p : problems)
            for (const auto& c : cases) {
                const Convergence r = measureConvergence(c, p);
                printLine({{"sampler", c.sampler},
                           {"params", toJson(c.params)},
                           {"problem", p.id},
                           {"steps", c.steps},
                           {"evaluations", r.evaluations},
                           {"errors", r.errors},
                           {"order", r.order},
                           {"claimed", c.order}});
            }
        return 0;
    }
    std::cout << "# Measured orders of convergence\n\nWritten by `meander-run bench convergence`. The error (root mean "
                 "square over the elements) of every deterministic sampler against the exact solution of the\n"
                 "probability flow, in double precision, at N = 20 to 640 steps, and the slope of its logarithm over "
                 "the last\n"
                 "doubling or the last two (the larger: error terms of opposite sign pass through 0 and dip one). "
                 "Levels end above 0: the jump to\n"
                 "clean is the same for every N. The Gaussian has four dimensions with deviations from 0.3 to 1.2, the "
                 "mixture three overlapping modes. The step counts of dpm_fast are 20, 41,\n"
                 "80, 161, 320 and 641, so that its last step has order 2 every time; those of the Runge–Kutta methods "
                 "of order 5 and 6 are 10, 14, 20, 28, 40 and 56. Samplers whose first steps have lower order show "
                 "more than they claim while that error is small.\n";
    for (const auto& p : problems) printTable(p, cases);
    std::cout << "\n## Adaptive samplers\n\nError and evaluations on the Gaussian by relative tolerance (absolute "
                 "tolerance a tenth of it).\n\n| sampler | tolerance | VE | evaluations | VP | evaluations | flow | "
                 "evaluations |\n|---|---|---|---|---|---|---|---|\n";
    for (const char* id : {"dopri5", "dpm_adaptive"})
        for (double rtol : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
            std::cout << "| " << id << " | " << number("%.0e", rtol) << " |";
            for (std::size_t k = 0; k < problems.size(); k += 2) {
                const Convergence r =
                    measureConvergence({id, {{"rtol", rtol}, {"atol", rtol / 10}}, 1, {20}}, problems[k]);
                std::cout << ' ' << number("%.2e", r.errors[0]) << " | " << r.evaluations[0] << " |";
            }
            std::cout << '\n';
        }
    return 0;
}

}  // namespace meander::cli
