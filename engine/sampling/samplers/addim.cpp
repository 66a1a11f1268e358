// aDDIM (Heek et al. 2024, algorithm 3): DDIM that makes up for the variance which the estimate x̂0 has lost. v, the
// variance of x0 given the state: 0.1/(2 + SNR) for images, or that of Gaussian data. In few dimensions ‖ε̂‖²
// fluctuates and it overshoots.
#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static SamplerTask run(Sampling& s) {
    const bool isGaussian = text(s.params, "rule") == "gaussian";
    const double amount = real(s.params, "amount");
    for (auto [from, to] : s.intervals()) {
        const Tensor d = co_await s.denoise(s.x, from);
        const double a = s.signal(from), snr = a * a / (from * from),
                     variance = isGaussian ? amount / (1 + amount * snr) : amount / (2 + snr);
        s.advance(adjustedStep(s, d, from, to, variance), to);
    }
}

SamplerInfo addim() {
    return {.id = "addim",
            .label = "aDDIM",
            .summary = "DDIM that restores the variance which few steps lose",
            .source = "Heek et al. 2024, algorithm 3",
            .group = "One step",
            .params = {choiceParam(
                           "rule", "Lost variance", "pictures",
                           {{"pictures", "Of images, v/(2 + SNR)"}, {"gaussian", "Of Gaussian data, v/(1 + v·SNR)"}},
                           "The variance of the data given the state."),
                       realParam("amount", "v", 0.1, 0, 10,
                                 "0 is DDIM; 0.1 the paper's value for images; for Gaussian data its variance.", 0.01)},
            .run = run};
}

}  // namespace meander::sampler
