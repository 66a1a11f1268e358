// Where a run stands on the step axes, and which of its steps belongs to the cursor of another run (nearest log-SNR).
// Pure functions.
#pragma once
#include <QString>
#include <optional>
#include <utility>
#include <vector>

#include "engine/run/trajectory.h"
#include "gui/document/document.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

// Where the step cursor can stand in a run: at the first evaluation of each step, then at the finished image.
struct StepStop {
    int step = 0;
    int evaluation = -1;  // −1: the finished image
};
std::vector<StepStop> stepStopsOf(const Run& run);
// Index of the stop that shows an evaluation; the last one for −1 or one past the record, 0 without stops.
int stopIndexOf(const std::vector<StepStop>& stops, int evaluation);
// Index of the stop of a step, the nearest one before it where the step has none; 0 without stops.
int stopIndexOfStep(const std::vector<StepStop>& stops, int step);

struct LinkedStep {
    int evaluation = -1;
    double distance = 0;    // in log SNR; 0 in the same run
    bool isLinked = false;  // true when it was found by the level of another run
};
LinkedStep linkedStep(const Run& run, const StepCursor& cursor);

// The steps of a run that a brushed range means: its own, or those of another run whose log-SNR lies in it (the nearest
// one when none does).
std::optional<std::pair<int, int>> stepsIn(const Run& run, const StepRange& range);
// "steps 3–7", "step 4"
QString rangeText(int first, int last);

// Intervals of the levels that the run visits; those of its recipe before it starts. At least 1.
int stepCount(const Run& run);

double axisValue(const Run& run, const StepStop& stop, StepAxis axis);
// Of all stops of a run, in one pass.
std::vector<double> axisValues(const Run& run, const std::vector<StepStop>& stops, StepAxis axis);
QString axisName(StepAxis axis);  // with the unit
bool isLogAxis(StepAxis axis);

// The record of a run, running ones included; asks the document to load it when it is not in memory.
RunPtr recordOf(Document& document, const QString& id);
// What all views show: hover, else the newest evaluation of a running run that is followed, else the locked step, else
// the end.
StepCursor shownCursor(const Document& document, const SelectionModel& selection);
// At an evaluation of the run; at its end for −1 or an evaluation that the record does not hold.
StepCursor cursorFor(const Run& run, int evaluation);
int runStyleIndex(const Document& document, const Run& run);
QString endText(const Run& run);                   // "finished image", "stopped after step 12"
QString stepText(const Run& run, int evaluation);  // "step 7 of 20", "finished image"

}  // namespace meander::gui
