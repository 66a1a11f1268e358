// The runs of the project. Click shows a run, Ctrl+click or Alt+click compares it with the shown one.
#pragma once
#include <QLabel>
#include <QListView>
#include <QWidget>

#include "gui/document/run_list_model.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

class RunsPanel : public QWidget {
    Q_OBJECT
public:
    RunsPanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    QListView* list() const { return m_list; }
    void renameCurrent();
    void removeCurrent();
    // With the shown run; with the one it is compared to already: no more. Says why where the two have nothing in
    // common.
    void compareWith(const QString& id);

signals:
    void runRequested();  // from the empty state

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void showMenu(const QPoint& at);
    void showSelection();
    void showEmpty();

    Document& m_document;
    SelectionModel& m_selection;
    RunListModel* m_model;
    QListView* m_list;
    QWidget* m_empty;
};

}  // namespace meander::gui
