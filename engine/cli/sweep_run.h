// A sweep of meander-run: what was asked, its cells carried out into a project, and what came of them.
#pragma once
#include <functional>
#include <mutex>
#include <set>

#include "engine/cli/batch.h"
#include "engine/cli/recipe_input.h"
#include "engine/sweep/sweep_plan.h"
#include "engine/sweep/sweep_results.h"

namespace meander::cli {

// Tells of cells as they end: JSON lines, or one line on a terminal. Any thread.
class SweepProgress {
public:
    // `runs`: to be carried out now.
    SweepProgress(const Sweep& sweep, std::size_t runs, bool isJson);
    void ended(const Run& run);
    std::size_t failed() const { return m_failed; }

private:
    const Sweep& m_sweep;
    const std::size_t m_runs;
    const bool m_isJson;
    std::mutex m_mutex;
    std::size_t m_done = 0, m_failed = 0;
};

Json placeOf(const Sweep& sweep, std::size_t cell);  // {"steps": "12", ...}

// A new sweep, saved in the project with its waiting runs before the first one starts.
std::vector<Submission> beginSweep(ProjectStore& store, Sweep& sweep, const SweepPlan& plan, const ReadInput& in);
// What is left of a sweep: waiting runs, interrupted ones from their record, cells whose run is gone or was cancelled;
// with `retriesFailed` those that failed too.
std::vector<Submission> restOf(ProjectStore& store, Sweep& sweep, bool retriesFailed);
// The sweep of a project by number (1 is the oldest) or the beginning of its id; 0 or empty: the newest.
Sweep sweepNamed(const ProjectStore& store, const std::string& name);

struct SweepOutput {
    std::string csv, seedCsv, sheet;  // paths; empty: not written
};
// Cell results from the project; images are loaded one by one.
std::vector<std::optional<CellResult>> resultsOf(ProjectStore& store, const Sweep& sweep);
void writeResults(ProjectStore& store, const Sweep& sweep, const SweepOutput& output, bool isJson);

}  // namespace meander::cli
