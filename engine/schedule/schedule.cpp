#include "engine/schedule/schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "engine/core/switched.h"
#include "engine/schedule/schedule_notes.h"

namespace meander {

namespace {

constexpr int mostLevels = 100'001;

std::string number(double v) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.4g", v);
    return buffer;
}

// "σ 14.61" or "t 0.9"
std::string levelText(double tau, const Process& p) {
    return (p.kind() == ProcessKind::RectifiedFlow ? "t " : "σ ") + number(tau);
}

void check(const std::vector<double>& levels, const std::string& what, const Process& process) {
    if (levels.size() < 2)
        throw Failure(what
                      + ": one level is no interval to sample. Ask for more steps, or add the operator \"To clean\".");
    if (levels.size() > std::size_t(mostLevels)) throw Failure(what + ": more than 100000 levels.");
    const bool rises = levels.back() > levels.front();
    for (std::size_t i = 0; i < levels.size(); ++i) {
        std::ostringstream at;
        if (!std::isfinite(levels[i]) || levels[i] < 0) {
            at << what << ": level " << i << " (" << levels[i]
               << ") is not a finite number of at least 0. Change its parameters.";
            throw Failure(at.str());
        }
        if (i && (rises ? levels[i] <= levels[i - 1] : levels[i] >= levels[i - 1])) {
            at << what << ": levels must fall, but level " << i << " (" << levels[i] << ") is not below level " << i - 1
               << " (" << levels[i - 1] << "). Use fewer steps or change its parameters.";
            throw Failure(at.str());
        }
    }
    if (std::max(levels.front(), levels.back()) > 1 + 1e-12 && process.kind() == ProcessKind::RectifiedFlow)
        throw Failure(what + ": a flow model starts at t = 1 at most, but the schedule begins at "
                      + number(std::max(levels.front(), levels.back()))
                      + ". Give its levels as t, or add the operator \"Clip\" with max 1.");
}

std::vector<double> build(const Choice& schedule, const std::vector<Choice>& operators, const Process& process,
                          int steps, std::optional<int> imageTokens) {
    const auto* info = findSchedule(schedule.id);
    if (!info)
        throw Failure("There is no schedule named \"" + schedule.id
                      + "\"; `meander-run list schedules` shows them all.");
    if (steps < 1 || steps > 10000) throw Failure("The number of steps must lie between 1 and 10000.");
    auto params = resolveParams(info->params, schedule.params, info->label);
    if (!params) throw Failure(params.error().text);
    auto levels = info->make({process, steps, *params, imageTokens});
    // Rounding to training steps may visit one twice; a step of no size does nothing.
    levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
    if (operators.empty()) {
        check(levels, info->label, process);
        return levels;
    }
    for (const auto& choice : operators) {
        const auto* rule = findScheduleOperator(choice.id);
        if (!rule)
            throw Failure("There is no operator on schedules named \"" + choice.id
                          + "\"; `meander-run list operators` shows them all.");
        auto resolved = resolveParams(rule->params, choice.params, rule->label);
        if (!resolved) throw Failure(resolved.error().text);
        if (isSwitchedOff(choice)) continue;
        if (levels.empty()) throw Failure(rule->label + ": no level is left to work on. Remove an operator before it.");
        levels = rule->apply({process, std::move(levels), *resolved, imageTokens});
        levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
    }
    check(levels, info->label + " with its operators", process);
    return levels;
}

}  // namespace

Result<std::vector<double>> makeSchedule(const Choice& schedule, const std::vector<Choice>& operators,
                                         const Process& process, int steps, std::optional<int> imageTokens) {
    try {
        return build(schedule, operators, process, steps, imageTokens);
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

Result<std::vector<double>> makeSchedule(const std::string& id, const Process& process, int steps, const Params& params,
                                         std::optional<int> imageTokens) {
    auto levels = makeSchedule({id, params}, {}, process, steps, imageTokens);
    if (levels && levels->back() > levels->front())
        return Error{"The levels rise, which only an inverting sampler can follow. Give them from high to low."};
    return levels;
}

std::optional<ScheduleNote> stepsNote(const std::vector<double>& levels, int stepsAsked) {
    const int intervals = int(levels.size()) - 1;
    if (intervals == stepsAsked) return {};
    return ScheduleNote{false, "steps",
                        "The rule makes " + std::to_string(intervals) + (intervals == 1 ? " step" : " steps")
                            + " of the " + std::to_string(stepsAsked)
                            + " asked for; choose another number, or add the operator \"Resample\" for exactly that "
                              "many."};
}

std::vector<ScheduleNote> scheduleNotes(const std::vector<double>& levels, const Process& process, int stepsAsked,
                                        double sigmaData) {
    auto notes = scheduleNotes(levels, process, ScheduleUse::FromNoise, sigmaData);
    if (auto note = stepsNote(levels, stepsAsked)) notes.insert(notes.begin(), std::move(*note));
    return notes;
}

std::vector<ScheduleNote> scheduleNotes(const std::vector<double>& levels, const Process& process, ScheduleUse use,
                                        double sigmaData) {
    std::vector<ScheduleNote> notes;
    const int intervals = int(levels.size()) - 1;
    const double top = std::max(levels.front(), levels.back()), bottom = std::min(levels.front(), levels.back());
    if (top > process.maximum() * (1 + 1e-4))
        notes.push_back(
            {true, "schedule",
             "Sampling starts at " + levelText(top, process) + ", beyond the " + levelText(process.maximum(), process)
                 + " that training reached; the network guesses there. Lower \"max\", or add the operator \"Clip\"."});
    else if (use == ScheduleUse::FromNoise && top < process.maximum() * 0.99)
        notes.push_back({false, "schedule",
                         "Sampling starts at " + levelText(top, process) + ", below the "
                             + levelText(process.maximum(), process)
                             + " that training calls pure noise, so the first state has less signal than the network "
                               "expects. Raise \"max\", or choose a schedule with both ends, such as trailing steps."});
    if (use == ScheduleUse::Inverts) return notes;  // the levels end in noise
    if (bottom > 0)
        notes.push_back(
            {false, "schedule",
             "Sampling stops at " + levelText(bottom, process)
                 + ", above 0: the result keeps that much noise. Add the operator \"To clean\" for a last step to 0."});
    if (intervals > 1 && std::min(levels.front(), levels.back()) == 0) {
        const double lowest = levels.back() == 0 ? levels[levels.size() - 2] : levels[1];
        if (process.sigma(lowest) > 2 * sigmaData)
            notes.push_back({true, "schedule",
                             "The last jump to the image starts at " + levelText(lowest, process)
                                 + ", above the standard deviation of the data (" + number(sigmaData)
                                 + "): one step blurs what is still noise there. Use more steps, or a schedule that "
                                   "goes lower."});
        else if (lowest < process.minimum() / 4)
            notes.push_back({true, "schedule",
                             "The last level, " + levelText(lowest, process) + ", lies far below the "
                                 + levelText(process.minimum(), process)
                                 + " that training reached; the network guesses there. Raise \"min\", or add the "
                                   "operator \"Clip\"."});
    }
    return notes;
}

}  // namespace meander
