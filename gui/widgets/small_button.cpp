#include "gui/widgets/small_button.h"

#include <QHBoxLayout>

#include "gui/look/icons.h"

namespace meander::gui {

QToolButton* smallButton(const QString& iconName, const QString& tooltip, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setIcon(icon(iconName, IconTone::Muted));
    b->setIconSize({16, 16});
    b->setProperty("flat", true);
    b->setFocusPolicy(Qt::TabFocus);
    b->setToolTip(tooltip);
    b->setAccessibleName(tooltip);
    return b;
}

QWidget* fieldWithButton(QWidget* field, QToolButton* button) {
    auto* both = new QWidget;
    auto* box = new QHBoxLayout(both);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(4);
    box->addWidget(field, 1);
    box->addWidget(button);
    both->setFocusProxy(field);
    return both;
}

}  // namespace meander::gui
