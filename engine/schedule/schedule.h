// A schedule is the list of clock values τ that a run visits, noisiest first, ending at 0 (clean) unless clipped. The table is explicit: one line per schedule.
#pragma once
#include <string>
#include <vector>

#include "engine/core/params.h"
#include "engine/process/process.h"

namespace meander {

struct ScheduleContext {
    const Process& process;
    int steps;  // number of intervals
    const Params& params;
};

struct ScheduleInfo {
    std::string id, label, summary, source;  // source: paper, equation
    std::vector<ParamSpec> params;
    // steps + 1 strictly falling values, last 0. Throws Failure when the settings make that impossible.
    std::vector<double> (*make)(const ScheduleContext&);
};

const std::vector<ScheduleInfo>& schedules();
const ScheduleInfo* findSchedule(const std::string& id);

// Built, checked (finite, strictly falling, within the process's range): an Error names the first offending pair.
Result<std::vector<double>> makeSchedule(const std::string& id, const Process& process, int steps, const Params& params);

}  // namespace meander
