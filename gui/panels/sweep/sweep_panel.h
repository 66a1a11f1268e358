// Sweeps: axes over settings of the draft, what they cost, the cells while they fill, quality against evaluations, and
// files of all that.
#pragma once
#include <QCheckBox>
#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <QStackedWidget>
#include <QTimer>

#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/panels/sweep/axis_row.h"
#include "gui/panels/sweep/sweep_grid.h"
#include "gui/panels/sweep/sweep_plot.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/front_panel.h"
#include "gui/widgets/segmented.h"

namespace meander::gui {

class SweepPanel : public FrontPanel {
    Q_OBJECT
public:
    SweepPanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);

    AxisRow* axisRow(int i) const { return m_rows[std::size_t(i)]; }
    SweepGrid* grid() const { return m_grid; }
    SweepPlot* plot() const { return m_plot; }
    QString shownSweep() const { return m_id; }
    QString planText() const { return m_cost->text(); }
    void showSweep(const QString& id);
    // By the ending of the path: .png and .pdf the grid as it is arranged, .csv a row for each cell.
    bool exportTo(const QString& path);

protected:
    void changeEvent(QEvent* event) override;
    void frontChanged() override;

private:
    QWidget* makeForm();
    QWidget* makeHead();
    void planAxes();
    void tellPlan();
    void run();
    void fillSweeps();
    void fillAxes();
    void swapAxes();
    void showCell(std::size_t cell);
    void compareCell(std::size_t cell);
    void refreshRun(const QString& id);
    void refreshState();
    void exportAs(const QString& ending);
    static bool isIn(const Sweep& sweep, const QString& run);

    struct Answer {
        std::optional<Sweep> sweep;
        std::shared_ptr<const Result<SweepPlan>> plan;
    };
    Document& m_document;
    SelectionModel& m_selection;
    std::vector<AxisRow*> m_rows;
    QLabel* m_cost;
    QPushButton *m_run, *m_stop;
    ChoiceField *m_sweeps, *m_acrossField, *m_downField;
    QHBoxLayout* m_places;
    QLabel* m_state;
    QSlider *m_scrub, *m_size;
    QToolButton *m_swap, *m_export;
    Segmented* m_which;
    QStackedWidget* m_views;
    SweepGrid* m_grid;
    SweepPlot* m_plot;
    QString m_id;
    Answer m_planned;
    std::unique_ptr<Latest<Answer>> m_planning;
    QTimer m_planSoon, m_refreshSoon;
};

}  // namespace meander::gui
