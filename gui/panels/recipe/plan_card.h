// "Before you run": what the draft will cost, and what is wrong or remarkable about it.
#pragma once
#include <QFrame>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

#include "gui/document/document.h"
#include "gui/widgets/elided_label.h"

namespace meander::gui {

class PlanCard : public QFrame {
    Q_OBJECT
public:
    explicit PlanCard(QWidget* parent = nullptr);
    // `invalidFields`: sentences about fields whose text is no value; with any of them the draft cannot run.
    void show(const Result<Plan>& plan, bool isPlanning, bool hasModel, const QStringList& invalidFields = {});

protected:
    void changeEvent(QEvent* event) override;

private:
    static constexpr int noteLines = 3;
    void fit();
    QScrollArea* m_area = nullptr;
    QLabel* m_title;
    ElidedLabel* m_cost;
    QLabel* m_notes;
};

}  // namespace meander::gui
