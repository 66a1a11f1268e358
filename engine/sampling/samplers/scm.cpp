// Continuous-time consistency (Lu & Song 2025, sCM; Zheng et al. 2025, rCM) in the angle of TrigFlow: x = cos t·x0 +
// sin t·σd z, so σ = σd tan t. Jump to the data, then x' = cos t'·x̂0 + sin t'·σd z, which is y' = a' D + τ' z here; its
// own are the angles.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/sampling/few_step_common.h"

namespace meander::sampler {

// The first angle is the schedule's; then the list, and below it even angles when there are more steps.
static std::vector<double> levels(const Process& p, const std::vector<double>& schedule, const Params& params) {
    const double stddev = real(params, "sigma_data");
    const auto& angles = std::get<std::vector<double>>(params.at("angles"));
    const std::size_t wanted = schedule.size() - 2, listed = std::min(wanted, angles.size());
    const double lowest = listed == 0 ? std::atan(p.sigma(schedule.front()) / stddev) : angles[listed - 1];
    std::vector<double> inner;
    for (std::size_t k = 0; k < wanted; ++k) {
        const double angle = k < listed ? angles[k] : lowest * double(wanted - k) / double(wanted - listed + 1);
        inner.push_back(p.tauOfSigma(stddev * std::tan(std::min(angle, std::numbers::pi / 2 - 1e-9))));
    }
    return between(schedule, inner);
}

SamplerInfo scm() {
    ParamSpec angles = withUnit(listParam("angles", "Angles", 0.001, 1.57,
                                          "Angles of the steps after the first, falling: 1.3 for two steps (1.1 in the "
                                          "paper), 1.3, 1.0, 0.6 for four."),
                                "rad");
    angles.defaultValue = std::vector<double>{1.3, 1.0, 0.6};
    return {.id = "scm",
            .label = "sCM / TrigFlow",
            .summary = "Jump to the data and noise again at given angles",
            .source = "Lu & Song 2025; Zheng et al. 2025, rCM",
            .group = "Few-step",
            .params = {angles,
                       advanced(realParam("sigma_data", "σ of data", 0.5, 0.01, 100,
                                          "Deviation of the data that the angle is measured with: t = atan(σ/σd)."))},
            .order = 0,
            .stochastic = true,
            .madeFor = {Distillation::ContinuousConsistency, Distillation::Consistency},
            .run = jumpToData,
            .ownLevels = levels};
}

}  // namespace meander::sampler
