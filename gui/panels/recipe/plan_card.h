// "Before you run": what the draft will cost, and what is wrong or remarkable about it.
#pragma once
#include <QFrame>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

#include "gui/document/document.h"

namespace meander::gui {

class PlanCard : public QFrame {
    Q_OBJECT
public:
    explicit PlanCard(QWidget* parent = nullptr);
    void show(const Result<Plan>& plan, bool isPlanning, bool hasModel);
    QString headline() const { return m_cost->text(); }

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitNotes();
    QScrollArea* m_area = nullptr;
    QLabel* m_title;
    QLabel* m_cost;
    QLabel* m_notes;
};

}  // namespace meander::gui
