#include "gui/widgets/front_panel.h"

#include <QDockWidget>
#include <QVBoxLayout>

namespace meander::gui {

FrontPanel::FrontPanel(QWidget* parent) : QWidget(parent), m_body(new QWidget(this)) {
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(m_body);
    m_body->hide();
}

void FrontPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_isFollowed) return;
    m_isFollowed = true;
    for (QWidget* p = parentWidget(); p; p = p->parentWidget())
        if (auto* dock = qobject_cast<QDockWidget*>(p)) {
            connect(dock, &QDockWidget::visibilityChanged, this, &FrontPanel::setInFront);
            break;
        }
    // Tabs are not arranged yet.
    QMetaObject::invokeMethod(
        this, [this] { setInFront(!visibleRegion().isEmpty()); }, Qt::QueuedConnection);
}

void FrontPanel::setInFront(bool isInFront) {
    m_isInFront = isInFront;
    if (isInFront) m_body->show();
    updateGeometry();
    frontChanged();
}

}  // namespace meander::gui
