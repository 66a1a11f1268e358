#include "gui/widgets/search_button.h"

#include <QPainter>

#include "gui/look/icons.h"
#include "gui/look/style_sheet.h"
#include "gui/look/theme.h"

namespace meander::gui {

SearchButton::SearchButton(const QString& text, const QString& keys, QWidget* parent)
    : QAbstractButton(parent), m_keys(keys) {
    setText(text);
    setAccessibleName(text);
    setFocusPolicy(Qt::TabFocus);
    setCursor(Qt::IBeamCursor);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setMaximumWidth(330);
}

QSize SearchButton::sizeHint() const { return {320, fontMetrics().height() + 13}; }
QSize SearchButton::minimumSizeHint() const { return {120, sizeHint().height()}; }

void SearchButton::paintEvent(QPaintEvent*) {
    const Theme& t = theme();
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(QPen(hasFocus() ? t.accent : underMouse() ? mixed(t.line, t.text, 0.22) : t.line, 1));
    p.setBrush(t.raised);
    p.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    p.drawPixmap(9, (height() - 14) / 2, iconPixmap("search", 14, t.dim, devicePixelRatioF()));
    const QRect inner = rect().adjusted(30, 0, -10, 0);
    p.setFont(interfaceFont(8.8));
    p.setPen(t.dim);
    const int keyWidth = p.fontMetrics().horizontalAdvance(m_keys);
    if (inner.width() > keyWidth + 90) p.drawText(inner, Qt::AlignRight | Qt::AlignVCenter, m_keys);
    p.setFont(interfaceFont());
    p.setPen(t.muted);
    p.drawText(inner, Qt::AlignLeft | Qt::AlignVCenter,
               p.fontMetrics().elidedText(text(), Qt::ElideRight,
                                          inner.width() - (inner.width() > keyWidth + 90 ? keyWidth + 8 : 0)));
}

void SearchButton::enterEvent(QEnterEvent*) { update(); }
void SearchButton::leaveEvent(QEvent*) { update(); }

}  // namespace meander::gui
