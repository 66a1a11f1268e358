// Riemannian flow (Chen & Lipman 2024): dx/dt = −log_x(D)/t with D the denoised point of the space, t from noise (1) to
// data (0). Euler goes along the geodesic, x' = exp_x((1 − t'/t) log_x(D)); Heun and Runge–Kutta step in the embedding
// and retract each stage to the space. In flat space: Euler, Heun, RK4 of the flow ODE.
#include "engine/sampling/manifold_common.h"
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const Manifold& m = s.process.manifold();
    const std::string solver = text(s.params, "solver");
    const bool projects = text(s.params, "retraction") == "project";
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const double h = to - from, middle = from + h / 2;
        if (to.isClean() || (solver == "euler" && !projects)) {
            s.advance(alongGeodesic(m, s.x, d, 1 - to / from), to);  // the last step arrives at D
            continue;
        }
        const Tensor k1 = tangentTo(m, s.x, d, -1 / from);
        if (solver == "euler") {
            s.advance(retracted(m, s.x + h * k1), to);
        } else if (solver == "heun") {
            const Tensor end = retracted(m, s.x + h * k1), d2 = co_await s.denoise(end, to, to),
                         k2 = tangentTo(m, end, d2, -1 / to);
            s.advance(retracted(m, s.x + h / 2 * (k1 + k2)), to);
        } else {
            const Tensor a = retracted(m, s.x + h / 2 * k1), da = co_await s.denoise(a, middle, to),
                         k2 = tangentTo(m, a, da, -1 / middle);
            const Tensor b = retracted(m, s.x + h / 2 * k2), db = co_await s.denoise(b, middle, to),
                         k3 = tangentTo(m, b, db, -1 / middle);
            const Tensor c = retracted(m, s.x + h * k3), dc = co_await s.denoise(c, to, to),
                         k4 = tangentTo(m, c, dc, -1 / to);
            s.advance(retracted(m, s.x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)), to);
        }
    }
}

static int requests(int step, int steps, const Params& p) {
    if (step + 1 == steps || text(p, "solver") == "euler") return 1;
    return text(p, "solver") == "heun" ? 2 : 4;
}

SamplerInfo riemannianFlow() {
    return {
        .id = "riemannian_flow",
        .label = "Riemannian flow",
        .summary = "Along geodesics to the denoised point of a curved space",
        .source = "Chen & Lipman 2024",
        .group = "Manifold",
        .params = {choiceParam("solver", "Solver", "euler",
                               {{"euler", "Euler"}, {"heun", "Heun"}, {"rk4", "Runge–Kutta 4"}},
                               "One, two or four evaluations a step; the last step has one."),
                   choiceParam(
                       "retraction", "Retraction", "exponential",
                       {{"exponential", "Along the geodesic"}, {"project", "Projection"}},
                       "How Euler's step returns to the space; the other solvers project, which keeps their order.")},
        .curved = true,
        .run = run,
        .requestsInStep = requests};
}

}  // namespace meander::sampler
