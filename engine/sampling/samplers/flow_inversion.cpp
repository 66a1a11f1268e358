// Inversion of flows (Rout et al. 2025, RF-Inversion, eq. 8): dY/dτ = v(Y) + γ (v(Y → y1) − v(Y)) with v = (Y − D)/τ
// the model's velocity and v(Y → y1) = (τmax y1 − Y)/(τmax − τ) straight to a typical noise y1. γ = 0 is the flow
// itself; γ > 0 ends at noise that the model knows, at the price of the round trip. Midpoint (Wang et al. 2025,
// RF-Solver) asks twice and is second order.
#include "engine/sampling/inversion_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isMidpoint = text(s.params, "solver") == "midpoint";
    const double gamma = real(s.params, "gamma"), top = s.levels().back();
    const Tensor typical = gamma > 0 ? s.noise() : Tensor();
    const auto slope = [&](const Tensor& state, const Tensor& velocity, double tau) -> Tensor {
        if (gamma == 0 || tau >= top) return velocity;
        return velocity + gamma * ((top * typical - state) / (top - tau) - velocity);
    };
    for (auto [from, to] : s.intervals()) {
        const InversionPoint at = inversionPoint(s, from, to);
        const Tensor d = co_await s.denoise(at.state, at.tau, double(to));
        const Tensor first = slope(s.x, Sampling::slope(at.state, d, at.tau), from);
        const double h = to - from;
        if (!isMidpoint) {
            s.advance(s.x + h * first, to);
            continue;
        }
        const double middle = from + h / 2;
        const Tensor half = s.x + h / 2 * first, d2 = co_await s.denoise(half, middle, double(to));
        s.advance(s.x + h * slope(half, Sampling::slope(half, d2, middle), middle), to);
    }
}

static int requests(int, int, const Params& p) { return text(p, "solver") == "midpoint" ? 2 : 1; }

SamplerInfo flowInversion() {
    return {.id = "flow_inversion",
            .label = "Flow inversion",
            .summary = "The flow run from the data to noise, drawn to typical noise on wish",
            .source = "Rout et al. 2025, RF-Inversion",
            .group = "Inversion",
            .params = {choiceParam("solver", "Solver", "euler", {{"euler", "Euler"}, {"midpoint", "Midpoint"}},
                                   "One evaluation a step, or two and second order."),
                       realParam("gamma", "γ", 0, 0, 1,
                                 "How strongly the path is drawn to a fresh draw of noise: 0 keeps the round trip, 0.5 "
                                 "is the paper's for editing.")},
            .inverts = true,
            .run = run,
            .requestsInStep = requests,
            .draws = [](const Params& p) { return real(p, "gamma") > 0; }};
}

}  // namespace meander::sampler
