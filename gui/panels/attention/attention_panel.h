// The heads: which layer and head looks where, over the run. A matrix of entropies at the step, the entropy of every
// head over the steps, and the mass of every word over the steps.
#pragma once
#include <QLabel>
#include <QScrollArea>
#include <QTimer>
#include <QWidget>

#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/panels/attention/head_edit.h"
#include "gui/panels/attention/head_grid.h"
#include "gui/plots/plot_view.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

class AttentionPanel : public QWidget {
    Q_OBJECT
public:
    AttentionPanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    HeadGrid& heads() { return *m_heads; }
    HeadEdit& headEdit() { return *m_edit; }
    PlotView& massPlot() { return *m_mass; }
    PlotView& entropyPlot() { return *m_entropy; }
    QString emptyText() const { return m_empty->text(); }
    QString headsCaption() const { return m_headsTitle->text(); }

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Answer {
        HeadMatrix entropy;
        std::vector<std::pair<QString, WordMass>> masses;
        std::vector<int> words;
        std::vector<double> axis;  // of every evaluation, on the chosen axis
        int site = -1, head = -1;  // of the masses; −1: the mean
    };
    void refresh();
    void show(const Answer& answer);
    void showPlots();
    void follow();

    Document& m_document;
    SelectionModel& m_selection;
    QLabel *m_empty, *m_chosen, *m_headsTitle;
    QScrollArea* m_area;
    QWidget* m_inside;
    HeadGrid* m_heads;
    HeadEdit* m_edit;
    PlotView *m_mass, *m_entropy;
    Answer m_answer;
    QTimer m_soon;
    Latest<Answer> m_work;
};

}  // namespace meander::gui
