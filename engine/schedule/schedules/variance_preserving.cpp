// Even in the continuous time of the variance-preserving SDE: σ² = exp(β_d t²/2 + β_min t) − 1 (Song et al. 2021;
// k-diffusion, get_sigmas_vp).
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

static std::vector<double> make(const ScheduleContext& c) {
    const double slope = real(c.params, "beta_d"), offset = real(c.params, "beta_min"), end = real(c.params, "eps_s");
    return ramp(c.steps, [&](double u) {
        const double t = 1 + u * (end - 1);
        return c.process.tauOfSigma(std::sqrt(std::expm1(slope * t * t / 2 + offset * t)));
    });
}

ScheduleInfo variancePreserving() {
    return {
        .id = "vp",
        .label = "VP",
        .summary = "Even in the time of the variance-preserving SDE",
        .source = "Song et al. 2021, appendix C; k-diffusion",
        .group = "Noise-level rules",
        .params = {realParam("beta_d", "β slope", 19.9, 1e-3, 1000, "How fast the noise rate grows with time.", 0.1),
                   realParam("beta_min", "β at 0", 0.1, 1e-6, 100, "Noise rate at the data.", 0.01),
                   realParam("eps_s", "Last time", 1e-3, 1e-6, 0.5,
                             "Time of the last level above clean; the first is 1.", 1e-3)},
        .make = make};
}

}  // namespace meander::schedule
