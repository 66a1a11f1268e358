// "What made this pixel", a card on the canvas: the words of the prompt ranked by how much more of their attention lies
// at the chosen place than elsewhere. It is there for every run with recorded attention, asked or not, so that asking
// moves nothing.
#pragma once
#include <QWidget>

#include "gui/bridge/latest.h"
#include "gui/selection/attention_query.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

class WordBars : public QWidget {
    Q_OBJECT
public:
    WordBars(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    const std::vector<WordShare>& shares() const { return m_shares; }
    bool isOffered() const { return m_isOffered; }  // attention was recorded: a pixel can be asked
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {170, 96}; }

public slots:
    void refresh();

signals:
    void changed();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    double rowTop(int row) const;
    QString hint() const;  // under the head

    Document& m_document;
    SelectionModel& m_selection;
    bool m_isOffered = false, m_isAnswering = false;
    // The words of one query, named by the prompt that was queried: another run may be shown when it arrives.
    struct Answer {
        std::vector<WordShare> shares;
        std::vector<int> words;  // Token::word of each share
        QStringList names;
    };
    std::vector<WordShare> m_shares;
    std::vector<int> m_words;
    QStringList m_names;
    Latest<Answer> m_work;
};

}  // namespace meander::gui
