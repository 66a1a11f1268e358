#include "gui/widgets/tab_order.h"

#include <QEvent>
#include <QLayout>

namespace meander::gui {
namespace {

void collect(QLayout* layout, QList<QWidget*>& stops) {
    for (int i = 0; layout && i < layout->count(); ++i) {
        QLayoutItem* item = layout->itemAt(i);
        if (QWidget* w = item->widget()) {
            if (w->focusPolicy() & Qt::TabFocus) stops.append(w);
            collect(w->layout(), stops);
        } else {
            collect(item->layout(), stops);
        }
    }
}

}  // namespace

LayoutTabOrder::LayoutTabOrder(QWidget* content) : QObject(content), m_content(content) {
    content->installEventFilter(this);
}

// Whatever row appears or goes asks for a new layout of all.
bool LayoutTabOrder::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::LayoutRequest && !m_isDue) {
        m_isDue = true;
        QMetaObject::invokeMethod(
            this, [this] { apply(); }, Qt::QueuedConnection);
    }
    return QObject::eventFilter(watched, event);
}

void LayoutTabOrder::apply() {
    m_isDue = false;
    QList<QWidget*> stops;
    collect(m_content->layout(), stops);
    for (qsizetype i = 1; i < stops.size(); ++i) QWidget::setTabOrder(stops[i - 1], stops[i]);
}

}  // namespace meander::gui
