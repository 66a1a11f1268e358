// The training steps of diffusers' schedulers and their noise levels in its 32-bit arithmetic (timestep_spacing:
// linspace, leading, trailing).
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

std::vector<double> sigmas32(const Process& process) {
    std::vector<double> sigmas;
    double before = 1, product = 1;
    for (int k = 0; k < process.trainingSteps(); ++k) {
        const double sigma = process.tauOfStep(k), bar = 1 / (1 + sigma * sigma);
        const auto beta = float(1 - bar / before);
        before = bar;
        product *= double(1.0f - beta);  // the products are accumulated in 64 bit and stored in 32
        const auto signal = float(product);
        sigmas.push_back(double(std::sqrt((1.0f - signal) / signal)));
    }
    return sigmas;
}

namespace {

// numpy.arange(trained, 0, −trained/n): its values are start + i·δ with a rounded δ, and for some n (61, 103 …)
// rounding makes it one longer.
std::vector<double> trailingSteps(int trained, int n) {
    const double ratio = double(trained) / n, delta = (trained - ratio) - trained;
    const int count = int(std::ceil(trained / ratio));
    std::vector<double> steps;
    for (int i = 0; i < count; ++i) steps.push_back(std::nearbyint(trained + i * delta) - 1);
    return steps;
}

}  // namespace

std::vector<double> diffusersSteps(const std::string& family, const std::string& spacing, int trained, int n,
                                   int offset) {
    const bool isMultistep = family == "dpmpp", isEuler = family == "euler";
    std::vector<double> steps;
    if (spacing == "linspace") {
        const int points = isMultistep ? n + 1 : n;  // a single point is step 0
        for (int i = 0; i < n; ++i) {
            const double step = points == 1 ? 0
                                : i == 0    ? trained - 1
                                            : (points - 1 - i) * (double(trained - 1) / (points - 1));
            steps.push_back((isEuler ? double(float(step)) : std::nearbyint(step)) + offset);
        }
    } else if (spacing == "leading") {
        const int ratio = isMultistep ? trained / (n + 1) : trained / n;
        for (int i = 0; i < n; ++i) steps.push_back(double(ratio) * (isMultistep ? n - i : n - 1 - i) + offset);
    } else {
        for (const double step : trailingSteps(trained, n)) steps.push_back(step + offset);
    }
    for (double& step : steps) step = std::clamp(step, 0.0, double(trained - 1));
    return steps;
}

ParamSpec spacingParam(const char* value, bool withLcm) {
    std::vector<ParamChoice> choices = {{"leading", "Leading"}, {"trailing", "Trailing"}, {"linspace", "Linspace"}};
    if (withLcm) choices.push_back({"lcm", "LCM"});
    ParamSpec s = choiceParam("spacing", "Spacing", std::move(choices),
                              withLcm ? "Which training steps are visited: from the start of each block, from its end, "
                                        "evenly with both ends, or the teacher steps of an LCM."
                                      : "Which training steps are visited: from the start of each block, from its end, "
                                        "or evenly with both ends.");
    s.defaultValue = std::string(value);
    return s;
}

ParamSpec offsetParam() {
    ParamSpec s = optionalParam(
        integerParam("offset", "Offset", 1, -1000, 1000,
                     "Added to every step (steps_offset); absent: 1 when the spacing is leading, else 0."));
    s.unit = "steps";
    return s;
}

int offsetOf(const ScheduleContext& c, const std::string& spacing) {
    if (c.params.contains("offset")) return int(integer(c.params, "offset"));
    return spacing == "leading" ? 1 : 0;
}

std::vector<double> flowMatchEuler(const ScheduleContext& c, double shift) {
    const double bottom = shifted(1.0 / c.process.tableSteps(), shift);
    std::vector<double> levels;
    for (int i = 0; i < c.steps; ++i)
        levels.push_back(shifted(c.steps == 1 ? 1 : 1 + i * (bottom - 1) / (c.steps - 1), shift));
    return levels;
}

Range diffusersRange(const ScheduleContext& c) {
    switch (c.process.kind()) {
    case ProcessKind::VarianceExploding: break;
    case ProcessKind::RectifiedFlow: {
        const auto levels = flowMatchEuler(c, optionalReal(c.params, "shift").value_or(c.process.timeShift()));
        return {levels.front(), levels.back()};
    }
    case ProcessKind::VariancePreserving: {
        const std::string& spacing = text(c.params, "spacing");
        const auto steps = diffusersSteps("euler", spacing, c.process.trainingSteps(), c.steps, offsetOf(c, spacing));
        const auto sigmas = sigmas32(c.process);
        const auto at = [&](double step) {
            const auto k = std::size_t(std::min(std::floor(step), double(sigmas.size() - 2)));
            return sigmas[k] + (step - double(k)) * (sigmas[k + 1] - sigmas[k]);
        };
        return {at(steps.front()), at(steps.back())};
    }
    }
    return rangeOf(c);
}

}  // namespace meander::schedule
