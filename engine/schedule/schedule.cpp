#include "engine/schedule/schedule.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace meander {

namespace {

struct Range {
    double top, bottom;  // clock values
};

// The part of the process that is visited: the model's own range unless the settings narrow it. For rectified flow the clock t plays the part of σ,
// as in the tools that offer these schedules for flow models.
Range rangeOf(const ScheduleContext& c) {
    Range r{c.process.maximum(), c.process.minimum()};
    if (c.params.contains("max")) r.top = std::min(r.top, real(c.params, "max"));
    if (c.params.contains("min")) r.bottom = std::max(r.bottom, real(c.params, "min"));
    if (!(r.top > r.bottom)) throw Failure("The highest noise level of the schedule must lie above the lowest one.");
    return r;
}

// n values from position 0 to 1, then 0 (clean).
std::vector<double> ramp(int n, auto valueAt) {
    std::vector<double> levels;
    for (int i = 0; i < n; ++i) levels.push_back(valueAt(n == 1 ? 0.0 : double(i) / (n - 1)));
    levels.push_back(0);
    return levels;
}

std::vector<double> karras(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double rho = real(c.params, "rho"), a = std::pow(top, 1 / rho), b = std::pow(bottom, 1 / rho);
    return ramp(c.steps, [&](double u) { return u == 0 ? top : std::pow(a + u * (b - a), rho); });
}

std::vector<double> exponential(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    return ramp(c.steps, [&](double u) { return u == 0 ? top : std::exp(std::log(top) + u * (std::log(bottom) - std::log(top))); });
}

// Uniform in the model's own time: training steps, σ, or t. A continuous clock divides [max, 0] evenly; discrete steps end at step 0 and then clean.
std::vector<double> uniformTime(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    if (c.process.trainingSteps() == 0) {
        std::vector<double> levels;
        for (int i = 0; i <= c.steps; ++i) levels.push_back(top * (c.steps - i) / c.steps);
        return levels;
    }
    const double from = c.process.networkTime(top), to = c.process.networkTime(bottom);
    return ramp(c.steps, [&](double u) { return c.process.tauOfTime(from + u * (to - from)); });
}

// The training steps that the reference library visits for N steps: `leading` and `linspace` as DDIM and DDPM, `trailing` after Lin et al. 2024,
// `lcm` the subset of 50 teacher steps that latent consistency models were distilled on.
std::vector<double> modelSteps(const ScheduleContext& c) {
    const int trained = c.process.trainingSteps(), n = c.steps;
    if (trained == 0) throw Failure("\"Model steps\" needs a model with discrete training steps; this one has continuous time. Choose \"Uniform in t\" instead.");
    if (n > trained) throw Failure("The model was trained with " + std::to_string(trained) + " steps; ask for at most that many.");
    const std::string& spacing = text(c.params, "spacing");
    const double offset = double(integer(c.params, "offset"));
    std::vector<double> levels;
    for (int i = 0; i < n; ++i) {
        double step = 0;
        if (spacing == "leading") {
            step = std::floor(double(trained) / n) * (n - 1 - i) + offset;
        } else if (spacing == "trailing") {
            step = std::round(trained - i * double(trained) / n) - 1;
        } else if (spacing == "linspace") {
            step = std::round((trained - 1) * (n == 1 ? 1.0 : double(n - 1 - i) / (n - 1)));
        } else {  // lcm
            const int teacher = std::min(50, trained);
            if (n > teacher) throw Failure("A latent consistency model was distilled on " + std::to_string(teacher) + " steps; ask for at most that many.");
            const int chosen = int(std::floor(double(i) * teacher / n));
            step = double(teacher - chosen) * (trained / teacher) - 1;
        }
        levels.push_back(c.process.tauOfStep(std::min(step, double(trained - 1))));
    }
    levels.push_back(0);
    return levels;
}

// Uniform in the angle atan σ: the times of the cosine noise schedule (Nichol & Dhariwal 2021), clipped to the model's range.
std::vector<double> cosine(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double from = std::atan(c.process.sigma(top)), to = std::atan(c.process.sigma(bottom));
    return ramp(c.steps, [&](double u) { return u == 0 ? top : c.process.tauOfSigma(std::tan(from + u * (to - from))); });
}

// Esser et al. 2024, eq. 23: t' = s t / (1 + (s − 1) t), t uniform. In other processes t = σ/(1 + σ).
std::vector<double> flowShift(const ScheduleContext& c) {
    const auto [top, bottom] = rangeOf(c);
    const double shift = real(c.params, "shift"), sigma = c.process.sigma(top);
    // The unshifted time that lands on `top`, so that the first level is the model's.
    const double shiftedTop = std::isinf(sigma) ? 1 : sigma / (1 + sigma), first = shiftedTop / (shift - (shift - 1) * shiftedTop);
    std::vector<double> levels;
    for (int i = 0; i <= c.steps; ++i) {
        const double t = first * (c.steps - i) / c.steps, shifted = shift * t / (1 + (shift - 1) * t);
        levels.push_back(i == 0 ? top : c.process.tauOfSigma(shifted >= 1 ? std::numeric_limits<double>::infinity() : shifted / (1 - shifted)));
    }
    (void)bottom;
    return levels;
}

std::vector<double> custom(const ScheduleContext& c) {
    auto levels = std::get<std::vector<double>>(c.params.at("values"));
    if (levels.empty()) throw Failure("A custom schedule needs at least one noise level.");
    if (levels.back() != 0) levels.push_back(0);
    if (int(levels.size()) != c.steps + 1)
        throw Failure("The custom schedule has " + std::to_string(levels.size() - 1) + " intervals but the recipe asks for " + std::to_string(c.steps) + " steps; make them equal.");
    return levels;
}

ParamSpec limit(const char* key, const char* label, const char* help) {
    ParamSpec s;
    s.key = key;
    s.label = label;
    s.kind = ParamKind::Real;
    s.defaultValue = 1.0;
    s.minimum = 1e-6;
    s.maximum = 1e5;
    s.unit = "σ";
    s.help = help;
    s.logarithmic = s.advanced = s.optional = true;
    return s;
}

std::vector<ParamSpec> withRange(std::vector<ParamSpec> first = {}) {
    first.push_back(limit("max", "Highest level", "Where sampling starts (t for flow models); absent: the model's own highest noise level."));
    first.push_back(limit("min", "Lowest level", "The last level above clean; absent: the model's own lowest noise level."));
    return first;
}

ParamSpec realSpec(const char* key, const char* label, double value, double low, double high, double step, const char* help) {
    ParamSpec s;
    s.key = key;
    s.label = label;
    s.defaultValue = value;
    s.minimum = low;
    s.maximum = high;
    s.step = step;
    s.help = help;
    return s;
}

std::vector<ParamSpec> modelStepSpecs() {
    ParamSpec spacing;
    spacing.key = "spacing";
    spacing.label = "Spacing";
    spacing.kind = ParamKind::Choice;
    spacing.defaultValue = std::string("trailing");
    spacing.choices = {{"leading", "Leading"}, {"trailing", "Trailing"}, {"linspace", "Linspace"}, {"lcm", "LCM"}};
    spacing.help = "Which training steps are visited: from the start of each block, from its end, evenly with both ends, or the teacher steps of an LCM.";
    ParamSpec offset;
    offset.key = "offset";
    offset.label = "Offset";
    offset.kind = ParamKind::Integer;
    offset.defaultValue = std::int64_t(1);
    offset.minimum = 0;
    offset.maximum = 100;
    offset.unit = "steps";
    offset.help = "Added to every step when the spacing is leading (steps_offset).";
    offset.advanced = true;
    return {spacing, offset};
}

std::vector<ParamSpec> customSpecs() {
    ParamSpec values;
    values.key = "values";
    values.label = "Levels";
    values.kind = ParamKind::List;
    values.defaultValue = std::vector<double>{};
    values.minimum = 0;
    values.maximum = 1e6;
    values.unit = "σ";
    values.help = "Noise levels from high to low (t for flow models); a final 0 is added when it is missing.";
    return {values};
}

}  // namespace

