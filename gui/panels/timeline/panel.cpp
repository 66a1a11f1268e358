#include "gui/panels/panel.h"
#include "gui/panels/timeline/timeline_panel.h"

namespace meander::gui::panel {

PanelInfo timeline();
PanelInfo timeline() {
    return {.id = "timeline",
            .title = TimelinePanel::tr("Timeline"),
            .area = PanelArea::Bottom,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new TimelinePanel(c.document, c.selection, parent);
            },
            .takeTitleControls = [](QWidget* panel) -> QWidget* {
                return static_cast<TimelinePanel*>(panel)->takeControls();
            }};
}

}  // namespace meander::gui::panel
