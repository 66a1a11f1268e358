// One sentence above the canvas and what can be done about it; goes with the first answer.
#pragma once
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <functional>

namespace meander::gui {

class HintBar : public QFrame {
    Q_OBJECT
public:
    struct Answer {
        QString text, tooltip;
        std::function<void()> act;
    };
    explicit HintBar(QWidget* parent = nullptr)
        : QFrame(parent), m_text(new QLabel(this)), m_box(new QHBoxLayout(this)) {
        setProperty("card", "accent");
        setObjectName("hint");
        m_text->setWordWrap(true);
        m_box->setContentsMargins(14, 7, 8, 7);
        m_box->addWidget(m_text, 1);
        hide();
    }
    void say(const QString& sentence, const QList<Answer>& answers) {
        m_text->setText(sentence);
        while (m_box->count() > 1) {
            QLayoutItem* item = m_box->takeAt(1);
            item->widget()->deleteLater();
            delete item;
        }
        for (const Answer& a : answers) {
            auto* b = new QToolButton(this);
            b->setText(fontMetrics().elidedText(a.text, Qt::ElideMiddle, 160));
            b->setToolTip(a.tooltip);
            connect(b, &QToolButton::clicked, this, [this, act = a.act] {
                hide();
                act();
            });
            m_box->addWidget(b);
        }
        show();
    }

private:
    QLabel* m_text;
    QHBoxLayout* m_box;
};

}  // namespace meander::gui
