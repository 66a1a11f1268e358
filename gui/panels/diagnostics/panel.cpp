#include "gui/panels/panel.h"
#include "gui/panels/diagnostics/step_panel.h"

namespace meander::gui::panel {

PanelInfo step();
PanelInfo step() {
    return {.id = "step",
            .title = StepPanel::tr("Step"),
            .area = PanelArea::Right,
            .share = 0.47,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new StepPanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
