#include "gui/panels/panel.h"
#include "gui/panels/sweep/sweep_panel.h"

namespace meander::gui::panel {

PanelInfo sweep();
PanelInfo sweep() {
    return {.id = "sweep",
            .title = SweepPanel::tr("Sweep"),
            .area = PanelArea::Bottom,
            .tabGroup = "analysis",
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new SweepPanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
