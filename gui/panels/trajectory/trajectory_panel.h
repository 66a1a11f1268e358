// The path of a run: its projection with the chord removed, and one diagnostic over the steps. Both follow the step
// cursor and set it; a compared run is drawn in the same axes with its own colour, dash and marker.
#pragma once
#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/panels/trajectory/run_curves.h"
#include "gui/plots/plot_view.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class TrajectoryPanel : public QWidget {
    Q_OBJECT
public:
    TrajectoryPanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    PlotView* pathView() const { return m_path; }
    PlotView* quantityView() const { return m_quantity; }

protected:
    void changeEvent(QEvent* e) override;

private:
    void refresh();
    void refreshSoon();
    void show(const PanelCurves& curves);
    void plotPath();
    void plotQuantity();
    void fillChoices();
    void follow();
    void select(int frame, bool lock);
    // State of the record at the cursor: that at which its step starts, or the last one for the finished image.
    std::optional<int> cursorFrame() const;

    Document& m_document;
    SelectionModel& m_selection;
    PlotView *m_path, *m_quantity;
    ChoiceField* m_choice;
    PanelCurves m_curves;
    std::vector<double> m_axisValues;  // of the frames of the first run, as plotted
    QTimer m_soon;
    QElapsedTimer m_asked;
    Latest<PanelCurves> m_work;
};

}  // namespace meander::gui
