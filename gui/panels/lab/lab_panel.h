// The laboratory: what samplers are worth, measured on models whose truth is known. Needs no run and changes no
// project.
#pragma once
#include <QStackedWidget>

#include "gui/panels/lab/convergence_view.h"
#include "gui/panels/lab/stability_view.h"
#include "gui/widgets/segmented.h"

namespace meander::gui {

class LabPanel : public QWidget {
    Q_OBJECT
public:
    explicit LabPanel(Document& document, QWidget* parent = nullptr);
    // Behind another tab it must not keep that tab from being flat; in front it is given room.
    QSize minimumSizeHint() const override { return {280, 100}; }
    ConvergenceView* convergence() const { return m_convergence; }
    StabilityView* stability() const { return m_stability; }

public slots:
    void showConvergence() { showView(0); }
    void showStability() { showView(1); }

private:
    void showView(int index);
    Segmented* m_which;
    QStackedWidget* m_views;
    ConvergenceView* m_convergence;
    StabilityView* m_stability;
};

}  // namespace meander::gui
