#include "gui/panels/panel.h"
#include "gui/panels/canvas/canvas_panel.h"

namespace meander::gui::panel {

PanelInfo canvas();
PanelInfo canvas() {
    return {.id = "canvas",
            .title = CanvasPanel::tr("Canvas"),
            .area = PanelArea::Centre,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new CanvasPanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
