// The one style sheet of the program, written with the tokens of the theme.
#pragma once
#include <QString>

#include "gui/look/theme.h"

namespace meander::gui {

QString styleSheet(const Theme& t);
// `amount` of `over` on `under`, opaque.
QColor mixed(const QColor& under, const QColor& over, double amount);

}  // namespace meander::gui
