// meander-run bench fit: what fitted schedules save, in Markdown; resources/help/optimise.md is its output.
#include <iostream>

#include "engine/cli/command.h"
#include "engine/optimise/fit_cases.h"

namespace meander::cli {
namespace {

const char* const introduction = R"(# Fitted schedules

A run of few steps misses the end of the path that a fine run reaches. Where the steps are decides by how much, and the
best places depend on the model, the prompt and the guidance. *Fit schedule from this run …* in the Edit menu of the
schedule editor, and `meander-run fit`, choose them: fine runs of the recipe are recorded, their levels are what is
chosen among, and the states and slopes of the record tell what a step between any two of them would miss, without
further evaluations.

## How to read it

- *Error*: root mean square between the end of the run and that of a fine run from the same noise (Heun, 60 steps), over
  all elements and seeds. It is an error of the numbers, not of taste: a wrong image that a fine run would have drawn
  too is no error.
- *Predicted*: the sampler's own code was run on the record instead of the network. Near a recorded path the estimate is
  the recorded one, moved with the state by the share that differences between the paths show. It costs no evaluation,
  and is only as good as that share.
- *Measured*: the same sampler with the network, on seeds that had no part in the fit, with the 95 % interval over them.
  All schedules take the same number of evaluations. This is what counts.
- *Saved*: 1 − error / other error. A negative number: the other schedule is better. The program says in words when the
  fitted schedule does not win, when the seeds cannot tell, and when the prediction was off by more than a factor of 2.
- A schedule fitted to one prompt or to few seeds need not suit others: measure on what you draw. With very few steps (2
  to 4) the sum of local errors says less about the end, and a fit may lose.

## Methods

The first five choose the cheapest N steps exactly, by dynamic programming over V_1(i) = c(i, end), V_k(i) = min_j
c(i, j) + γ V_{k−1}(j), where c(i, j) is what an Euler step from the state at level i to level j misses. States and
slopes are in integration coordinates: x/α over σ for variance exploding and preserving models, x over t for flows. The
step to 0 is one of the steps. *Equal error* is the operation of the Edit menu on the reference's own errors. *KLUB* is
½ Σ (v(σ_{i+1}) − v(σ_i))/σ_{i+1}² with v(σ) = E‖x̂0(x_σ)‖², in closed form for Gaussian models and otherwise from the
recorded estimates, with an interval over the paths; its last level above 0 is the lowest of the reference. *Best
predicted* (`auto`) tries all of them and takes the one whose levels are predicted to have the least error.

No method is best everywhere. On the sprites the L2 cost alone loses to Karras (Euler, 8 steps: 0.105 against 0.043):
early errors shrink there on the way, which *L2 at the end* counts. The bound of Align Your Steps is one of a random
sampler; with the samplers below, which follow the ODE, its levels often lose.

)";

const char* const tableHead = R"(
| model | sampler | method | error (95 %) | Karras ρ = 7 | saved | predicted | uniform in t | saved | predicted |
|---|---|---|---|---|---|---|---|---|---|
)";

std::string methodsText() {
    std::string text = std::string(introduction) + "| method | makes least | source |\n|---|---|---|\n";
    for (const FitMethod& m : fitMethods())
        text += "| " + m.label + " `" + m.id + "` | " + m.summary + " | " + m.source + " |\n";
    return text;
}

void printJson(const FitCase& c, const ScheduleFit& fit) {
    for (std::size_t i = 1; i < fit.schedules.size(); ++i) {
        const ComparedSchedule& other = fit.schedules[i];
        printLine({{"model", c.model},
                   {"sampler", c.sampler},
                   {"method", c.method},
                   {"against", other.label},
                   {"error", fit.fitted().measured->rms},
                   {"other_error", other.measured->rms},
                   {"saved_predicted", compared(fit.fitted().predicted, other.predicted).saved},
                   {"saved_measured", compared(*fit.fitted().measured, *other.measured).saved},
                   {"wins", wins(fit)}});
    }
}

}  // namespace

int benchFit(bool isJson) {
    if (!isJson)
        std::cout << methodsText()
                  << "\n## Measured\n\nWritten by `meander-run bench fit`: 8 steps, fitted on 16 seeds "
                     "(64 for exact models) and measured on as many others; γ = 1.\n";
    FineRunsOfModels fine;
    bool isFirst = true, isOther = false;
    for (const FitCase& c : fitCases()) {
        if (!isJson && (isFirst || (c.method != "auto" && !isOther))) std::cout << tableHead;
        isFirst = false;
        isOther |= c.method != "auto";
        const ScheduleFit fit = carryOutCase(c, fine);
        if (isJson) printJson(c, fit);
        else std::cout << fitRow(c, fit) << std::endl;
    }
    return 0;
}

}  // namespace meander::cli
