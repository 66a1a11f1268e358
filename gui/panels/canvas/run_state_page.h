// Stands on the canvas in place of a run that has nothing to show: why, and what can be done about it.
#pragma once
#include <QLabel>
#include <QPushButton>
#include <QWidget>

#include "gui/document/document.h"

namespace meander::gui {

class RunStatePage : public QWidget {
    Q_OBJECT
public:
    explicit RunStatePage(Document& document, QWidget* parent = nullptr);
    // Whether the run has an image or points to be drawn, or a part of its record.
    static bool hasView(const Run& run);
    void show(const RunPtr& run);
    QString title() const { return m_title->text(); }
    QString reason() const { return m_reason->text(); }

private:
    Document& m_document;
    RunPtr m_run;
    QLabel *m_title, *m_reason;
    QPushButton *m_useRecipe, *m_goOn, *m_again, *m_cancel;
};

}  // namespace meander::gui
