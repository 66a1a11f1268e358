// What a checkpoint was trained to answer, beyond its parametrization: it decides which sampling rules make sense (the
// rules: engine/sampling/checkpoint.h).
#pragma once
#include <cstdint>

namespace meander {

enum class Distillation : std::uint8_t {
    None,         // diffusion or flow: the estimate at the state's own level, so the velocity of the probability flow
    Consistency,  // the end of the trajectory, from any level (Song et al. 2023)
    Lcm,          // the same in a latent space, usually with guidance distilled in (Luo et al. 2023)
    Shortcut,     // the mean velocity over a step whose length it is told (Frans et al. 2024)
    Reflow,  // flow or diffusion retrained on its own pairs: straight, or of constant ε (Liu et al. 2022; Wang et al.
             // 2024)
    Trajectory,  // any level of the trajectory from any other (CTM, TCD, unified Hyper-SD)
    Phased,      // the edge of the phase of the trajectory that the state is in (PCM, multistep consistency, N-step
                 // Hyper-SD)
    ContinuousConsistency,  // consistency trained in continuous time, in the angle of TrigFlow (sCM, rCM)
    Acceleration,           // a constant acceleration beside a given initial velocity (CAF)
    DistributionMatching,   // clean data at the few times it was trained at; not a trajectory (DMD, DMD2, SIM)
    Poisson,                // a field of electric charges: heavy-tailed noise of a given D (PFGM++)
    Bridge,                 // the expected end of a mixture of Brownian bridges
};
inline constexpr int distillations = int(Distillation::Bridge) + 1;

}  // namespace meander
