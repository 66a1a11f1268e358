// Exponential Heun for the reverse SDE in data prediction and λ: SEEDS-2 with its second estimate at the end of the
// step and exact weights.
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) { return runSeeds2(s, 1.0); }

SamplerInfo expHeun2X0Sde() {
    return {.id = "exp_heun_2_x0_sde",
            .label = "Exponential Heun SDE",
            .summary = "Exponential Heun step of the reverse SDE",
            .source = "Gonzalez et al. 2023, SEEDS; Hochbruck & Ostermann 2005",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(),
                       advanced(choiceParam("weights", "Weights", "phi_2",
                                            {{"phi_1", "Mean (φ1)"}, {"phi_2", "Exact integral (φ2)"}},
                                            "How the two estimates share the step.")),
                       timeShiftParam()},
            .stochastic = true,
            .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
