#include "gui/panels/panel.h"
#include "gui/panels/lab/lab_panel.h"

namespace meander::gui::panel {

PanelInfo lab();
PanelInfo lab() {
    return {
        .id = "lab",
        .title = LabPanel::tr("Lab"),
        .area = PanelArea::Bottom,
        .tabGroup = "analysis",
        .create = [](const PanelContext& c, QWidget* parent) -> QWidget* { return new LabPanel(c.document, parent); }};
}

}  // namespace meander::gui::panel
