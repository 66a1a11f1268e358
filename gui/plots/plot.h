// A plot as a value: title, axes, layers. One paint path for the screen, PNG, SVG and PDF.
#pragma once
#include <QSize>

#include "gui/plots/layer.h"

namespace meander::gui {

enum class PlotPart { All, Background, Overlay };

struct Plot {
    QString title;  // what, space and unit: "Step change of x̂0 · RMS, latent"
    QString note;   // right of the title, dim: "axes ×240"
    QString empty;  // shown instead of a blank when there is no data
    Axis x, y;
    std::vector<LayerPtr> layers;
    bool hasXTicks = true, hasYTicks = true, hasGrid = true;
    bool equalAspect = false;   // one unit is as long in x as in y
    bool hasLegend = false;     // names of line layers under the title
    bool hasEndLabels = false;  // names of line layers right of their last points
    bool hasScale = false;      // colours and range of the first heat map, right of the title

    template <class L> L& add(L layer) {
        auto made = std::make_shared<L>(std::move(layer));
        layers.push_back(made);
        return *made;
    }
    bool hasData() const;
    // Axes around the extents of all layers.
    void fitX(double margin = 0.0);
    void fitY(double margin = 0.08);
    // Where data is drawn inside `rect`.
    QRectF area(const QRectF& rect) const;
    void paint(QPainter& p, const QRectF& rect, const Theme& t, PlotPart part = PlotPart::All) const;
    Table table() const;
};

// A file of the kind that its ending says, .svg, .pdf, .csv, else PNG; false when it cannot be written.
bool exportPlot(const Plot& plot, QSize size, const Theme& t, const QString& path);
QByteArray plotSvg(const Plot& plot, QSize size, const Theme& t);
QByteArray plotPdf(const Plot& plot, QSize size, const Theme& t);
QImage plotImage(const Plot& plot, QSize size, const Theme& t, double scale = 2);

}  // namespace meander::gui
