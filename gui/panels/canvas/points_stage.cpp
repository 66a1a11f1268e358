#include "gui/panels/canvas/points_stage.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "gui/document/run_text.h"

namespace meander::gui {
namespace {
constexpr int densityColumns = 96, dataDraws = 40'000;

double tauAt(const Run& run, int evaluation) {
    return evaluation < 0 ? 0 : run.trajectory->evaluations[std::size_t(evaluation)]->tau;
}

QRectF square(double reach) { return {-reach, -reach, 2 * reach, 2 * reach}; }

// The plane as far as states reach at this noise: the finished points with some room, wider by the noise around them.
double reachAt(const Run& run, double tau) {
    const double half = pointBounds(run).width() / 2;
    return std::max(half, std::hypot(run.model.process.signal(tau) * half, 2.6 * tau));
}
}  // namespace

double PointsStage::unitAt(const Run& run, double tau) const {
    return m_followsSpread && run.model.stateShape.count() > 1 ? 1 : std::hypot(run.model.process.signal(tau), tau);
}
double PointsStage::unitAtFrame(const Run& run, int frame) const {
    const auto& levels = run.trajectory->levels;
    return unitAt(run, levels[std::min(std::size_t(frame), levels.size() - 1)]);
}

QRectF PointsStage::viewBounds() const {
    if (!showsPoints() || !m_run->trajectory) return {};
    return square(m_followsSpread ? reachAt(*m_run, tauAt(*m_run, m_at.evaluation))
                                  : std::max(2.6, pointBounds(*m_run).width() / 2));
}

PointsStage::PointsStage(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection), m_fields(this) {
    setMouseTracking(true);
    setMinimumSize(160, 120);
    setAccessibleName(tr("Plane of the points"));
    for (auto signal : {&SelectionModel::runChanged, &SelectionModel::cursorChanged, &SelectionModel::liveChanged})
        connect(&m_selection, signal, this, &PointsStage::refresh);
    auto mine = [this](const QString& id) {
        if (id == m_selection.currentRun() || id == m_selection.comparedRun()) refresh();
    };
    connect(&m_document, &Document::runChanged, this, mine);
    connect(&m_document, &Document::runFinished, this, mine);
    connect(&m_document, &Document::trajectoryLoaded, this, mine);
    connect(&m_fields, &FieldService::ready, this, &PointsStage::refresh);
    refresh();
}

bool PointsStage::showsPoints() const { return m_run && m_run->model.state == StateKind::Points; }

FieldRequest PointsStage::requestFor(const Run& run, double tau, int columns, int dataPoints) const {
    const QRectF view = viewBounds(), b = square(view.right() * unitAt(run, tau));
    return {run.recipe.model,
            Prompt{run.recipe.prompt, run.recipe.classIndex, false},
            tau,
            run.model.process.signal(tau),
            {b.left(), b.top(), b.right(), b.bottom()},
            columns,
            dataPoints};
}

void PointsStage::refresh() {
    m_run = recordOf(m_document, m_selection.currentRun());
    m_other = recordOf(m_document, m_selection.comparedRun());
    if (m_other && (!m_run || !m_other->trajectory || !(m_other->model.stateShape == m_run->model.stateShape)))
        m_other = nullptr;
    m_density = m_arrows = nullptr;
    if (showsPoints() && m_run->trajectory && !m_run->trajectory->empty()) {
        const StepCursor cursor = shownCursor(m_document, m_selection);
        m_at = linkedStep(*m_run, cursor);
        if (m_other) m_otherAt = linkedStep(*m_other, cursor);
        const double tau = tauAt(*m_run, m_at.evaluation);
        if (m_showsField && m_run->model.stateShape.count() == 2) {
            m_density = m_fields.field(requestFor(*m_run, tau, densityColumns, dataDraws));
            if (tau > 0 && m_density) m_arrows = m_fields.field(requestFor(*m_run, tau, 22, 0));
            if (m_density && m_density->source == DensitySource::None) m_density = ownDensity();
        }
    }
    update();
    emit changed();
}

// Of a model that knows neither its density nor its data: where this run's particles are.
std::shared_ptr<const VectorField> PointsStage::ownDensity() const {
    auto f = std::make_shared<VectorField>(*m_density);
    const auto points = pointsAt(*m_run, m_at.evaluation, Quantity::State, dataDraws);
    // Few particles in small cells would be dust.
    const int columns = std::clamp(int(std::sqrt(double(points.size()))), 8, densityColumns);
    f->grid.columns = f->grid.rows = columns;
    f->density = densityOf(points, f->grid.bounds, columns, columns);
    f->draws = int(points.size());
    if (!f->density.empty()) f->source = DensitySource::Particles;
    return f;
}

void PointsStage::setShowsField(bool on) {
    m_showsField = on;
    refresh();
}
void PointsStage::setShowsPaths(bool on) {
    m_showsPaths = on;
    update();
}

void PointsStage::setFollowsSpread(bool on) {
    m_followsSpread = on;
    refresh();
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

Plot PointsStage::planePlot(const Run& run, int evaluation) const {
    Plot plot;
    plot.equalAspect = true;
    const bool hasDensity = m_density && !m_density->density.empty();
    plot.hasGrid = !hasDensity;
    const QRectF b = viewBounds();
    plot.x.lo = b.left();
    plot.x.hi = b.right();
    plot.y.lo = b.top();
    plot.y.hi = b.bottom();
    plot.title = headline();
    if (!m_followsSpread) plot.x.label = tr("in units of √(a² + τ²), the spread of unit data at this noise");
    if (hasDensity) addDensity(plot, unitAt(run, tauAt(run, evaluation)));
    addLegend(plot);
    return plot;
}

void PointsStage::addLegend(Plot& plot) const {
    if (!m_other) return;
    plot.hasLegend = true;
    for (const RunPtr& run : {m_run, m_other}) {
        LineLayer key;
        key.name = tr("run %1 · %2").arg(run->number).arg(runTitle(*run));
        key.style = runStyle(runStyleIndex(m_document, *run), theme());
        plot.add(std::move(key));
    }
}

// One dimension: time runs to the right, one column per step; the density is the histogram of the particles.
Plot PointsStage::linePlot(const Run& run) const {
    Plot plot;
    const PointPaths all = pointPaths(run, 2000, 200);
    const auto& paths = all.paths;
    const double reach = std::max(3.0, pointBounds(run).width() / 2);
    const QRectF b(-reach, -reach, 2 * reach, 2 * reach);
    plot.x.label = tr("step");
    plot.x.wholeNumbers = true;
    const int columns = std::max(1, int(all.frames.size())), rows = 48;
    plot.title =
        columns > int(run.trajectory->steps.size())
            ? tr("Particles over the steps, in units of √(a² + τ²) · density: their histogram, one column per step")
            : tr("Particles over the steps, in units of √(a² + τ²) · density: their histogram at %1 of the steps")
                  .arg(columns);
    // Columns are frames; of long runs a column stands for several steps.
    const double last = all.frames.empty() ? 0 : all.frames.back(), half = columns > 1 ? last / (columns - 1) / 2 : 0.5;
    plot.x.lo = -half;
    plot.x.hi = last + half;
    plot.y.lo = b.left();
    plot.y.hi = b.right();
    plot.hasGrid = false;
    HeatmapLayer map;
    map.rows = rows;
    map.columns = columns;
    map.x0 = -half;
    map.x1 = last + half;
    map.y0 = b.left();
    map.y1 = b.right();
    map.values.assign(std::size_t(rows) * columns, 0);
    for (const auto& path : paths)
        for (int c = 0; c < int(path.size()); ++c)
            if (int r =
                    int(std::floor((path[std::size_t(c)].x() / unitAtFrame(run, all.frames[std::size_t(c)]) - b.left())
                                   / b.width() * rows));
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

void PointsStage::paintPaths(QPainter& p, const Run& run, const PlotFrame& frame, int step, const QColor& color) const {
    const PointPaths all = pointPaths(run, 28);
    const bool isLine = run.model.stateShape.count() == 1;
    QColor c = color, edge = theme().background;
    for (const auto& path : all.paths) {
        QPolygonF past, future;
        for (std::size_t i = 0; i < path.size(); ++i) {
            const QPointF state = path[i] / unitAtFrame(run, all.frames[i]),
                          at = isLine ? frame.at(all.frames[i], state.x()) : frame.at(state);
            if (all.frames[i] <= step) past << at;
            if (all.frames[i] >= step || (i + 1 < path.size() && all.frames[i + 1] > step)) future << at;
        }
        // An edge in the colour of the ground: run colours occur in the density too.
        for (const auto& [line, alpha] : {std::pair(&past, 0.85f), std::pair(&future, 0.3f)}) {
            edge.setAlphaF(alpha * 0.8f);
            p.setPen(QPen(edge, 3));
            p.drawPolyline(*line);
            c.setAlphaF(alpha);
            p.setPen(QPen(c, 1.3));
            p.drawPolyline(*line);
        }
    }
}

void PointsStage::paintPoints(QPainter& p, const Run& run, const PlotFrame& frame, int evaluation) const {
    const RunStyle style = runStyle(runStyleIndex(m_document, run), theme());
    const bool isLine = run.model.stateShape.count() == 1;
    const int step =
        evaluation < 0 ? int(run.trajectory->steps.size()) : run.trajectory->evaluations[std::size_t(evaluation)]->step;
    if (m_showsPaths) paintPaths(p, run, frame, step, style.color);
    const double unit = unitAt(run, tauAt(run, evaluation));
    const Marker marker = m_other ? style.marker : Marker::Circle;
    for (QPointF v : pointsAt(run, evaluation, Quantity::State, 3000)) {
        const QPointF at = isLine ? frame.at(step, v.x() / unit) : frame.at(v / unit);
        if (!frame.area.adjusted(-5, -5, 5, 5).contains(at)) continue;
        drawMarker(p, marker, at, 3.1, theme().background);
        drawMarker(p, marker, at, 2.0, style.color);
    }
}

void PointsStage::paintArrows(QPainter& p, const PlotFrame& frame, double unit) const {
    const FieldGrid& g = m_arrows->grid;
    if (g.velocityX.empty()) return;
    double most = 1e-12;
    for (std::size_t i = 0; i < g.velocityX.size(); ++i)
        most = std::max(most, std::hypot(g.velocityX[i], g.velocityY[i]));
    const double cell = frame.area.width() / g.columns;
    QColor c = theme().text;
    c.setAlphaF(0.5f);
    p.setPen(QPen(c, 1.1, Qt::SolidLine, Qt::RoundCap));
    for (int r = 0; r < g.rows; ++r)
        for (int k = 0; k < g.columns; ++k) {
            const std::size_t i = std::size_t(r) * g.columns + k;
            const double length = std::hypot(g.velocityX[i], g.velocityY[i]);
            if (length < 1e-9) continue;
            QPointF from = frame.at((g.bounds.left + (k + 0.5) / g.columns * (g.bounds.right - g.bounds.left)) / unit,
                                    (g.bounds.bottom + (r + 0.5) / g.rows * (g.bounds.top - g.bounds.bottom)) / unit);
            // Where a step takes the state: against dy/dτ, because τ falls. Length by the square root, so that slow
            // places stay readable.
            QPointF d = QPointF(-g.velocityX[i], g.velocityY[i]) / length * cell * 0.85 * std::sqrt(length / most);
            p.drawLine(from, from + d);
            QPointF back = -d * 0.3, side(-back.y() * 0.6, back.x() * 0.6);
            p.drawLine(from + d, from + d + back + side);
            p.drawLine(from + d, from + d + back - side);
        }
}

QString PointsStage::headline() const {
    if (!showsPoints() || !m_run->trajectory) return {};
    QString text = tr("xₜ at %1").arg(stepText(*m_run, m_at.evaluation));
    if (m_at.evaluation < 0) text = endText(*m_run);
    else text += tr(" · σ %1").arg(formatNumber(m_run->trajectory->evaluations[std::size_t(m_at.evaluation)]->sigma));
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

void PointsStage::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.fillRect(rect(), theme().background);
    if (!showsPoints() || !m_run->trajectory || m_run->trajectory->empty()) {
        p.setPen(theme().muted);
        p.drawText(rect().adjusted(24, 24, -24, -24), Qt::AlignCenter | Qt::TextWordWrap,
                   m_run ? tr("The particles appear here as their steps are done.")
                         : tr("The particles of a run appear here, step by step. Press Run to make one."));
        return;
    }
    const bool isLine = m_run->model.stateShape.count() == 1;
    const Plot plot = isLine ? linePlot(*m_run) : planePlot(*m_run, m_at.evaluation);
    const QRectF outer = QRectF(rect()).adjusted(12, 10, -12, -10);
    plot.paint(p, outer, theme());
    PlotFrame frame{plot.area(outer), plot.x, plot.y};
    p.setClipRect(frame.area);
    if (m_arrows && !isLine) paintArrows(p, frame, unitAt(*m_run, tauAt(*m_run, m_at.evaluation)));
    if (m_other) paintPoints(p, *m_other, frame, m_otherAt.evaluation);
    paintPoints(p, *m_run, frame, m_at.evaluation);
}

}  // namespace meander::gui
