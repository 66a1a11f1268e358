// A schedule is the list of clock values τ that a run visits, noisiest first, ending at 0 (clean) unless its rule stops
// earlier. The tables are explicit: one line per schedule (schedules/list.inl) and per operator on schedules
// (operators/list.inl).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/process/process.h"

namespace meander {

struct ScheduleContext {
    const Process& process;
    int steps;  // the N of the rule; most rules give N intervals, a few give another number (see makeSchedule)
    const Params& params;
    // Image tokens of 16 × 16 pixels, for rules that depend on the resolution; absent when states are no images.
    std::optional<int> imageTokens = {};
};

struct ScheduleInfo {
    std::string id, label, summary, source;  // source: paper or tool, equation
    std::string group;                       // heading in a long list: "Noise-level rules", "Training steps" ...
    std::vector<ParamSpec> params = {};
    // Levels as the rule gives them. Throws Failure when the settings make that impossible.
    std::vector<double> (*make)(const ScheduleContext&) = nullptr;
};

const std::vector<ScheduleInfo>& schedules();
const ScheduleInfo* findSchedule(const std::string& id);

struct OperatorContext {
    const Process& process;
    std::vector<double> levels;  // what the schedule and the operators before made
    const Params& params;
    std::optional<int> imageTokens = {};
};

// Levels to levels: what may follow a schedule in a recipe.
struct ScheduleOperatorInfo {
    std::string id, label, summary, source;
    std::vector<ParamSpec> params = {};
    std::vector<double> (*apply)(const OperatorContext&) = nullptr;
};

const std::vector<ScheduleOperatorInfo>& scheduleOperators();
const ScheduleOperatorInfo* findScheduleOperator(const std::string& id);

// Built, operated on and checked: finite, at least 0, at most t = 1 for a flow, strictly falling (or strictly rising,
// for inverting samplers, when `operators` turned it round). Equal neighbours, which some tools' rules produce when
// they round to training steps, are one level. The number of intervals is levels − 1; it differs from `steps` where the
// rule says so (ddim_uniform, beta, laplace) or an operator changed it. Errors name the cause and a remedy.
Result<std::vector<double>> makeSchedule(const Choice& schedule, const std::vector<Choice>& operators,
                                         const Process& process, int steps, std::optional<int> imageTokens = {});
// A schedule alone; it must fall.
Result<std::vector<double>> makeSchedule(const std::string& id, const Process& process, int steps, const Params& params,
                                         std::optional<int> imageTokens = {});

// What a person should know about these levels before running: sentences with a remedy.
struct ScheduleNote {
    bool warning = false;
    std::string key;  // the recipe key it is about: "steps" or "schedule"
    std::string text;
};

// The number of steps to make a schedule with: a custom list has its own, and the note tells of it.
struct ScheduleSteps {
    int steps = 0;
    std::optional<ScheduleNote> note;
};
ScheduleSteps stepsOf(const Choice& schedule, int wanted);
// `sigmaData`: standard deviation of the data.
std::vector<ScheduleNote> scheduleNotes(const std::vector<double>& levels, const Process& process, int stepsAsked,
                                        double sigmaData = 0.5);

}  // namespace meander
