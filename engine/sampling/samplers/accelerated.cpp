// Accelerated probability-flow sampler (Li et al. 2024, "Accelerating convergence of score-based diffusion models,
// provably", eq. 12): second order by the slope at a state carried one level back, y⁻. In variance-exploding
// coordinates the paper's step is Adams–Bashforth in v = τ² with dy/dv = ε/(2τ) and the ratio (1 − α_t)/(1 − α_{t+1}),
// whose 1 − α_t = S² (τ² − τ'²) with the native scale S. The cached variant takes the slope that was evaluated at that
// level before: one evaluation a step. The first step is first order, the one to clean takes the estimate.
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isCached = toggle(s.params, "cached");
    const auto squaredScale = [&](double tau) { return s.process.nativeScale(tau) * s.process.nativeScale(tau); };
    const auto slopeAt = [](const Tensor& y, const Tensor& d, double tau) {
        return (y - d) / (2 * tau * tau);
    };  // dy/dv
    Tensor cached;
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        if (to.isClean()) {
            s.advance(d, to);
            co_return;
        }
        const Tensor slope = slopeAt(s.x, d, from);
        const double step = from * from - to * to;
        Tensor back = cached;
        double ratio = 0;
        if (from.index > 0) {
            const double before = s.levels()[std::size_t(from.index) - 1], stepBefore = before * before - from * from,
                         alpha = squaredScale(before) / squaredScale(from);
            ratio = step / (alpha * stepBefore);
            if (!isCached) {
                const Tensor y = s.x + alpha * stepBefore * slope, dy = co_await s.denoise(y, before, from);
                back = slopeAt(y, dy, before);
            }
        }
        s.advance(back ? s.x - step * (slope + ratio / 2 * (slope - back)) : s.x - step * slope, to);
        cached = isCached ? slope : Tensor();
    }
}

static int requests(int step, int steps, const Params& p) {
    return step == 0 || step + 1 == steps || toggle(p, "cached") ? 1 : 2;
}

static std::string advice(const SamplerSituation& s) { return firstFallAdvice(s, 5); }

SamplerInfo accelerated() {
    return {
        .id = "accelerated",
        .label = "Accelerated ODE",
        .summary = "Second order with the score one level back",
        .source = "Li et al. 2024, eq. 12",
        .group = "One step",
        .params = {toggleParam(
            "cached", "Cached", false,
            "Takes the slope that was evaluated one level back instead of evaluating again: one evaluation a step.")},
        .order = 2,
        .run = run,
        .requestsInStep = requests,
        .advice = advice};
}

}  // namespace meander::sampler
