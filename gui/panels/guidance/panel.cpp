#include "gui/panels/panel.h"
#include "gui/panels/guidance/guidance_panel.h"

namespace meander::gui::panel {

PanelInfo guidance();
PanelInfo guidance() {
    return {.id = "guidance",
            .title = GuidancePanel::tr("Guidance"),
            .area = PanelArea::Bottom,
            .tabGroup = "analysis",
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new GuidancePanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
