// The words of the prompt as chips; a click shows where a word looked, Ctrl adds words. The caption says how the shown
// map was made. The menu of a chip scales the attention to its word in the draft.
#pragma once
#include <QToolButton>
#include <QWidget>

#include "gui/document/document.h"
#include "gui/document/intervention_drafts.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class TokenBar : public QWidget {
    Q_OBJECT
public:
    TokenBar(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    int chipCount() const { return int(m_chips.size()); }
    QRectF chipRect(int chip) const { return m_layout.chips[std::size_t(chip)]; }
    QString caption() const { return m_caption; }
    int heightForWidth(int width) const override;
    bool hasHeightForWidth() const override { return true; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {120, 36}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    bool event(QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Chip {
        QString text, pieces;
        int word = -1;  // −1: a special token, for information only
    };
    void rebuild();
    void refreshCaption();
    // Where everything stands at a width; the chips wrap, the caption takes the rest of the last row or one of its own.
    struct Layout {
        std::vector<QRectF> chips;
        QRectF caption, share, special;
        int height = 0;
    };
    Layout layoutFor(int width) const;
    void arrange();
    std::optional<int> chipAt(QPointF at) const;
    WordPlace placeOf(int chip) const;
    void scaleWord(const WordPlace& place);

    Document& m_document;
    SelectionModel& m_selection;
    std::vector<Chip> m_chips;
    std::optional<int> m_hovered;
    int m_focused = 0;
    bool m_hasMaps = false;
    QString m_caption;
    Layout m_layout;
    QToolButton* m_special;
    ChoiceField* m_share;
};

}  // namespace meander::gui
