// Quality against evaluations over the cells of a sweep, with the line that no cell beats and its knee. Quality is
// fidelity for sprites, averaged over seeds; for other models nearness to the images of the cell with the most
// evaluations that draws the same.
#pragma once
#include "engine/sweep/sweep_results.h"
#include "gui/bridge/latest.h"
#include "gui/document/document.h"
#include "gui/plots/plot_view.h"

namespace meander::gui {

class SweepPlot : public PlotView {
    Q_OBJECT
public:
    explicit SweepPlot(Document& document, QWidget* parent = nullptr);
    void showResults(const Sweep* sweep);
    void setCurrent(std::optional<std::size_t> cell);
    const std::vector<std::optional<CellResult>>& results() const { return m_results; }
    std::optional<std::size_t> knee() const { return m_knee; }  // a cell

signals:
    void chosen(std::size_t cell);

private:
    struct Point {
        std::size_t cell = 0;  // the first that it stands for
        CostQuality at;
        QString text;
    };
    void draw();
    std::vector<Point> pointsOf(bool hasFidelity) const;

    Document& m_document;
    Sweep m_sweep;
    std::vector<std::optional<CellResult>> m_results;
    std::vector<Point> m_points;
    std::optional<std::size_t> m_knee;
    std::unique_ptr<Latest<std::vector<std::optional<CellResult>>>> m_measuring;
};

}  // namespace meander::gui
