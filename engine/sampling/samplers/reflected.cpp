// Reflected reverse SDE in a box (Lou & Ermon 2023; Deng et al. 2024, reflected Schrödinger bridge): a step of the
// reverse SDE, then reflection at the walls, so that the state is inside at every step. For models of the reflected
// process; the estimate is the formal D = (y + τ² score)/a.
#include <algorithm>

#include "engine/sampling/stochastic_common.h"

namespace meander::sampler {

// Element by element on the host: no kernel folds.
static Tensor mapped(const Tensor& y, double (*f)(double y, double low, double high), double low, double high) {
    auto values = download(y).toDoubles();
    for (double& v : values) {
        if (!std::isfinite(v))
            throw Failure(
                "Reflected sampler: the state became infinite or not a number. Use more steps or a lower first level.");
        v = f(v, low, high);
    }
    return upload(y.backend(), HostTensor::fromDoubles(y.shape(), values)).converted(y.type());
}
static double clipped(double y, double low, double high) { return std::clamp(y, low, high); }
// A straight line folded at both walls.
static double folded(double y, double low, double high) {
    const double width = high - low, u = std::fmod(std::abs(y - low), 2 * width);
    return std::clamp(low + (u > width ? 2 * width - u : u), low, high);
}

static SamplerTask run(Sampling& s) {
    const double low = real(s.params, "low"), high = real(s.params, "high"), eta = real(s.params, "eta"),
                 noiseScale = real(s.params, "s_noise");
    const std::string boundary = text(s.params, "boundary");
    const auto inside = [&](const Tensor& y) -> Tensor {
        return boundary == "none" ? y : mapped(y, boundary == "clip" ? clipped : folded, low, high);
    };
    const bool startsFresh = s.intervals().size() == std::size_t(s.steps());
    if (startsFresh) s.x = inside(s.x);  // the reflected noise that the process ends in
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(inside(d), to);
            co_return;
        }
        const DiffusionStep step = reverseDiffusion(s, from, to, eta);
        const Tensor mean = step.mean(s.x, d), next = mean + s.freshNoise(step.noiseStd * noiseScale);
        s.advance(inside(next), to);
    }
}

static std::string problem(const Params& p) {
    return real(p, "low") < real(p, "high") ? "" : "the upper wall must lie above the lower one. Exchange them.";
}

SamplerInfo reflected() {
    return {.id = "reflected",
            .label = "Reflected SDE",
            .summary = "Reverse SDE inside a box, reflected at its walls",
            .source = "Lou & Ermon 2023; Deng et al. 2024",
            .group = "Stochastic",
            .params = {realParam("low", "Lower wall", -1, -1000, 1000, "Lowest value that a state may have."),
                       realParam("high", "Upper wall", 1, -1000, 1000, "Highest value that a state may have."),
                       choiceParam("boundary", "At the walls", "reflect",
                                   {{"reflect", "Reflect"}, {"clip", "Clip"}, {"none", "Nothing"}},
                                   "What happens to a state that a step takes outside."),
                       etaParam(1), noiseScaleParam()},
            .stochastic = true,
            .run = run,
            .problem = problem};
}

}  // namespace meander::sampler
