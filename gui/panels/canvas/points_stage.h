// Models of points: density, vector field at the cursor's noise level, particles and their paths, on the chart of the
// model's space. One dimension: density over time with the paths. The density is exact where the model knows it, else a
// histogram of its training data at this noise level, else one of the run's own particles; the headline says which.
// Ctrl+wheel or + and − zoom, dragging moves (a sphere: turns), a click or ↑ ↓ picks the particle that the trajectory
// shows.
#pragma once
#include <QWidget>

#include "gui/bridge/field_service.h"
#include "gui/images/point_image.h"
#include "gui/plots/plot.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

class PointsStage : public QWidget {
    Q_OBJECT
public:
    PointsStage(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    void setShowsField(bool on);
    void setShowsPaths(bool on);
    // Axes in the states' own units, which shrink with the noise; else steady ones, in units of the spread that unit
    // data has at the noise level. Curved spaces have their own.
    void setFollowsSpread(bool on);
    void setZoom(double zoom);  // 1: all of it
    double zoom() const { return m_zoom; }
    QRectF viewBounds() const;  // of the plane
    bool showsPoints() const;   // the current run is one of points
    bool isCurved() const { return m_chart.isCurved(); }
    QString headline() const;
    DensitySource densitySource() const { return m_density ? m_density->source : DensitySource::None; }
    // All that is drawn, as a plot: for export, as a table, and on the screen. Empty layers while there is nothing.
    Plot plot() const;
    QPointF pageOf(int particle) const;  // where a particle is drawn; NaN when it is not
    void showTable();

public slots:
    void refresh();

signals:
    void changed();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    // points_plot.cpp
    Plot planePlot() const;
    Plot linePlot() const;
    void addDensity(Plot& plot, double unit) const;
    void addChart(Plot& plot) const;
    void addLegend(Plot& plot) const;
    void addArrows(Plot& plot, double unit) const;
    void addPaths(Plot& plot, const Run& run, int step, const QColor& color) const;
    void addParticles(Plot& plot, const Run& run, int evaluation) const;
    // One unit of the axes in coordinates of the states.
    double unitAt(const Run& run, double tau) const;
    double unitAtStep(const Run& run, int step) const;
    double tauOf(const Run& run, int evaluation) const;
    int stepOf(const Run& run, int evaluation) const;
    bool isLine() const { return m_run->model.state.shape.count() == 1; }
    bool isFilled() const { return showsPoints() && m_run->trajectory && !m_run->trajectory->empty(); }
    // points_stage.cpp
    double reach() const;  // half the side of the whole view
    FieldRequest requestFor(const Run& run, double tau, int columns, int dataPoints) const;
    std::shared_ptr<const VectorField> ownDensity() const;
    QRectF frameRect() const { return QRectF(rect()).adjusted(12, 10, -12, -10); }
    QPointF placeOnAxes(const Run& run, int evaluation, QPointF place) const;
    std::optional<int> particleAt(QPointF page) const;
    void pick(int particle);
    void zoomAt(double factor, QPointF page);
    void speak();

    Document& m_document;
    SelectionModel& m_selection;
    FieldService m_fields;
    RunPtr m_run, m_other;
    LinkedStep m_at, m_otherAt;
    PointChart m_chart;
    std::shared_ptr<const VectorField> m_density, m_arrows;
    bool m_showsField = true, m_showsPaths = true, m_followsSpread = false;
    double m_zoom = 1;
    QPointF m_centre;  // of the view, in units of its whole reach
    std::optional<QPointF> m_dragFrom;
};

}  // namespace meander::gui
