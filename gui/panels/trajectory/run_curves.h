// What the trajectory panel draws of one run, computed off the GUI thread from its record: the projected path and the
// diagnostics per step.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/analysis/diagnostics.h"
#include "engine/analysis/projection.h"

namespace meander::gui {

struct RunCurves {
    std::string id;
    std::shared_ptr<const Run> run;
    std::vector<ProjectedPoint> path;  // frames 0 .. steps: along its own chord, in lengths of the first one's, and
                                       // across it in components of all runs
    std::vector<Diagnostic> diagnostics;
};

struct PanelCurves {
    std::vector<RunCurves> runs;  // the current run first
    std::string caption;          // shares and scale of the projection
    double chordLength = 0;
    std::array<double, 3> shares{};
};

PanelCurves curvesOf(const std::vector<std::shared_ptr<const Run>>& runs, int image);

}  // namespace meander::gui
