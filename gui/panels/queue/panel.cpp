#include "gui/panels/panel.h"
#include "gui/panels/queue/queue_panel.h"

namespace meander::gui::panel {

PanelInfo queue();
PanelInfo queue() {
    return {.id = "queue",
            .title = QueuePanel::tr("Queue"),
            .area = PanelArea::Bottom,
            .tabGroup = "analysis",
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new QueuePanel(c.document, parent);
            }};
}

}  // namespace meander::gui::panel
