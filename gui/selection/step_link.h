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

// A frame of a film strip: one per step (its first evaluation), then the finished image.
struct Frame {
    int step = 0;
    int evaluation = -1;  // −1: the finished image
};
std::vector<Frame> framesOf(const Run& run);
// The frame that shows an evaluation; the last one for −1 or one past the record.
int frameAt(const std::vector<Frame>& frames, int evaluation);

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

double axisValue(const Run& run, const Frame& frame, StepAxis axis);
// Of all frames of a run, in one pass.
std::vector<double> axisValues(const Run& run, const std::vector<Frame>& frames, StepAxis axis);
QString axisName(StepAxis axis);  // with the unit
bool isLogAxis(StepAxis axis);

// The record of a run, running ones included; asks the document to load it when it is not in memory.
RunPtr recordOf(Document& document, const QString& id);
// What all views show: hover, else the newest evaluation of a running run that is followed, else the locked step, else
// the end.
StepCursor shownCursor(const Document& document, const SelectionModel& selection);
// Of a frame, or of any evaluation put into one.
StepCursor cursorFor(const Run& run, const Frame& frame);
int runStyleIndex(const Document& document, const Run& run);
// "step 7 of 20", "finished image"
QString endText(const Run& run);  // "finished image", "stopped after step 12"
QString stepText(const Run& run, int evaluation);

}  // namespace meander::gui
