// DPM++ 2S ancestral with guidance outside the step (CFG++, Chung et al. 2024): the step follows the unconditional estimate.
#include "engine/sampling/stochastic_kit.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) { return runTwoStageAncestral(s, true); }

SamplerInfo dpmpp2sAncestralCfgPp() {
    return {.id = "dpmpp_2s_ancestral_cfg_pp", .label = "DPM++ 2S ancestral CFG++", .summary = "DPM++ 2S ancestral with guidance outside the step; use low scales",
            .source = "Chung et al. 2024, CFG++", .group = "Stochastic", .params = {etaParam(1), noiseScaleParam()}, .stochastic = true, .unconditional = true, .run = run,
            .requestsInStep = twiceButLast};
}

}  // namespace meander::sampler
