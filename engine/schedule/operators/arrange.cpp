// Operators that add, drop or rearrange levels.
#include "engine/schedule/operators.h"
#include "engine/schedule/schedule_common.h"

namespace meander::schedule_operator {

using namespace schedule;

namespace {

std::vector<double> applyResample(const OperatorContext& c) {
    return levels::resampled(c.levels, int(integer(c.params, "steps")),
                             text(c.params, "scale") == "log" ? levels::Scale::Logarithmic : levels::Scale::Linear);
}

std::vector<double> applySplit(const OperatorContext& c) {
    const auto parts = levels::split(c.levels, int(integer(c.params, "step")));
    return text(c.params, "part") == "high" ? parts.first : parts.second;
}

std::vector<double> applyInsert(const OperatorContext& c) {
    const std::string& spacing = text(c.params, "spacing");
    return levels::inserted(c.levels, int(integer(c.params, "parts")), optionalReal(c.params, "max"),
                            optionalReal(c.params, "min"),
                            spacing == "linear"   ? levels::Spacing::Linear
                            : spacing == "cosine" ? levels::Spacing::Cosine
                                                  : levels::Spacing::Sine);
}

// Own levels, or another schedule with its own settings from the last level down to clean.
std::vector<double> applyConcat(const OperatorContext& c) {
    const auto& values = std::get<std::vector<double>>(c.params.at("values"));
    if (!values.empty()) return levels::concatenated(c.levels, values);
    const std::string& id = text(c.params, "schedule");
    if (id == "none") throw Failure("Concatenate: give the levels that follow, or name a schedule.");
    std::vector<double> first = c.levels;
    if (first.back() == 0)
        throw Failure("Concatenate: nothing can follow a level of 0. Clip or split the schedule first.");
    const auto second =
        makeSchedule(id, c.process, int(integer(c.params, "steps")), {{"max", first.back()}}, c.imageTokens);
    if (!second) throw Failure("Concatenate: " + second.error().text);
    return levels::concatenated(std::move(first), *second);
}

std::vector<double> applyDiscardPenultimate(const OperatorContext& c) {
    auto kept = c.levels;
    if (kept.size() < 3) throw Failure("Discard the level before the last: the schedule has too few levels for that.");
    kept.erase(kept.end() - 2);
    return kept;
}

std::vector<double> applyToClean(const OperatorContext& c) { return levels::concatenated(c.levels, {0}); }
std::vector<double> applyReverse(const OperatorContext& c) { return levels::reversed(c.levels); }

}  // namespace

ScheduleOperatorInfo resample() {
    return {.id = "resample",
            .label = "Resample",
            .summary = "The same curve with another number of steps",
            .source = "Sabour et al. 2024, log-linear interpolation",
            .params = {integerParam("steps", "Steps", 20, 1, 10000, "Number of intervals afterwards."),
                       choiceParam("scale", "Scale", {{"log", "Logarithmic"}, {"linear", "Linear"}},
                                   "Whether levels or their logarithms are interpolated.")},
            .apply = applyResample};
}

ScheduleOperatorInfo split() {
    return {
        .id = "split",
        .label = "Split",
        .summary = "Keep the steps before or after one",
        .source = "ComfyUI, SplitSigmas",
        .params = {integerParam("step", "Step", 10, 0, 10000, "Where to cut; both parts contain the level there."),
                   choiceParam("part", "Part", {{"high", "High noise"}, {"low", "Low noise"}}, "Which part stays.")},
        .apply = applySplit};
}

ScheduleOperatorInfo insert() {
    ParamSpec high = optionalParam(realParam("max", "From", 1, 0, 1e6,
                                             "Only intervals that start at or below this level; absent: all.", 0.01)),
              low = optionalParam(realParam("min", "To", 1, 0, 1e6,
                                            "Only intervals that start at or above this level; absent: all.", 0.01));
    return {.id = "insert",
            .label = "Insert",
            .summary = "Divide intervals into parts",
            .source = "ComfyUI, ExtendIntermediateSigmas",
            .params = {integerParam("parts", "Parts", 2, 1, 100, "Into how many each interval is divided."), high, low,
                       choiceParam(
                           "spacing", "Spacing", {{"linear", "Linear"}, {"cosine", "Cosine"}, {"sine", "Sine"}},
                           "Where the new levels lie: even, or nearer to the end or to the start of the interval.")},
            .apply = applyInsert};
}

ScheduleOperatorInfo concat() {
    std::vector<ParamChoice> choices = {{"none", "The levels given"}};
    for (const ScheduleInfo& s : schedules())
        if (std::any_of(s.params.begin(), s.params.end(), [](const ParamSpec& p) { return p.key == "max"; }))
            choices.push_back({s.id, s.label});
    return {
        .id = "concat",
        .label = "Concatenate",
        .summary = "Other levels after these",
        .source = "",
        .params = {listParam("values", "Levels", 0, 1e6, "What follows; one equal to the last level is not repeated."),
                   choiceParam("schedule", "Schedule", std::move(choices),
                               "When no levels are given: the schedule from the last level down to 0."),
                   integerParam("steps", "Steps", 10, 1, 10000, "Its number of steps.")},
        .apply = applyConcat};
}

ScheduleOperatorInfo discardPenultimate() {
    return {.id = "discard_penultimate",
            .label = "Discard the level before the last",
            .summary = "One longer last step, as DPM2 and UniPC of ComfyUI and A1111 take it",
            .source = "ComfyUI, DISCARD_PENULTIMATE_SIGMA_SAMPLERS; A1111, discard next-to-last sigma",
            .apply = applyDiscardPenultimate};
}

ScheduleOperatorInfo toClean() {
    return {.id = "to_clean", .label = "To clean", .summary = "A last step to 0", .source = "", .apply = applyToClean};
}

ScheduleOperatorInfo reverse() {
    return {.id = "reverse",
            .label = "Reverse",
            .summary = "From clean to noise, for samplers that invert",
            .source = "ComfyUI, FlipSigmas",
            .apply = applyReverse};
}

}  // namespace meander::schedule_operator
