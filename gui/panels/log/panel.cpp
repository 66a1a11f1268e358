#include "gui/panels/panel.h"
#include "gui/panels/log/log_panel.h"

namespace meander::gui::panel {

PanelInfo log();
PanelInfo log() {
    return {
        .id = "log",
        .title = LogPanel::tr("Log"),
        .area = PanelArea::Bottom,
        .tabGroup = "analysis",
        .create = [](const PanelContext&, QWidget* parent) -> QWidget* { return new LogPanel(programLog(), parent); }};
}

}  // namespace meander::gui::panel
