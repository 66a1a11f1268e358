#include "gui/panels/panel.h"
#include "gui/panels/runs/runs_panel.h"

namespace meander::gui::panel {

PanelInfo runs();
PanelInfo runs() {
    return {.id = "runs",
            .title = RunsPanel::tr("Runs"),
            .area = PanelArea::Left,
            .share = 0.31,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new RunsPanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
