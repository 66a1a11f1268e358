// RES multistep ancestral with guidance outside the step (CFG++, Chung et al. 2024).
#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) { return runResAncestral(s, true); }

SamplerInfo resMultistepAncestralCfgPp() {
    return {.id = "res_multistep_ancestral_cfg_pp",
            .label = "RES multistep ancestral CFG++",
            .summary = "RES multistep ancestral with guidance outside the step; use low scales",
            .source = "Zhang et al. 2023, RES; Chung et al. 2024, CFG++",
            .group = "Stochastic",
            .params = {etaParam(1), noiseScaleParam(), exactMarginalParam()},
            .stochastic = true,
            .unconditional = true,
            .run = run,
            .advice = exactMarginalAdvice};
}

}  // namespace meander::sampler
