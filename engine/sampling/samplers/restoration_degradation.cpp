// Restoration–degradation split step (Chen, Daras & Dimakis 2023): restore, x̂0 from the state; then degrade x̂0 to the
// next level and keep the noise direction,
//   y' = a' C'(x̂0) + τ' (y − a C(x̂0))/τ, with a corruption C besides the noise: none (the step is DDIM), blur or
//       pixelation (soft or cold diffusion; the model must be trained with it).
// With a restoration length l > 0 the estimate is taken again at that part of the step: l = 1/2 is the
// exponential midpoint rule, second order.
#include "engine/sampling/corruption.h"
#include "engine/sampling/sampler_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const double length = real(s.params, "restoration_length"), strength = real(s.params, "strength");
    const std::string kind = text(s.params, "corruption");
    // Share of noise in the native state: 1 at pure noise, 0 at clean.
    const auto corrupt = [&](const Tensor& x, double tau) {
        return corrupted(x, kind, strength * tau / std::hypot(s.signal(tau), tau));
    };
    const auto degrade = [&](const Tensor& y, const Tensor& d, double from, double to) -> Tensor {
        if (kind == "noise") return eulerStep(y, d, from, to);
        return s.signal(to) * corrupt(d, to) + to * s.noiseEstimate(y, corrupt(d, from), from);
    };
    for (auto [from, to] : s.intervals()) {
        Tensor d = co_await s.denoise(s.x, from);
        if (length > 0 && !to.isClean()) {
            const double level = from * std::pow(to / from, length);
            const Tensor restored = degrade(s.x, d, from, level);
            d = co_await s.denoise(restored, level, to);
        }
        s.advance(degrade(s.x, d, from, to), to);
    }
}

static int requests(int step, int steps, const Params& p) {
    return real(p, "restoration_length") > 0 ? twiceButLast(step, steps, p) : 1;
}

static std::string misfit(const SamplerSituation& s) {
    return s.isImage || text(s.params, "corruption") == "noise"
               ? ""
               : "Blur and pixelation need images; this model draws points. Choose the corruption \"Noise alone\".";
}

SamplerInfo restorationDegradation() {
    return {.id = "restoration_degradation",
            .label = "Restoration–degradation",
            .summary = "Split step: estimate the data, then corrupt it to the next level",
            .source = "Chen, Daras & Dimakis 2023",
            .group = "One step",
            .params = {choiceParam(
                           "corruption", "Corruption", "noise",
                           {{"noise", "Noise alone"}, {"blur", "Blur and noise"}, {"pixelate", "Pixelation and noise"}},
                           "What the forward process does besides noise. Blur and pixelation need images and a model "
                           "that was trained so."),
                       realParam("restoration_length", "Restoration length", 0, 0, 1,
                                 "Part of the step, in log τ, at which the estimate is taken again; 0 takes one "
                                 "estimate, 0.5 makes it second order."),
                       realParam("strength", "Strength", 4, 0, 64,
                                 "Deviation of the blur, or size of the blocks, at pure noise, in pixels.", 0.5)},
            .run = run,
            .requestsInStep = requests,
            .misfit = misfit};
}

}  // namespace meander::sampler
