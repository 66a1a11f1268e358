// A layer of a plot: data plus how it is painted. Layers are values behind a pointer; they know data coordinates, the
// frame maps them to the page.
#pragma once
#include <QPainter>
#include <QString>
#include <QStringList>
#include <QVector>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gui/plots/axis.h"
#include "gui/plots/color_map.h"
#include "gui/plots/run_style.h"

namespace meander::gui {

struct PlotFrame {
    QRectF area;
    const Axis& x;
    const Axis& y;

    double px(double v) const { return area.left() + x.position(v) * area.width(); }
    double py(double v) const { return area.bottom() - y.position(v) * area.height(); }
    QPointF at(double vx, double vy) const { return {px(vx), py(vy)}; }
    QPointF at(QPointF v) const { return at(v.x(), v.y()); }
    QPointF valueAt(QPointF page) const {
        return {x.value((page.x() - area.left()) / area.width()), y.value((area.bottom() - page.y()) / area.height())};
    }
};

// The "show as table" view and the CSV export of a plot.
struct Table {
    QStringList head;
    QVector<QStringList> rows;
    QString csv() const;   // RFC 4180, numbers with a point whatever the locale
    QString text() const;  // tab separated, for the clipboard
};

class Layer {
public:
    virtual ~Layer() = default;
    virtual void paint(QPainter& p, const PlotFrame& f, const Theme& t) const = 0;
    // Painted over the cached background on every hover.
    virtual bool isOverlay() const { return false; }
    // Points that the axes should hold.
    virtual std::vector<QPointF> extent() const { return {}; }
    // (series, x, y) of everything shown.
    virtual void addRows(QVector<QStringList>&) const {}

    QString name;
};
using LayerPtr = std::shared_ptr<Layer>;

class LineLayer : public Layer {
public:
    std::vector<QPointF> points;  // NaN breaks the line
    RunStyle style;
    double width = 1.8;
    double markerRadius = 2.4;  // 0: no markers
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
    std::vector<QPointF> extent() const override { return points; }
    void addRows(QVector<QStringList>& rows) const override;
};

// The area between two curves over the same x: a share, a confidence band, a stacked mass.
class BandLayer : public Layer {
public:
    std::vector<double> x, low, high;
    QColor color;
    double opacity = 0.18;
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
    std::vector<QPointF> extent() const override;
    void addRows(QVector<QStringList>& rows) const override;
};

class BarLayer : public Layer {
public:
    std::vector<QPointF> bars;  // centre and height, in data units
    double width = 0.8;         // in x units
    double base = 0;
    QColor color;
    double opacity = 0.22;
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
    std::vector<QPointF> extent() const override;
    void addRows(QVector<QStringList>& rows) const override;
};

class ScatterLayer : public Layer {
public:
    std::vector<QPointF> points;
    RunStyle style;
    double radius = 2.5, opacity = 1;
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
    std::vector<QPointF> extent() const override { return points; }
    void addRows(QVector<QStringList>& rows) const override;
};

class HeatmapLayer : public Layer {
public:
    std::vector<float> values;  // rows × columns, row 0 at y = y0 (the bottom unless `topDown`)
    int rows = 0, columns = 0;
    double x0 = 0, x1 = 1, y0 = 0, y1 = 1;  // outer edges in data units
    float lo = 0, hi = 1;
    ColorMap map = ColorMap::Viridis;
    bool cells = false;   // gaps between cells, as in a matrix
    bool smooth = false;  // interpolate between values, for densities
    double opacity = 1;
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
    std::vector<QPointF> extent() const override { return {{x0, y0}, {x1, y1}}; }
    void addRows(QVector<QStringList>& rows) const override;
};

// Points that can be dragged: 5 px with a 2 px ring, the selected one filled.
class HandleLayer : public Layer {
public:
    std::vector<QPointF> handles;
    std::optional<int> selected, hovered;
    QColor color;
    double radius = 5;
    bool isOverlay() const override { return true; }
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
    std::vector<QPointF> extent() const override { return handles; }
    void addRows(QVector<QStringList>& rows) const override;
    std::optional<int> hit(const PlotFrame& f, QPointF page, double reach = 10) const;
};

// The step cursor: one thin line through every plot, with a marker on each curve.
class CursorLayer : public Layer {
public:
    std::optional<double> x;
    struct Mark {
        QPointF at;
        QColor color;
        bool hollow = false;  // another run's closest step
    };
    std::vector<Mark> marks;
    QString text;
    bool line = true;
    bool isOverlay() const override { return true; }
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override;
};

}  // namespace meander::gui
