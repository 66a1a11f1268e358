// A flat button with an icon only, whose tool tip is its name; and a field with such a button at its end.
#pragma once
#include <QToolButton>

namespace meander::gui {

QToolButton* smallButton(const QString& iconName, const QString& tooltip, QWidget* parent = nullptr);
QWidget* fieldWithButton(QWidget* field, QToolButton* button);

}  // namespace meander::gui
