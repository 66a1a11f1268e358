// SDE-DPM-Solver++(2M) with the exact integral of the linear D (k-diffusion's "heun" form).
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) { return runTwoStepSde(s, true); }

SamplerInfo dpmpp2mSdeHeun() {
    return {.id = "dpmpp_2m_sde_heun",
            .label = "DPM++ 2M SDE Heun",
            .summary = "DPM++ 2M SDE with the exact integral of the linear estimate",
            .source = "Lu et al. 2022, DPM-Solver++; k-diffusion",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(), timeShiftParam()},
            .stochastic = true,
            .run = run};
}

}  // namespace meander::sampler
