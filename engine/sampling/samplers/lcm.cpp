// Latent consistency sampling (Luo et al. 2023, algorithm 3; the few-step inference of DMD2 and of flows distilled the
// same way): jump to the data, then noise again to the next level. y' = a' D + τ' z.
#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

SamplerInfo lcm() {
    return {.id = "lcm",
            .label = "LCM",
            .summary = "Jump to the data and noise again to the next level",
            .source = "Luo et al. 2023, algorithm 3",
            .group = "Few-step",
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::Lcm, Distillation::Consistency, Distillation::DistributionMatching},
            .run = jumpToData};
}

}  // namespace meander::sampler
