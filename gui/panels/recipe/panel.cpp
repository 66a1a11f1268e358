#include "gui/panels/panel.h"
#include "gui/panels/recipe/recipe_panel.h"

namespace meander::gui::panel {

PanelInfo recipe();
PanelInfo recipe() {
    return {.id = "recipe",
            .title = RecipePanel::tr("Recipe"),
            .area = PanelArea::Left,
            .tabGroup = "recipe",
            .share = 0.69,
            .isInFront = true,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new RecipePanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
