#include "gui/panels/panel.h"
#include "gui/panels/schedule/schedule_panel.h"

namespace meander::gui::panel {

PanelInfo schedule();
PanelInfo schedule() {
    return {.id = "schedule",
            .title = SchedulePanel::tr("Schedule"),
            .area = PanelArea::Bottom,
            .tabGroup = "analysis",
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new SchedulePanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
