// aDDIM (Heek et al. 2024, algorithm 3): DDIM with the noise direction made longer by the variance that the estimate x̂0 has lost,
//   y' = a' x̂0 + √(τ'² + (d/‖ε̂‖²) (a' − a τ'/τ)² v) ε̂, v the variance of x0 given the state: 0.1/(2 + SNR) for pictures, or that of Gaussian data.
// Per picture. In few dimensions ‖ε̂‖² fluctuates and it overshoots.
#include "engine/sampling/sampler_kit.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isGaussian = text(s.params, "rule") == "gaussian";
    const double amount = real(s.params, "amount");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = (co_await s.denoise(s.x, from)).denoised;
        const double a = s.signal(from), snr = a * a / (from * from), variance = isGaussian ? amount / (1 + amount * snr) : amount / (2 + snr);
        const double gap = s.signal(to) - a * to / from;
        std::vector<double> onState, onDenoised;
        for (double rms : rmsRows(combine({{1 / from, s.x}, {-a / from, d}}))) {
            const double length = std::sqrt(to * to + gap * gap * variance / std::max(rms * rms, 1e-12));
            onState.push_back(length / from);
            onDenoised.push_back(s.signal(to) - a * length / from);
        }
        const Tensor values[] = {s.x, d};
        const std::vector<double> factors[] = {onState, onDenoised};
        s.advance(combineRows(values, factors), to);
    }
}

SamplerInfo addim() {
    return {.id = "addim", .label = "aDDIM", .summary = "DDIM that restores the variance which few steps lose", .source = "Heek et al. 2024, algorithm 3", .group = "One step",
            .params = {choiceParam("rule", "Lost variance", "pictures", {{"pictures", "Of pictures, v/(2 + SNR)"}, {"gaussian", "Of Gaussian data, v/(1 + v·SNR)"}}, "The variance of the data given the state."),
                       realParam("amount", "v", 0.1, 0, 10, "0 is DDIM; 0.1 the paper's value for pictures; for Gaussian data its variance.", 0.01)},
            .run = run};
}

}  // namespace meander::sampler
