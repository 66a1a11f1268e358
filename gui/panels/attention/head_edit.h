// What the chosen head does in the draft: mute it, hear it alone, or scale it. Each is a rule of the recipe's list and
// one step of undo.
#pragma once
#include <QLabel>
#include <QSlider>
#include <QToolButton>
#include <QWidget>

#include "gui/document/document.h"
#include "gui/document/intervention_drafts.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

class HeadEdit : public QWidget {
    Q_OBJECT
public:
    HeadEdit(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    QToolButton& mute() { return *m_mute; }
    QToolButton& solo() { return *m_solo; }
    QSlider& slider() { return *m_slider; }
    QString text() const { return m_value->text(); }
    // Factor on the output of a head of the shown run in the draft, alone and as one of the others of its layer.
    double scaleAt(int site, int head) const;

public slots:
    // Of a head of the shown run: mutes it in the draft, or takes that back; the same for all others of its layer.
    void toggleMute(int site, int head);
    void toggleSolo(int site, int head);

signals:
    void changed();  // what the draft does to heads, or which run is shown

private:
    // Nothing where the draft has another model than the run.
    std::optional<HeadPlace> placeOf(int site, int head, bool isOthers) const;
    std::optional<HeadPlace> chosen(bool isOthers) const;
    void toggle(std::optional<HeadPlace> place);
    void scaleTo(int percent);
    void refresh();

    Document& m_document;
    SelectionModel& m_selection;
    QToolButton *m_mute, *m_solo;
    QSlider* m_slider;
    QLabel* m_value;
};

}  // namespace meander::gui
