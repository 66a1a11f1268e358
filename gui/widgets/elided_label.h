// A line of text that gives way: what does not fit ends in an ellipsis, and the tool tip has all of it.
#pragma once
#include <QEvent>
#include <QLabel>
#include <QPainter>
#include <QStyle>

namespace meander::gui {

class ElidedLabel : public QLabel {
    Q_OBJECT
public:
    explicit ElidedLabel(QWidget* parent = nullptr, Qt::TextElideMode mode = Qt::ElideRight)
        : QLabel(parent), m_mode(mode) {
        setTextFormat(Qt::PlainText);
        setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    }
    QString shownText() const { return fontMetrics().elidedText(text(), m_mode, contentsRect().width()); }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter p(this);
        style()->drawItemText(&p, contentsRect(), int(alignment()), palette(), isEnabled(), shownText(),
                              foregroundRole());
    }
    bool event(QEvent* event) override {
        if (event->type() == QEvent::ToolTip && toolTip().isEmpty() && shownText() != text()) {
            setToolTip(text());
            const bool result = QLabel::event(event);
            setToolTip({});
            return result;
        }
        return QLabel::event(event);
    }

private:
    Qt::TextElideMode m_mode;
};

}  // namespace meander::gui
