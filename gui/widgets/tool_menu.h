// Small tool buttons of an editor's bar: a word or an icon that opens a menu, an icon that stays down.
#pragma once
#include <QMenu>
#include <QToolButton>

namespace meander::gui {

QToolButton* menuButton(const QString& text, const QString& tooltip, QMenu* menu, QWidget* parent);
QToolButton* menuIcon(const QString& iconName, const QString& tooltip, QMenu* menu, QWidget* parent);
// Without the actions and submenus that it had, so that it can be filled anew.
void clearMenu(QMenu* menu);
QToolButton* toggleIcon(const QString& iconName, const QString& tooltip, QWidget* parent);

}  // namespace meander::gui
