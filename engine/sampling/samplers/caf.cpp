// Constant acceleration with one network: the path of constant-acceleration flow (Park et al. 2024, algorithm 2), whose
// two networks, for the initial velocity and for the acceleration, are both read from the estimate here. With u from
// noise (0) to data (1), x(u) = x(0) + v0 u + a u²/2 and v0 = α (x1 − x0) kept from the first evaluation, so x' = x +
// v0 Δu + (u + Δu/2) a Δu. The acceleration that leads from x to the estimate D at u = 1 is a = 2 ((D − x) − v0 (1 −
// u))/(1 − u²). Flow coordinates x = y/(a + τ), u = 1 − τ/(a + τ), whatever the process; α = 1 is the straight
// rectified flow.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double alpha = real(s.params, "alpha");
    const auto scale = [&](double tau) { return 1 / (s.signal(tau) + tau); };
    Tensor velocity;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const double k = scale(from), next = scale(to), u = s.signal(from) * k, v = s.signal(to) * next;
        const Sum x = k * s.x;
        if (!velocity) {  // x(u) = (1 − c) x0 + c x1
            const double c = u * u + alpha * (u - u * u);
            velocity = alpha / (1 - c) * (d - x);
        }
        const Sum acceleration = 2 / (1 - u * u) * (d - x - (1 - u) * velocity);
        s.advance((x + (v - u) * velocity + (v * v - u * u) / 2 * acceleration) / next, to);
    }
}

SamplerInfo caf() {
    return {.id = "caf",
            .label = "Constant acceleration, one network",
            .summary = "Paths with a kept initial velocity and an acceleration read from the estimate",
            .source = "After Park et al. 2024, CAF, which has two networks",
            .group = "Few-step",
            .params = {realParam(
                "alpha", "α", 1.5, 0.1, 2,
                "Initial velocity in units of the mean one: 1 is straight, above 1 starts fast and brakes.")},
            .order = 0,
            .madeFor = {Distillation::Acceleration},
            .run = run};
}

}  // namespace meander::sampler
