// SA-Solver in PECE mode (Xue et al. 2023): the corrected state is evaluated again.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static int requests(int step, int, const Params& p) { return step == 0 || integer(p, "corrector_order") == 0 ? 1 : 2; }

static SamplerTask run(Sampling& s) { return runStochasticAdams(s, true); }

SamplerInfo saSolverPece() {
    return {.id = "sa_solver_pece",
            .label = "SA-Solver PECE",
            .summary = "Stochastic Adams: predict, evaluate, correct, evaluate",
            .source = "Xue et al. 2023, SA-Solver",
            .group = "Stochastic",
            .params = stochasticAdamsParams(),
            .stochastic = true,
            .run = run,
            .requestsInStep = requests};
}

}  // namespace meander::sampler
