// Quantiles of a Laplace distribution of log σ (Hang et al. 2024, "Improved noise schedule for diffusion training"),
// clamped to the range. ComfyUI gives N levels without a final 0, so N − 1 steps; reForge appends 0.
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

static std::vector<double> make(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double mu = real(c.params, "mu"), beta = real(c.params, "beta");
    auto levels = ramp(c.steps, [&](double u) {
        const double side = u < 0.5 ? 1 : u > 0.5 ? -1 : 0;
        return std::clamp(std::exp(mu - beta * side * std::log(1 - 2 * std::abs(0.5 - u) + 1e-5)), bottom, top);
    });
    if (isDialect(c, "comfyui")) levels.pop_back();
    return levels;
}

ScheduleInfo laplace() {
    return {.id = "laplace",
            .label = "Laplace",
            .summary = "Quantiles of a Laplace distribution of log σ: steps gather at middle noise",
            .source = "Hang et al. 2024, table 1",
            .group = "Noise-level rules",
            .params = withRange(
                {realParam("mu", "µ", 0, -10, 10, "Log σ where steps gather.", 0.1),
                 realParam("beta", "β", 0.5, 1e-3, 10, "Width of the distribution in log σ."),
                 dialectParam({{"comfyui", "ComfyUI: N levels, ends at the lowest"}, {"reforge", "reForge: then 0"}})}),
            .make = make};
}

}  // namespace meander::schedule
