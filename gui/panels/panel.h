// What the window knows of a panel. A panel describes itself in panel.cpp of its own folder, and one line of list.inl
// adds it: dock, tabs, Window menu, palette, F6 and the version of stored layouts follow.
#pragma once
#include <QString>
#include <QWidget>
#include <vector>

#include "gui/document/document.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

struct PanelContext {
    Document& document;
    SelectionModel& selection;
};

enum class PanelArea { Centre, Left, Right, Bottom };

struct PanelInfo {
    QString id;     // stable; of layouts and commands
    QString title;  // sentence case
    PanelArea area = PanelArea::Bottom;
    QString tabGroup = {};       // panels with the same one share a place as tabs; empty: a place of its own
    double share = 0;            // of the height of a side area that its place gets at first
    bool isShownAtFirst = true;  // else opened by its command
    bool isInFront = false;      // of its tab group at first
    QWidget* (*create)(const PanelContext& context, QWidget* parent) = nullptr;
    // Controls of the panel that stand in the head of its dock.
    QWidget* (*takeTitleControls)(QWidget* panel) = nullptr;
};

// In the order of places within an area, of menus and of F6.
const std::vector<PanelInfo>& panels();

// Of stored layouts: another one whenever a panel, its area or its tab group is another.
int layoutVersionOf(const std::vector<PanelInfo>& panels);

}  // namespace meander::gui
