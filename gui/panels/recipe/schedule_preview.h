// The noise levels that the draft visits, after its operators, its start and its branch: over the steps, on a
// logarithmic axis. The shown run's levels behind them.
#pragma once
#include "engine/run/plan.h"
#include "gui/plots/plot_view.h"

namespace meander::gui {

class SchedulePreview : public PlotView {
    Q_OBJECT
public:
    explicit SchedulePreview(QWidget* parent = nullptr);
    // Null plan: not known, or it cannot run; the last curve stays, dimmed.
    void show(const Plan* plan, const Run* reference);
    QSize sizeHint() const override { return {240, 150}; }
    QSize minimumSizeHint() const override { return {160, 150}; }

signals:
    void editRequested();

protected:
    void changeEvent(QEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent*) override { emit editRequested(); }

private:
    void draw();

    std::vector<double> m_levels, m_others;  // σ, or t of a flow; those above 0
    bool m_isFlow = false, m_endsClean = false, m_isStale = true;
    int m_steps = 0;
};

}  // namespace meander::gui
