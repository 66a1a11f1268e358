// Generators distilled by distribution matching (Yin et al. 2024, DMD and DMD2; SIM, DisBack): clean data at the few
// times they were trained at, noised again to the next. The times are a list of the checkpoint, not a schedule: 999,
// 749, 499, 249 of 1000 steps, or one.
#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

static std::vector<double> levels(const Process& p, const std::vector<double>& schedule, const Params& params) {
    const auto& times = std::get<std::vector<double>>(params.at("times"));
    std::vector<double> list;
    const int steps = int(schedule.size()) - 1;
    if (times.empty())
        for (int k = steps; k > 0; --k) list.push_back(levelAtFraction(p, double(k) / steps));
    else
        for (const double time : times) list.push_back(p.tauOfTime(time));
    for (std::size_t i = 1; i < list.size(); ++i)
        if (!(list[i] < list[i - 1]))
            throw Failure("The times of a distilled generator must fall, and " + display(times[i])
                          + " does not come below " + display(times[i - 1]) + ".");
    list.push_back(0);
    return list;
}

SamplerInfo dmd() {
    const ParamSpec times = listParam("times", "Times", 0, 1e6,
                                      "Network times the checkpoint was trained at, falling: 999, 749, 499, 249 for "
                                      "DMD2, one for one-step generators. Empty: as many even ones as steps.");
    return {.id = "dmd",
            .label = "DMD",
            .summary = "Data at a fixed list of times, noised again to the next",
            .source = "Yin et al. 2024, DMD2",
            .group = "Few-step",
            .params = {times},
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::DistributionMatching, Distillation::Consistency, Distillation::Lcm},
            .unitVariance = true,
            .run = jumpToData,
            .ownLevels = levels};
}

}  // namespace meander::sampler
