// Whether a panel is the one in front of its tabs: one behind another still counts as visible in Qt.
#pragma once
#include <QDockWidget>
#include <functional>

namespace meander::gui {

// `change` is called when the panel comes to the front or goes behind. To be called once the panel has its dock.
inline void followFront(QWidget* panel, std::function<void(bool)> change) {
    for (QWidget* p = panel->parentWidget(); p; p = p->parentWidget())
        if (auto* dock = qobject_cast<QDockWidget*>(p)) {
            QObject::connect(dock, &QDockWidget::visibilityChanged, panel, std::move(change));
            return;
        }
}

}  // namespace meander::gui
