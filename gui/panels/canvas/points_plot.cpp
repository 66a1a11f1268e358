// What the points canvas draws, as layers of a plot.
#include <QPainter>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include "engine/run/record_access.h"
#include "gui/document/run_text.h"
#include "gui/panels/canvas/points_stage.h"

namespace meander::gui {
namespace {

constexpr int drawnPaths = 28, mostDrawn = 3000;

// A layer that is a function; `corners` are the points that it needs the axes to hold.
class PaintedLayer : public Layer {
public:
    std::function<void(QPainter&, const PlotFrame&, const Theme&)> draw;
    std::function<void(QVector<QStringList>&)> rows;
    std::vector<QPointF> corners;
    void paint(QPainter& p, const PlotFrame& f, const Theme& t) const override {
        p.save();
        p.setClipRect(f.area, Qt::IntersectClip);
        draw(p, f, t);
        p.restore();
    }
    std::vector<QPointF> extent() const override { return corners; }
    void addRows(QVector<QStringList>& list) const override {
        if (rows) rows(list);
    }
};

QPolygonF onPage(const QPolygonF& line, const PlotFrame& f) {
    QPolygonF page;
    for (QPointF p : line) page << f.at(p);
    return page;
}

}  // namespace

double PointsStage::tauOf(const Run& run, int evaluation) const {
    const Evaluation* e = run.trajectory ? evaluationAt(*run.trajectory, evaluation) : nullptr;
    return e ? e->tau : 0;
}

int PointsStage::stepOf(const Run& run, int evaluation) const {
    const Evaluation* e = evaluationAt(*run.trajectory, evaluation);
    return e ? e->step : int(run.trajectory->steps.size());
}

double PointsStage::unitAt(const Run& run, double tau) const {
    if (m_chart.isCurved() || (m_followsSpread && !isLine())) return 1;
    const double unit = std::hypot(run.model.process.signal(tau), tau);
    return unit > 0 && std::isfinite(unit) ? unit : 1;
}

double PointsStage::unitAtStep(const Run& run, int step) const { return unitAt(run, levelAt(*run.trajectory, step)); }

Plot PointsStage::plot() const {
    if (!isFilled()) return {};
    Plot plot = isLine() ? linePlot() : planePlot();
    if (m_arrows && !isLine()) addArrows(plot, unitAt(*m_run, tauOf(*m_run, m_at.evaluation)));
    if (m_other) addParticles(plot, *m_other, m_otherAt.evaluation);
    addParticles(plot, *m_run, m_at.evaluation);
    return plot;
}

Plot PointsStage::planePlot() const {
    Plot plot;
    plot.equalAspect = true;
    const bool hasDensity = m_density && !m_density->density.empty();
    plot.hasGrid = !hasDensity && !m_chart.isCurved();
    const QRectF b = viewBounds();
    plot.x.lo = b.left();
    plot.x.hi = b.right();
    plot.y.lo = b.top();
    plot.y.hi = b.bottom();
    plot.title = headline();
    const std::int64_t coordinates = m_run->model.state.shape.count();
    switch (m_chart.kind) {
    case ManifoldKind::Euclidean:
        if (!m_followsSpread) plot.x.label = tr("in units of √(a² + τ²), the spread of unit data at this noise");
        if (coordinates > 2) plot.x.label = tr("the first two of %1 coordinates, ").arg(coordinates) + plot.x.label;
        break;
    case ManifoldKind::Torus:
        plot.x.label = tr("angles of the torus: what leaves at one edge comes in at the other");
        break;
    case ManifoldKind::Sphere: plot.x.label = tr("the unit sphere from outside; drag to turn it"); break;
    case ManifoldKind::Hyperboloid: plot.x.label = tr("the hyperbolic plane as its Poincaré disc"); break;
    }
    plot.hasXTicks = plot.hasYTicks = m_chart.kind == ManifoldKind::Euclidean || m_chart.kind == ManifoldKind::Torus;
    if (hasDensity) addDensity(plot, unitAt(*m_run, tauOf(*m_run, m_at.evaluation)));
    addChart(plot);
    addLegend(plot);
    return plot;
}

void PointsStage::addDensity(Plot& plot, double unit) const {
    const VectorField& f = *m_density;
    HeatmapLayer map;
    map.rows = f.grid.rows;
    map.columns = f.grid.columns;
    map.x0 = f.grid.bounds.left / unit;
    map.x1 = f.grid.bounds.right / unit;
    map.y0 = f.grid.bounds.bottom / unit;
    map.y1 = f.grid.bounds.top / unit;
    map.smooth = true;
    map.opacity = 0.7;
    // The square root of the density keeps weak modes visible.
    for (float d : f.density) map.values.push_back(std::sqrt(d));
    map.name = tr("√ density, relative");
    plot.add(std::move(map));
}

// The outline of a sphere with its grid, or the edge of the disc; of the plane nothing.
void PointsStage::addChart(Plot& plot) const {
    PaintedLayer ground;
    const QRectF b = viewBounds();
    ground.corners = {b.topLeft(), b.bottomRight()};
    ground.draw = [chart = m_chart](QPainter& p, const PlotFrame& f, const Theme& t) {
        if (chart.kind != ManifoldKind::Sphere && chart.kind != ManifoldKind::Hyperboloid) return;
        p.setBrush(Qt::NoBrush);
        p.setPen(QPen(t.line, 1.4));
        p.drawEllipse(QRectF(f.at(-1, 1), f.at(1, -1)));
        if (chart.kind != ManifoldKind::Sphere) return;
        constexpr int parts = 96;
        constexpr double pi = std::numbers::pi;
        const auto circle = [&](auto pointAt) {
            for (int i = 0; i < parts; ++i) {
                const auto a = chart.place(pointAt(2 * pi * i / parts)),
                           c = chart.place(pointAt(2 * pi * (i + 1) / parts));
                QColor color = t.line;
                color.setAlphaF(a.depth < 0 ? 0.25f : 0.8f);
                p.setPen(QPen(color, 1));
                p.drawLine(f.at(a.at), f.at(c.at));
            }
        };
        for (int k = -2; k <= 2; ++k) {
            const double height = std::sin(k * pi / 6), radius = std::cos(k * pi / 6);
            circle([&](double a) { return std::array{radius * std::cos(a), radius * std::sin(a), height}; });
        }
        for (int k = 0; k < 6; ++k) {
            const double yaw = k * pi / 6;
            circle([&](double a) {
                return std::array{std::cos(a) * std::cos(yaw), std::cos(a) * std::sin(yaw), std::sin(a)};
            });
        }
    };
    plot.add(std::move(ground));
}

void PointsStage::addLegend(Plot& plot) const {
    if (!m_other) return;
    plot.hasLegend = true;
    for (const RunPtr& run : {m_run, m_other}) {
        LineLayer key;
        key.name = tr("run %1 · %2").arg(run->number).arg(runTitle(*run, (run == m_run ? m_other : m_run).get()));
        key.style = runStyle(runStyleIndex(m_document, *run), theme());
        plot.add(std::move(key));
    }
}

// One dimension: time runs to the right, one column per step; the density is the histogram of the particles.
Plot PointsStage::linePlot() const {
    const Run& run = *m_run;
    Plot plot;
    const PointPaths all = pointPaths(run, m_chart, 0, 2000, 200);
    const auto& paths = all.paths;
    const QRectF b = viewBounds();
    plot.x.label = tr("step");
    plot.x.wholeNumbers = true;
    const int columns = std::max(1, int(all.steps.size())), rows = 48;
    plot.title =
        columns > int(run.trajectory->steps.size())
            ? tr("Particles over the steps, in units of √(a² + τ²) · density: their histogram, one column per step")
            : tr("Particles over the steps, in units of √(a² + τ²) · density: their histogram at %1 of the steps")
                  .arg(columns);
    // Columns are states; of long runs a column stands for several steps.
    const double last = all.steps.empty() ? 0 : all.steps.back(), half = columns > 1 ? last / (columns - 1) / 2 : 0.5;
    plot.x.lo = -half;
    plot.x.hi = last + half;
    plot.y.lo = b.top();
    plot.y.hi = b.bottom();
    plot.hasGrid = false;
    HeatmapLayer map;
    map.name = tr("√ share of the particles, relative to the column's largest");
    map.rows = rows;
    map.columns = columns;
    map.x0 = -half;
    map.x1 = last + half;
    map.y0 = b.top();
    map.y1 = b.bottom();
    map.values.assign(std::size_t(rows) * columns, 0);
    for (const auto& path : paths)
        for (std::size_t c = 0; c < std::min(path.size(), all.steps.size()); ++c)
            if (const double r =
                    std::floor((path[c].x() / unitAtStep(run, all.steps[c]) - b.top()) / b.height() * rows);
                r >= 0 && r < rows)
                map.values[std::size_t(r) * columns + c] += 1;
    for (int c = 0; c < columns; ++c) {
        float most = 1e-9f;
        for (int r = 0; r < rows; ++r) most = std::max(most, map.values[std::size_t(r) * columns + c]);
        for (int r = 0; r < rows; ++r)
            map.values[std::size_t(r) * columns + c] = std::sqrt(map.values[std::size_t(r) * columns + c] / most);
    }
    map.opacity = 0.7;
    plot.add(std::move(map));
    addLegend(plot);
    return plot;
}

void PointsStage::addPaths(Plot& plot, const Run& run, int step, const QColor& color) const {
    struct Drawn {
        std::vector<QPolygonF> past, future;
        bool isPicked = false;
    };
    std::vector<Drawn> drawn;
    const auto add = [&](const PointPaths& all, bool isPicked) {
        for (const auto& path : all.paths) {
            QPolygonF past, future;
            for (std::size_t i = 0; i < path.size(); ++i) {
                const QPointF state = path[i] / unitAtStep(run, all.steps[i]),
                              at = isLine() ? QPointF(all.steps[i], state.x()) : state;
                if (all.steps[i] <= step) past << at;
                if (all.steps[i] >= step || (i + 1 < path.size() && all.steps[i + 1] > step)) future << at;
            }
            drawn.push_back({m_chart.pieces(past), m_chart.pieces(future), isPicked});
        }
    };
    add(pointPaths(run, m_chart, 0, drawnPaths), false);
    if (&run == m_run.get()) add(pointPaths(run, m_chart, m_selection.image(), 1), true);
    PaintedLayer layer;
    layer.draw = [drawn, color](QPainter& p, const PlotFrame& f, const Theme& t) {
        p.setBrush(Qt::NoBrush);
        for (const Drawn& d : drawn)
            // An edge in the colour of the ground: run colours occur in the density too.
            for (const auto& [lines, alpha] : {std::pair(&d.past, 0.85f), std::pair(&d.future, 0.3f)})
                for (const QPolygonF& line : *lines) {
                    const QPolygonF page = onPage(line, f);
                    QColor edge = t.background, c = d.isPicked ? t.text : color;
                    edge.setAlphaF(alpha * 0.8f);
                    c.setAlphaF(alpha);
                    p.setPen(QPen(edge, d.isPicked ? 3.8 : 3));
                    p.drawPolyline(page);
                    p.setPen(QPen(c, d.isPicked ? 1.9 : 1.3));
                    p.drawPolyline(page);
                }
    };
    plot.add(std::move(layer));
}

void PointsStage::addParticles(Plot& plot, const Run& run, int evaluation) const {
    const RunStyle style = runStyle(runStyleIndex(m_document, run), theme());
    if (m_showsPaths) addPaths(plot, run, stepOf(run, evaluation), style.color);
    std::vector<PointChart::Place> places = placesAt(run, evaluation, Quantity::State, m_chart, mostDrawn);
    for (auto& place : places) place.at = placeOnAxes(run, evaluation, place.at);
    const Marker marker = m_other ? style.marker : Marker::Circle;
    const int picked = &run == m_run.get() ? m_selection.image() : -1;
    PaintedLayer layer;
    layer.name = tr("run %1").arg(run.number);
    layer.draw = [places, marker, picked, color = style.color](QPainter& p, const PlotFrame& f, const Theme& t) {
        for (int i = 0; i < int(places.size()); ++i) {
            const QPointF at = f.at(places[std::size_t(i)].at);
            if (!f.area.adjusted(-5, -5, 5, 5).contains(at)) continue;
            p.setOpacity(places[std::size_t(i)].depth < 0 ? 0.35 : 1);
            drawMarker(p, marker, at, 3.1, t.background);
            drawMarker(p, marker, at, 2.0, color);
            if (i != picked) continue;
            p.setBrush(Qt::NoBrush);
            p.setPen(QPen(t.text, 1.4));
            p.drawEllipse(at, 5.5, 5.5);
        }
        p.setOpacity(1);
    };
    layer.rows = [places, name = layer.name](QVector<QStringList>& rows) {
        for (const auto& place : places)
            rows << QStringList{name, QString::number(place.at.x(), 'g', 9), QString::number(place.at.y(), 'g', 9)};
    };
    plot.add(std::move(layer));
}

void PointsStage::addArrows(Plot& plot, double unit) const {
    const FieldGrid& g = m_arrows->grid;
    if (g.velocityX.empty()) return;
    PaintedLayer layer;
    layer.draw = [field = m_arrows, unit](QPainter& p, const PlotFrame& f, const Theme& t) {
        const FieldGrid& grid = field->grid;
        double most = 1e-12;
        for (std::size_t i = 0; i < grid.velocityX.size(); ++i)
            most = std::max(most, std::hypot(grid.velocityX[i], grid.velocityY[i]));
        const double cell = f.area.width() / grid.columns;
        QColor c = t.text;
        c.setAlphaF(0.5f);
        p.setPen(QPen(c, 1.1, Qt::SolidLine, Qt::RoundCap));
        for (int r = 0; r < grid.rows; ++r)
            for (int k = 0; k < grid.columns; ++k) {
                const std::size_t i = std::size_t(r) * grid.columns + k;
                const double length = std::hypot(grid.velocityX[i], grid.velocityY[i]);
                if (!(length >= 1e-9) || !std::isfinite(length)) continue;
                const auto& b = grid.bounds;
                const QPointF from = f.at((b.left + (k + 0.5) / grid.columns * (b.right - b.left)) / unit,
                                          (b.bottom + (r + 0.5) / grid.rows * (b.top - b.bottom)) / unit);
                // Where a step takes the state: against dy/dτ, because τ falls. Length by the square root, so that slow
                // places stay readable.
                const QPointF d =
                    QPointF(-grid.velocityX[i], grid.velocityY[i]) / length * cell * 0.85 * std::sqrt(length / most);
                p.drawLine(from, from + d);
                const QPointF back = -d * 0.3, side(-back.y() * 0.6, back.x() * 0.6);
                p.drawLine(from + d, from + d + back + side);
                p.drawLine(from + d, from + d + back - side);
            }
    };
    plot.add(std::move(layer));
}

QString PointsStage::headline() const {
    if (!showsPoints() || !m_run->trajectory) return {};
    QString text = endText(*m_run);
    if (const Evaluation* e = evaluationAt(*m_run->trajectory, m_at.evaluation))
        text = tr("xₜ at %1 · σ %2").arg(stepText(*m_run, m_at.evaluation), formatNumber(e->sigma));
    switch (densitySource()) {
    case DensitySource::None: break;
    case DensitySource::Exact: text += tr(" · density: exact"); break;
    case DensitySource::TrainingData:
        text += m_at.evaluation < 0
                    ? tr(" · density: histogram of %L1 draws of the training data").arg(m_density->draws)
                    : tr(" · density: histogram of %L1 draws of the training data at this noise").arg(m_density->draws);
        break;
    case DensitySource::Particles:
        text += tr(" · density: histogram of this run's %L1 particles").arg(m_density->draws);
        break;
    }
    if (m_arrows && !m_arrows->grid.velocityX.empty()) text += tr(" · arrows: way of a step, √ length");
    return text;
}

}  // namespace meander::gui
