// Operators that move levels: clip, rescale, shift, smooth, stretch to a terminal level, set the first.
#include "engine/schedule/operators.h"
#include "engine/schedule/schedule_common.h"

namespace meander::schedule_operator {

using namespace schedule;
using levels::Scale;

namespace {

ParamSpec scaleParam() {
    return choiceParam("scale", "Scale", {{"log", "Logarithmic"}, {"linear", "Linear"}},
                       "Whether levels or their logarithms are interpolated.");
}
Scale scaleOf(const OperatorContext& c) {
    return text(c.params, "scale") == "log" ? Scale::Logarithmic : Scale::Linear;
}

ParamSpec level(const char* key, const char* label, const char* help) {
    ParamSpec s = realParam(key, label, 1, 0, 1e6, help, 0.01);
    s.unit = "σ";
    return s;
}

std::vector<double> applyClip(const OperatorContext& c) {
    return levels::clipped(c.levels, optionalReal(c.params, "max"), optionalReal(c.params, "min"));
}

std::vector<double> applyRescale(const OperatorContext& c) {
    const double top = optionalReal(c.params, "max").value_or(c.process.maximum()),
                 bottom = optionalReal(c.params, "min").value_or(c.process.minimum());
    if (!(top > bottom)) throw Failure("Rescale: the highest level must lie above the lowest one.");
    return levels::rescaled(c.levels, top, bottom, scaleOf(c));
}

std::vector<double> applyShift(const OperatorContext& c) {
    return levels::shifted(c.levels, c.process, real(c.params, "factor"));
}
std::vector<double> applySmooth(const OperatorContext& c) {
    return levels::smoothed(c.levels, real(c.params, "strength"), int(integer(c.params, "passes")), scaleOf(c));
}

std::vector<double> applyTerminal(const OperatorContext& c) {
    if (c.process.kind() != ProcessKind::RectifiedFlow)
        throw Failure("The terminal stretch is for rectified-flow models. Use the operator \"Rescale\" for this one.");
    auto stretched = c.levels;
    stretchToTerminal(stretched, real(c.params, "level"));
    return stretched;
}

std::vector<double> applyFirst(const OperatorContext& c) {
    auto changed = c.levels;
    changed.front() = optionalReal(c.params, "level").value_or(c.process.maximum());
    return changed;
}

}  // namespace

ScheduleOperatorInfo clip() {
    return {.id = "clip",
            .label = "Clip",
            .summary = "Start and end at given levels",
            .source = "SDEdit strengths; start earlier (Zhao et al. 2024, image leakage)",
            .params = {optionalParam(level("max", "Start", "Sampling starts here; absent: as the schedule has it.")),
                       optionalParam(
                           level("min", "End", "Sampling ends here, above clean; absent: as the schedule has it."))},
            .apply = applyClip};
}

ScheduleOperatorInfo rescale() {
    return {.id = "rescale",
            .label = "Rescale",
            .summary = "Map the levels above 0 to a range",
            .source = "RES4LYF, sigmas rescale",
            .params = {optionalParam(level("max", "Highest level",
                                           "What the first level becomes; absent: the model's own highest.")),
                       optionalParam(level("min", "Lowest level",
                                           "What the last level above 0 becomes; absent: the model's own lowest.")),
                       scaleParam()},
            .apply = applyRescale};
}

ScheduleOperatorInfo shift() {
    return {
        .id = "shift",
        .label = "Shift",
        .summary = "Multiply σ, in flow models shift t",
        .source = "Esser et al. 2024, eq. 23; simple diffusion (Hoogeboom et al. 2023)",
        .params = {realParam(
            "factor", "Factor", 1.5, 0.01, 100,
            "Above 1 spends more steps at high noise; the flow shift s. Pure noise and 0 stay where they are.", 0.1)},
        .apply = applyShift};
}

ScheduleOperatorInfo smooth() {
    return {
        .id = "smooth",
        .label = "Smooth",
        .summary = "Move levels towards the mean of their neighbours",
        .source = "",
        .params = {realParam("strength", "Strength", 0.5, 0, 1, "How far each level moves in one pass; the ends stay."),
                   integerParam("passes", "Passes", 1, 1, 1000, "How often."), scaleParam()},
        .apply = applySmooth};
}

ScheduleOperatorInfo terminal() {
    return {.id = "terminal",
            .label = "Terminal stretch",
            .summary = "Stretch a flow's times so that the last above 0 is a given one",
            .source = "LTX-Video; diffusers, shift_terminal",
            .params = {realParam("level", "Terminal", 0.1, 0.001, 0.99, "The last t above 0 afterwards.", 0.01)},
            .apply = applyTerminal};
}

ScheduleOperatorInfo first() {
    return {.id = "first",
            .label = "First level",
            .summary = "Replace the first level",
            .source = "ComfyUI, SetFirstSigma",
            .params = {optionalParam(level("level", "Level", "The new first level; absent: the model's own highest."))},
            .apply = applyFirst};
}

}  // namespace meander::schedule_operator