const std::vector<ScheduleInfo>& schedules() {
    static const std::vector<ScheduleInfo> table = {
        {"karras", "Karras", "Even in σ^(1/ρ): many steps at low noise", "Karras et al. 2022, eq. 5",
         withRange({realSpec("rho", "ρ", 7, 1, 20, 0.5, "Larger values move steps towards low noise; 7 suits pictures, 1 is even in σ.")}), karras},
        {"exponential", "Exponential", "Even in log σ", "Lu et al. 2022, uniform log-SNR", withRange(), exponential},
        {"uniform_t", "Uniform in t", "Even in the model's own time", "Ho et al. 2020; Liu et al. 2023", withRange(), uniformTime},
        {"model_steps", "Model steps", "Exact training steps of the model", "Song et al. 2021; Lin et al. 2024", modelStepSpecs(), modelSteps},
        {"cosine", "Cosine", "Even in the angle atan σ", "Nichol & Dhariwal 2021, eq. 17", withRange(), cosine},
        {"flow_shift", "Flow shift", "Even in t, then shifted towards noise", "Esser et al. 2024, eq. 23",
         withRange({realSpec("shift", "Shift", 3, 0.1, 20, 0.1, "Above 1 spends more steps at high noise, as larger pictures need; 1 is uniform.")}), flowShift},
        {"custom", "Custom", "A list of noise levels", "", customSpecs(), custom},
    };
    return table;
}

const ScheduleInfo* findSchedule(const std::string& id) {
    for (const auto& s : schedules())
        if (s.id == id) return &s;
    return nullptr;
}

Result<std::vector<double>> makeSchedule(const std::string& id, const Process& process, int steps, const Params& params) {
    const auto* info = findSchedule(id);
    if (!info) return Error{"There is no schedule named \"" + id + "\"; `meander-run list schedules` shows them all."};
    if (steps < 1 || steps > 10000) return Error{"The number of steps must lie between 1 and 10000."};
    auto resolved = resolveParams(info->params, params, info->label);
    if (!resolved) return resolved.error();
    try {
        auto levels = info->make({process, steps, *resolved});
        for (std::size_t i = 0; i < levels.size(); ++i) {
            std::ostringstream at;
            if (!std::isfinite(levels[i]) || levels[i] < 0) {
                at << info->label << ": level " << i << " is not a finite number of at least 0.";
                return Error{at.str()};
            }
            if (i && !(levels[i] < levels[i - 1])) {
                at << info->label << ": levels must fall, but level " << i << " (" << levels[i] << ") is not below level " << i - 1 << " (" << levels[i - 1] << "). Use fewer steps or change its parameters.";
                return Error{at.str()};
            }
        }
        if (levels.front() > process.maximum() * 1.0001 && process.kind() == ProcessKind::RectifiedFlow) return Error{"A flow model starts at t = 1 at most."};
        return levels;
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

}  // namespace meander
