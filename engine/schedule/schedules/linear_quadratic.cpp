// Linear down from pure noise, then quadratic to clean (Meta Movie Gen and Genmo's Mochi; ComfyUI, diffusers), in
// shares of the highest level.
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

static std::vector<double> make(const ScheduleContext& c) {
    const double top = rangeOf(c).top, threshold = real(c.params, "threshold_noise");
    if (c.steps == 1) return {top, 0};
    const int n = c.steps, linear = c.params.contains("linear_steps") ? int(integer(c.params, "linear_steps")) : n / 2,
              quadratic = n - linear;
    if (linear < 1 || quadratic < 1)
        throw Failure("Linear-quadratic needs at least one linear and one quadratic step; choose linear_steps below "
                      "the number of steps.");
    const double difference = linear - threshold * n, square = difference / (double(linear) * quadratic * quadratic);
    const double slope = threshold / linear - 2 * difference / (double(quadratic) * quadratic),
                 constant = square * linear * linear;
    std::vector<double> levels;
    for (int i = 0; i <= n; ++i)
        levels.push_back(
            top * (i == n ? 0 : 1 - (i < linear ? i * threshold / linear : square * i * i + slope * i + constant)));
    return levels;
}

ScheduleInfo linearQuadratic() {
    return {.id = "linear_quadratic",
            .label = "Linear-quadratic",
            .summary = "Many small steps at high noise, then quadratic",
            .source = "Polyak et al. 2024, Movie Gen; Mochi",
            .group = "Noise-level rules",
            .params = withRange({realParam("threshold_noise", "Threshold", 0.025, 1e-4, 0.9,
                                           "Share of the noise that the linear steps remove.", 0.005),
                                 optionalParam(integerParam("linear_steps", "Linear steps", 10, 1, 9999,
                                                            "Number of linear steps; absent: half of them."))}),
            .make = make};
}

}  // namespace meander::schedule
