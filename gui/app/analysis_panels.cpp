#include "gui/app/analysis_panels.h"

#include "gui/panels/attention/attention_panel.h"
#include "gui/panels/attention/token_bar.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/compare/compare_table.h"
#include "gui/panels/diagnostics/step_panel.h"
#include "gui/panels/lab/lab_panel.h"
#include "gui/panels/timeline/timeline_panel.h"
#include "gui/panels/trajectory/trajectory_panel.h"

namespace meander::gui {

QWidget* makeCanvas(Document& d, SelectionModel& s, QWidget* parent) { return new CanvasPanel(d, s, parent); }
QWidget* makeTokenBar(Document& d, SelectionModel& s, QWidget* parent) { return new TokenBar(d, s, parent); }
QWidget* makeTimeline(Document& d, SelectionModel& s, QWidget* parent) { return new TimelinePanel(d, s, parent); }
QWidget* makeTrajectory(Document& d, SelectionModel& s, QWidget* parent) { return new TrajectoryPanel(d, s, parent); }
QWidget* makeCompareTable(Document& d, SelectionModel& s, QWidget* parent) { return new CompareTable(d, s, parent); }
QWidget* makeAttention(Document& d, SelectionModel& s, QWidget* parent) { return new AttentionPanel(d, s, parent); }
QWidget* makeStepCards(Document& d, SelectionModel& s, QWidget* parent) { return new StepPanel(d, s, parent); }
QWidget* makeLab(Document& d, QWidget* parent) { return new LabPanel(d, parent); }

}  // namespace meander::gui
