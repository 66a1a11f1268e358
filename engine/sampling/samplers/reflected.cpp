// Reflected reverse SDE in a box (Lou & Ermon 2023; Deng et al. 2024, reflected Schrödinger bridge): a step of the reverse SDE, then reflection at the walls, so that the
// state is inside at every step. For models of the reflected process; the estimate is the formal D = (y + τ² score)/a.
#include "engine/sampling/stochastic_kit.h"

namespace meander::sampler {

static double outside(const Tensor& u) {
    const auto low = u.backend().reduceRows(kernels::Reduction::Min, u.view()), high = u.backend().reduceRows(kernels::Reduction::Max, u.view());
    return std::max(-*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end()) - 1);
}

static Tensor constant(const Tensor& like, double value) {
    Tensor c(like.backend(), like.shape(), like.type());
    c.backend().fill(c.view(), value);
    return c;
}

static Tensor clipped(const Tensor& y, double low, double high) {
    Tensor result = y.clone();
    Backend& b = y.backend();
    b.binary(kernels::Binary::Max, result.view(), constant(y, low).view(), result.view());
    b.binary(kernels::Binary::Min, result.view(), constant(y, high).view(), result.view());
    return result;
}

// Folds at both walls: u = (y − low)/(high − low), u ← 1 − |1 − |u|| until it is inside.
static Tensor folded(const Tensor& y, double low, double high) {
    const double width = high - low;
    const Tensor one = constant(y, 1);
    Tensor u = combine({{1 / width, y}, {-low / width, one}});
    Backend& b = y.backend();
    for (double excess = outside(u); excess > 0; excess = outside(u)) {
        if (!std::isfinite(excess)) throw Failure("Reflected sampler: the state became infinite. Use more steps or a lower first level.");
        b.unary(kernels::Unary::Abs, u.view(), u.view());
        u = combine({{1, one}, {-1, u}});
        b.unary(kernels::Unary::Abs, u.view(), u.view());
        u = combine({{1, one}, {-1, u}});
    }
    return clipped(combine({{width, u}, {low, one}}), low, high);  // scaling back may round over the wall
}

static SamplerTask run(Sampling& s) {
    const double low = real(s.params, "low"), high = real(s.params, "high"), eta = real(s.params, "eta"), noiseScale = real(s.params, "s_noise");
    if (!(high > low)) throw Failure("Reflected sampler: the upper wall must lie above the lower one.");
    const std::string boundary = text(s.params, "boundary");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        const auto step = reverseDiffusion(s, from, to, eta);
        Tensor next = to.isClean() ? combine({{s.signal(0), d}}) : combine({{step.onState, s.x}, {step.onDenoised, d}});
        if (!to.isClean() && step.spread * noiseScale > 0) next = combine({{1, next}, {step.spread * noiseScale, s.noise()}});
        if (boundary == "reflect") next = folded(next, low, high);
        if (boundary == "clip") next = clipped(next, low, high);
        s.advance(next, to);
    }
}

SamplerInfo reflected() {
    return {.id = "reflected", .label = "Reflected SDE", .summary = "Reverse SDE inside a box, reflected at its walls", .source = "Lou & Ermon 2023; Deng et al. 2024", .group = "Stochastic",
            .params = {realParam("low", "Lower wall", -1, -1000, 1000, "Lowest value that a state may have."), realParam("high", "Upper wall", 1, -1000, 1000, "Highest value that a state may have."),
                       choiceParam("boundary", "At the walls", "reflect", {{"reflect", "Reflect"}, {"clip", "Clip"}, {"none", "Nothing"}}, "What happens to a state that a step takes outside."), etaParam(1), noiseScaleParam()},
            .stochastic = true, .run = run};
}

}  // namespace meander::sampler
