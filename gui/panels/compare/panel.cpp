#include "gui/panels/panel.h"
#include "gui/panels/compare/compare_table.h"

namespace meander::gui::panel {

PanelInfo compare();
PanelInfo compare() {
    return {.id = "compare",
            .title = CompareTable::tr("Compare"),
            .area = PanelArea::Bottom,
            .tabGroup = "analysis",
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new CompareTable(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
