// Painted widgets show their focus ring to those who move with the keyboard, as the style's own controls do.
#pragma once
#include <QWidget>

namespace meander::gui {

inline bool hasKeyboardFocus(const QWidget* w) {
    return w->hasFocus() && w->window()->testAttribute(Qt::WA_KeyboardFocusChange);
}

}  // namespace meander::gui
