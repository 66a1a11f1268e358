#include "gui/widgets/tool_menu.h"

#include <QActionGroup>

#include "gui/look/icons.h"
#include "gui/widgets/small_button.h"

namespace meander::gui {

QToolButton* menuButton(const QString& text, const QString& tooltip, QMenu* menu, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setText(text);
    b->setIcon(icon("chevron-down", IconTone::Muted));
    b->setIconSize({12, 12});
    b->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    b->setLayoutDirection(Qt::RightToLeft);  // the arrow behind the word
    b->setFocusPolicy(Qt::TabFocus);
    b->setToolTip(tooltip);
    b->setAccessibleName(text);
    b->setMenu(menu);
    b->setPopupMode(QToolButton::InstantPopup);
    menu->setLayoutDirection(Qt::LeftToRight);
    return b;
}

QToolButton* menuIcon(const QString& iconName, const QString& tooltip, QMenu* menu, QWidget* parent) {
    QToolButton* b = smallButton(iconName, tooltip, parent);
    b->setCheckable(true);
    b->setMenu(menu);
    b->setPopupMode(QToolButton::InstantPopup);
    return b;
}

void clearMenu(QMenu* menu) {
    qDeleteAll(menu->findChildren<QMenu*>(QString(), Qt::FindDirectChildrenOnly));
    qDeleteAll(menu->findChildren<QActionGroup*>(QString(), Qt::FindDirectChildrenOnly));
    menu->clear();
    menu->setToolTipsVisible(true);
}

QToolButton* toggleIcon(const QString& iconName, const QString& tooltip, QWidget* parent) {
    QToolButton* b = smallButton(iconName, tooltip, parent);
    b->setCheckable(true);
    return b;
}

}  // namespace meander::gui
