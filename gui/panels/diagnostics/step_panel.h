// The step under the cursor in numbers: cards of the diagnostics that say most about it, each with its curve over the
// run.
#pragma once
#include <QElapsedTimer>
#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>
#include <QWidget>

#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/panels/diagnostics/diagnostic_card.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

class StepPanel : public QWidget {
    Q_OBJECT
public:
    StepPanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    std::vector<DiagnosticCard*> cards() const { return m_cards; }

protected:
    void changeEvent(QEvent* e) override;

private:
    void refresh();  // another run or more steps: compute off the GUI thread
    void show(const std::vector<Diagnostic>& all);
    void offerWholeRun();  // what the error of reuse is measured against, where it is missing
    void follow();         // the cursor moved
    RunPtr run() const;
    // A step of the schedule ↔ an index of the diagnostic's values.
    int stepAtCursor() const;  // −1: the finished image
    void select(const Diagnostic& d, int snapPoint, bool lock);

    Document& m_document;
    SelectionModel& m_selection;
    QLabel* m_empty;
    QPushButton* m_offer;
    QWidget* m_area;
    QVBoxLayout* m_list;
    std::vector<DiagnosticCard*> m_cards;
    Latest<std::vector<Diagnostic>> m_work;
    QTimer m_soon;
    QElapsedTimer m_asked;
};

}  // namespace meander::gui
