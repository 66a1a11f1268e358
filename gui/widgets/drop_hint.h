// While files are held over the window: a frame around it that says what letting go will do.
#pragma once
#include <QLabel>
#include <QPainter>
#include <QTimer>

#include "gui/look/theme.h"

namespace meander::gui {

class DropHint : public QWidget {
    Q_OBJECT
public:
    explicit DropHint(QWidget* window) : QWidget(window) {
        setAttribute(Qt::WA_TransparentForMouseEvents);
        setFocusPolicy(Qt::NoFocus);
        hide();
        m_hide.setSingleShot(true);
        m_hide.setInterval(150);  // between two widgets the files leave one and enter the next
        connect(&m_hide, &QTimer::timeout, this, &QWidget::hide);
    }
    void say(const QString& sentence) {
        m_hide.stop();
        m_sentence = sentence;
        setGeometry(parentWidget()->rect());
        raise();
        show();
        update();
    }
    void leave() { m_hide.start(); }
    QString sentence() const { return isVisible() ? m_sentence : QString(); }

protected:
    void paintEvent(QPaintEvent*) override {
        const Theme& t = theme();
        QPainter p(this);
        p.setRenderHint(QPainter::Antialiasing);
        QColor veil = t.background;
        veil.setAlphaF(0.55f);
        p.fillRect(rect(), veil);
        p.setBrush(Qt::NoBrush);
        p.setPen(QPen(t.accent, 2, Qt::DashLine));
        p.drawRoundedRect(QRectF(rect()).adjusted(6, 6, -6, -6), 8, 8);
        p.setFont(interfaceFont(0, true));
        const QFontMetricsF fm(p.font());
        QRectF box(0, 0, fm.horizontalAdvance(m_sentence) + 40, fm.height() + 24);
        box.moveCenter(QRectF(rect()).center());
        p.setPen(QPen(t.accent, 1));
        p.setBrush(t.raised);
        p.drawRoundedRect(box, 6, 6);
        p.setPen(t.text);
        p.drawText(box, Qt::AlignCenter, m_sentence);
    }

private:
    QString m_sentence;
    QTimer m_hide;
};

}  // namespace meander::gui
