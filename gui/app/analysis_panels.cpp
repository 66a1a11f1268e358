#include "gui/app/analysis_panels.h"

#include <QLabel>
#include <QVBoxLayout>

#if __has_include("gui/panels/canvas/canvas_panel.h")
#include "gui/panels/canvas/canvas_panel.h"
#define HAS_CANVAS
#endif
#if __has_include("gui/panels/timeline/timeline_panel.h")
#include "gui/panels/timeline/timeline_panel.h"
#define HAS_TIMELINE
#endif
#if __has_include("gui/panels/trajectory/trajectory_panel.h")
#include "gui/panels/trajectory/trajectory_panel.h"
#define HAS_TRAJECTORY
#endif
#if __has_include("gui/panels/attention/token_bar.h")
#include "gui/panels/attention/token_bar.h"
#define HAS_TOKENS
#endif
#if __has_include("gui/panels/attention/attention_panel.h")
#include "gui/panels/attention/attention_panel.h"
#define HAS_ATTENTION
#endif
#if __has_include("gui/panels/diagnostics/step_panel.h")
#include "gui/panels/diagnostics/step_panel.h"
#define HAS_STEP
#endif

namespace meander::gui {

[[maybe_unused]] static QWidget* placeholder(const QString& text, QWidget* parent) {
    auto* w = new QWidget(parent);
    w->setProperty("canvas", true);
    auto* l = new QLabel(text, w);
    l->setProperty("dim", true);
    l->setAlignment(Qt::AlignCenter);
    (new QVBoxLayout(w))->addWidget(l);
    return w;
}

QWidget* makeCanvas([[maybe_unused]] Document& d, [[maybe_unused]] SelectionModel& s, QWidget* parent) {
#ifdef HAS_CANVAS
    return new CanvasPanel(d, s, parent);
#else
    return placeholder("canvas", parent);
#endif
}
QWidget* makeTokenBar([[maybe_unused]] Document& d, [[maybe_unused]] SelectionModel& s, QWidget* parent) {
#ifdef HAS_TOKENS
    return new TokenBar(d, s, parent);
#else
    return placeholder("words", parent);
#endif
}
QWidget* makeTimeline([[maybe_unused]] Document& d, [[maybe_unused]] SelectionModel& s, QWidget* parent) {
#ifdef HAS_TIMELINE
    return new TimelinePanel(d, s, parent);
#else
    return placeholder("timeline", parent);
#endif
}
QWidget* makeTrajectory([[maybe_unused]] Document& d, [[maybe_unused]] SelectionModel& s, QWidget* parent) {
#ifdef HAS_TRAJECTORY
    return new TrajectoryPanel(d, s, parent);
#else
    return placeholder("trajectory", parent);
#endif
}
QWidget* makeAttention([[maybe_unused]] Document& d, [[maybe_unused]] SelectionModel& s, QWidget* parent) {
#ifdef HAS_ATTENTION
    return new AttentionPanel(d, s, parent);
#else
    return placeholder("attention", parent);
#endif
}
QWidget* makeStepCards([[maybe_unused]] Document& d, [[maybe_unused]] SelectionModel& s, QWidget* parent) {
#ifdef HAS_STEP
    return new StepPanel(d, s, parent);
#else
    return placeholder("step", parent);
#endif
}

}  // namespace meander::gui
