// Operators that spread the levels anew between the same ends, bend them, mix them with another schedule or move them
// onto the model's training steps.
#include "engine/schedule/redistribute.h"
#include "engine/schedule/level_edit.h"
#include "engine/schedule/schedule_common.h"

namespace meander::schedule_operator {

namespace {

std::vector<double> applyRespace(const OperatorContext& c) {
    const std::string& by = text(c.params, "measure");
    return levels::respaced(c.levels, int(integer(c.params, "steps")),
                            by == "arc"      ? levels::Measure::Arc
                            : by == "lambda" ? levels::Measure::Lambda
                                             : levels::Measure::Sigma,
                            c.process);
}

std::vector<double> applyBend(const OperatorContext& c) {
    return levels::warped(c.levels, real(c.params, "from"), real(c.params, "to"));
}

std::vector<double> applyBlend(const OperatorContext& c) {
    const std::string& id = text(c.params, "schedule");
    const auto other = makeSchedule(id, c.process, int(c.levels.size()) - 1, {}, c.imageTokens);
    if (!other) throw Failure("Blend: " + other.error().text);
    return levels::blended(c.levels, *other, real(c.params, "share"));
}

std::vector<double> applyOwnSteps(const OperatorContext& c) { return levels::onOwnSteps(c.levels, c.process); }

}  // namespace

ScheduleOperatorInfo respace() {
    return {.id = "respace",
            .label = "Respace",
            .summary = "Steps of equal length by a measure, between the same ends",
            .source = "DPM-Solver (Lu et al. 2022), section 3.4, for log-SNR; KJNodes, spline by arc length",
            .params = {integerParam("steps", "Steps", 20, 1, 10000, "Number of intervals afterwards."),
                       choiceParam("measure", "Measure",
                                   {{"lambda", "Log-SNR"}, {"arc", "Length of the curve"}, {"sigma", "σ"}},
                                   "By what the steps become equally long.")},
            .apply = applyRespace};
}

ScheduleOperatorInfo bend() {
    return {.id = "bend",
            .label = "Bend",
            .summary = "Reads the levels under one exponent ρ and places them by another",
            .source = "Karras et al. 2022, eq. 5, and its inverse",
            .params = {realParam("from", "ρ before", 7, 0.2, 100, "The exponent under which positions are read.", 0.5),
                       realParam("to", "ρ after", 5, 0.2, 100,
                                 "The exponent that places them; a larger one takes more steps at low noise.", 0.5)},
            .apply = applyBend};
}

ScheduleOperatorInfo blend() {
    std::vector<ParamChoice> choices = {{"karras", "Karras"},
                                        {"exponential", "Exponential"},
                                        {"uniform_lambda", "Uniform λ"},
                                        {"tangent", "Tangent law"},
                                        {"kl_optimal", "KL-optimal"},
                                        {"uniform_t", "Uniform in t"},
                                        {"cosine", "Cosine"},
                                        {"cosine_t", "Cosine in t"},
                                        {"quadratic_t", "Quadratic in t"},
                                        {"flow_shift", "Flow shift"},
                                        {"simple", "Simple"},
                                        {"beta", "Beta"},
                                        {"ays", "Align Your Steps"},
                                        {"gits", "GITS"}};
    return {.id = "blend",
            .label = "Blend",
            .summary = "The geometric mean with another schedule",
            .source = "",
            .params = {choiceParam("schedule", "Schedule", std::move(choices),
                                   "The other schedule, with its usual settings and as many levels."),
                       realParam("share", "Share", 0.5, 0, 1, "Of the other schedule; 0 changes nothing.", 0.05)},
            .apply = applyBlend};
}

ScheduleOperatorInfo ownSteps() {
    return {.id = "own_steps",
            .label = "Own training steps",
            .summary = "Moves every level to the nearest step of the model's training",
            .source = "",
            .apply = applyOwnSteps};
}

}  // namespace meander::schedule_operator
