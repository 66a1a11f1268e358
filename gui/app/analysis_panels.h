// The panels that look into a run, made here so that the main window knows only widgets.
#pragma once
#include <QWidget>

#include "gui/document/document.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

QWidget* makeCanvas(Document& document, SelectionModel& selection, QWidget* parent);
QWidget* makeTokenBar(Document& document, SelectionModel& selection, QWidget* parent);
QWidget* makeTimeline(Document& document, SelectionModel& selection, QWidget* parent);
QWidget* makeTrajectory(Document& document, SelectionModel& selection, QWidget* parent);
QWidget* makeCompareTable(Document& document, SelectionModel& selection, QWidget* parent);
QWidget* makeAttention(Document& document, SelectionModel& selection, QWidget* parent);
QWidget* makeStepCards(Document& document, SelectionModel& selection, QWidget* parent);
QWidget* makeLab(Document& document, QWidget* parent);  // slots: showConvergence, showStability

}  // namespace meander::gui
