#include "gui/panels/panel.h"
#include "gui/panels/attention/attention_panel.h"
#include "gui/panels/attention/token_bar.h"

namespace meander::gui::panel {

PanelInfo tokens();
PanelInfo tokens() {
    return {.id = "tokens",
            .title = TokenBar::tr("Prompt"),
            .area = PanelArea::Centre,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new TokenBar(c.document, c.selection, parent);
            }};
}

PanelInfo attention();
PanelInfo attention() {
    return {.id = "attention",
            .title = AttentionPanel::tr("Attention"),
            .area = PanelArea::Right,
            .share = 0.53,
            .create = [](const PanelContext& c, QWidget* parent) -> QWidget* {
                return new AttentionPanel(c.document, c.selection, parent);
            }};
}

}  // namespace meander::gui::panel
