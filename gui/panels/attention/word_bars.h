// "What made this pixel": the words of the prompt ranked by how much more of their attention lies at the chosen place than elsewhere.
#pragma once
#include <QWidget>

#include "gui/bridge/latest.h"
#include "gui/panels/attention/attention_query.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

class WordBars : public QWidget {
    Q_OBJECT
public:
    WordBars(Document& document, SelectionModel& selection, bool isCard, QWidget* parent = nullptr);
    const std::vector<WordShare>& shares() const { return m_shares; }
    bool isAnswering() const { return m_isAnswering; }  // a pixel is chosen and attention was recorded
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {170, m_isCard ? 96 : sizeHint().height()}; }

public slots:
    void refresh();

signals:
    void changed();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    double rowTop(int row) const;

    Document& m_document;
    SelectionModel& m_selection;
    bool m_isCard, m_isAnswering = false;
    std::vector<WordShare> m_shares;
    std::vector<int> m_words;  // Token::word of each share
    QString m_caption;
    Latest<std::vector<WordShare>> m_work;
};

}  // namespace meander::gui
