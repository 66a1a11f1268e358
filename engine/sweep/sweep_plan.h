// What a sweep will do and cost, before anything runs: every cell planned, equal ones found, an order from coarse to
// fine.
#pragma once
#include "engine/run/engine.h"
#include "engine/sweep/sweep.h"

namespace meander {

struct PlannedCell {
    Result<Plan> plan = Error{};
    std::size_t same = 0;  // the first cell that resolves to the same recipe; itself: there is none before it
};

struct SweepPlan {
    std::vector<PlannedCell> cells;  // in the order of Sweep::cells
    // Cells to be carried out, one for each of those that are the same: the ends of every axis first, then what halves
    // the widest gaps.
    std::vector<std::size_t> order;
    std::size_t refused = 0, repeated = 0;
    std::int64_t evaluations = 0;  // network rows, images counted; before rows are shared
    double seconds = 0;            // estimate, one run after the other; 0: nothing was measured yet
    std::size_t recordBytes = 0;   // estimate of what the project will hold
    std::size_t bytes = 0;         // of device memory, of the largest cell
};

// `parent`, `start`, `source`: as for plan(). The error is about the axes; what the plan of a cell refuses stands in
// the cell.
Result<SweepPlan> planSweep(const Sweep& sweep, const Run* parent = nullptr, const Run* start = nullptr,
                            const Run* source = nullptr);

// Gives cells their runs' ids and sentences, and what is to be submitted, in order. Numbers begin at `firstNumber`, in
// the order of the grid.
std::vector<Submission> submissionsOf(Sweep& sweep, const SweepPlan& plan, std::shared_ptr<const Run> parent,
                                      int firstNumber);
// One cell, as another of its runs: retried, or not yet carried out.
Submission submissionOf(const Sweep& sweep, Plan plan, std::shared_ptr<const Run> parent, int number);

}  // namespace meander
