#include "gui/panels/panel.h"
#include "gui/panels/trajectory/trajectory_panel.h"

namespace meander::gui::panel {

PanelInfo trajectory();
PanelInfo trajectory() {
    return {.id = "trajectory",
            .title = TrajectoryPanel::tr("Trajectory"),
            .area = PanelArea::Bottom,
            .tabGroup = "analysis",
            .isInFront = true,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new TrajectoryPanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
