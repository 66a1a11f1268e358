// What a person should know about levels, by how a run uses them (the notes of schedule.h are those of a run from
// noise).
#pragma once
#include <optional>

#include "engine/schedule/schedule.h"

namespace meander {

// Down from noise, down from data noised to the first level, or up from data.
enum class ScheduleUse : std::uint8_t { FromNoise, FromData, Inverts };

// The levels make another number of steps than was asked for.
std::optional<ScheduleNote> stepsNote(const std::vector<double>& levels, int stepsAsked);
// `sigmaData`: standard deviation of the data.
std::vector<ScheduleNote> scheduleNotes(const std::vector<double>& levels, const Process& process, ScheduleUse use,
                                        double sigmaData);

}  // namespace meander
