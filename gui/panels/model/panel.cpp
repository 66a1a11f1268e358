#include "gui/panels/panel.h"
#include "gui/panels/model/model_panel.h"

namespace meander::gui::panel {

PanelInfo model();
PanelInfo model() {
    return {.id = "model",
            .title = ModelPanel::tr("Model"),
            .area = PanelArea::Left,
            .tabGroup = "recipe",
            .isShownAtFirst = false,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new ModelPanel(c.document, parent);
            }};
}

}  // namespace meander::gui::panel
