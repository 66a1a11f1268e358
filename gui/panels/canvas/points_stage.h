// Models of points: density, vector field at the cursor's noise level, particles and their paths. One dimension:
// density over time with the paths. The density is exact where the model knows it, else a histogram of its training
// data at this noise level, else one of the run's own particles; the headline says which.
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
    // data has at the noise level.
    void setFollowsSpread(bool on);
    QRectF viewBounds() const;  // of the plane
    bool showsPoints() const;   // the current run is one of points
    QString headline() const;
    DensitySource densitySource() const { return m_density ? m_density->source : DensitySource::None; }

public slots:
    void refresh();

signals:
    void changed();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Plot planePlot(const Run& run, int evaluation) const;
    Plot linePlot(const Run& run) const;
    void addDensity(Plot& plot, double unit) const;
    void addLegend(Plot& plot) const;
    FieldRequest requestFor(const Run& run, double tau, int columns, int dataPoints) const;
    void paintPaths(QPainter& p, const Run& run, const PlotFrame& frame, int step, const QColor& color) const;
    void paintPoints(QPainter& p, const Run& run, const PlotFrame& frame, int evaluation) const;
    // A state on the page: what one unit of the axes is, and which way it is laid.
    double unitAt(const Run& run, double tau) const;
    double unitAtFrame(const Run& run, int frame) const;
    std::shared_ptr<const VectorField> ownDensity() const;
    void paintArrows(QPainter& p, const PlotFrame& frame, double unit) const;

    Document& m_document;
    SelectionModel& m_selection;
    FieldService m_fields;
    RunPtr m_run, m_other;
    LinkedStep m_at, m_otherAt;
    std::shared_ptr<const VectorField> m_density, m_arrows;
    bool m_showsField = true, m_showsPaths = true, m_followsSpread = false;
};

}  // namespace meander::gui
