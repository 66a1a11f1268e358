// A list of a person's own: noise levels, or what stands for them.
#include "engine/schedule/schedule_common.h"

namespace meander::schedule {

namespace {

double levelOf(const Process& p, const std::string& unit, double v) {
    if (unit == "sigma") return p.tauOfSigma(v);
    if (unit == "log_snr") return p.tauOfLogSnr(v);
    if (unit == "alpha_bar") {
        if (!(v > 0 && v <= 1)) throw Failure("A custom list of ᾱ needs values above 0 and at most 1.");
        return p.tauOfSigma(std::sqrt((1 - v) / v));
    }
    if (p.trainingSteps() == 0)
        throw Failure("A custom list of training steps needs a model with discrete training steps; this one has "
                      "continuous time. Give levels or σ.");
    if (v > p.trainingSteps() - 1)
        throw Failure("A custom list names a training step above the last, " + std::to_string(p.trainingSteps() - 1)
                      + ".");
    return p.tauOfStep(v);
}

// Noise variances of an inference chain, first to last from the data (FastDiff, BDDM): ᾱ is their running product of 1
// − β, which finds fractional training steps.
std::vector<double> fromBetas(const Process& p, const std::vector<double>& betas) {
    std::vector<double> levels;
    double product = 1;
    for (const double beta : betas) {
        if (!(beta > 0 && beta < 1)) throw Failure("A custom list of β needs values between 0 and 1.");
        product *= 1 - beta;
        levels.push_back(p.tauOfSigma(std::sqrt((1 - product) / product)));
    }
    return {levels.rbegin(), levels.rend()};
}

std::vector<double> make(const ScheduleContext& c) {
    auto levels = std::get<std::vector<double>>(c.params.at("values"));
    if (levels.empty()) throw Failure("A custom schedule needs at least one noise level.");
    const std::string& unit = text(c.params, "unit");
    if (unit == "beta") levels = fromBetas(c.process, levels);
    else if (unit != "level")
        for (double& v : levels)
            if (v != 0 || unit == "step" || unit == "log_snr") v = levelOf(c.process, unit, v);
    if (levels.back() != 0) levels.push_back(0);
    if (int(levels.size()) != c.steps + 1)
        throw Failure("The custom schedule has " + std::to_string(levels.size() - 1)
                      + " intervals but the recipe asks for " + std::to_string(c.steps) + " steps; make them equal.");
    return levels;
}

}  // namespace

ScheduleInfo custom() {
    ParamSpec values =
        listParam("values", "Levels", -100, 1e6,
                  "Noise levels from high to low (t for flow models); a final 0 is added when it is missing.");
    values.unit = "σ";
    return {.id = "custom",
            .label = "Custom",
            .summary = "A list of noise levels",
            .source = "",
            .group = "Own",
            .params = {values, choiceParam("unit", "Unit",
                                           {{"level", "Levels (σ, or t of a flow)"},
                                            {"sigma", "σ"},
                                            {"step", "Training steps"},
                                            {"log_snr", "λ = log-SNR"},
                                            {"alpha_bar", "ᾱ"},
                                            {"beta", "β of an inference chain, data to noise"}},
                                           "What the numbers are.")},
            .make = make};
}

}  // namespace meander::schedule

namespace meander {

// A final 0 is added unless the list ends with clean data in its unit.
ScheduleSteps stepsOf(const Choice& schedule, int wanted) {
    const auto it = schedule.params.find("values");
    const auto* values = it == schedule.params.end() ? nullptr : std::get_if<std::vector<double>>(&it->second);
    if (schedule.id != "custom" || !values || values->empty()) return {wanted, {}};
    const std::string unit = schedule.params.contains("unit") ? text(schedule.params, "unit") : "level";
    const bool endsClean =
        (unit == "alpha_bar" && values->back() == 1) || ((unit == "level" || unit == "sigma") && values->back() == 0);
    const int own = int(values->size()) - endsClean;
    if (own < 1 || own == wanted) return {wanted, {}};
    return {own, ScheduleNote{false, "steps",
                              "The custom list has " + std::to_string(own) + (own == 1 ? " interval" : " intervals")
                                  + ", so the run has that many steps instead of " + std::to_string(wanted) + "."}};
}

}  // namespace meander
