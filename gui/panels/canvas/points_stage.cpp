#include "gui/panels/canvas/points_stage.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "gui/plots/geometry.h"
#include "gui/plots/plot_view.h"
#include "gui/widgets/focus.h"

namespace meander::gui {
namespace {

constexpr int densityColumns = 96, dataDraws = 40'000, mostDrawn = 3000;
constexpr double largestZoom = 64;

QRectF square(double reach) { return {-reach, -reach, 2 * reach, 2 * reach}; }

// The plane as far as states reach at this noise: the finished points with some room, wider by the noise around them.
double reachAt(const Run& run, double tau) {
    const double half = pointBounds(run).width() / 2;
    return std::max(half, std::hypot(run.model.process.signal(tau) * half, 2.6 * tau));
}

}  // namespace

PointsStage::PointsStage(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection), m_fields(this) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(160, 120);
    setAccessibleName(tr("Plane of the points"));
    for (auto signal : {&SelectionModel::runChanged, &SelectionModel::cursorChanged, &SelectionModel::liveChanged})
        connect(&m_selection, signal, this, &PointsStage::refresh);
    connect(&m_selection, &SelectionModel::imageChanged, this, [this] {
        speak();
        update();
    });
    auto mine = [this](const QString& id) {
        if (id == m_selection.currentRun() || id == m_selection.comparedRun()) refresh();
    };
    connect(&m_document, &Document::runChanged, this, mine);
    connect(&m_document, &Document::runFinished, this, mine);
    connect(&m_document, &Document::trajectoryLoaded, this, mine);
    connect(&m_fields, &FieldService::ready, this, &PointsStage::refresh);
    refresh();
}

bool PointsStage::showsPoints() const { return m_run && m_run->model.state.kind == StateKind::Points; }

double PointsStage::reach() const {
    if (const auto whole = m_chart.reach()) return *whole;
    if (isLine()) return std::max(3.0, pointBounds(*m_run).width() / 2);
    return m_followsSpread ? reachAt(*m_run, tauOf(*m_run, m_at.evaluation))
                           : std::max(2.6, pointBounds(*m_run).width() / 2);
}

QRectF PointsStage::viewBounds() const {
    if (!isFilled()) return {};
    const double whole = reach();
    QRectF view = square(whole / m_zoom);
    view.moveCenter(m_centre * whole);
    return view;
}

FieldRequest PointsStage::requestFor(const Run& run, double tau, int columns, int dataPoints) const {
    const QRectF view = viewBounds();
    const double unit = unitAt(run, tau);
    return {run.recipe.model,
            Prompt{run.recipe.prompt, run.recipe.classIndex, false},
            tau,
            run.model.process.signal(tau),
            {view.left() * unit, view.top() * unit, view.right() * unit, view.bottom() * unit},
            columns,
            dataPoints};
}

void PointsStage::refresh() {
    m_run = recordOf(m_document, m_selection.currentRun());
    m_other = recordOf(m_document, m_selection.comparedRun());
    if (m_other && (!m_run || !m_other->trajectory || !(m_other->model.state.shape == m_run->model.state.shape)))
        m_other = nullptr;
    m_density = m_arrows = nullptr;
    m_at = m_otherAt = {};
    if (m_run) m_chart.kind = PointChart::of(m_run->model).kind;  // where it is seen from stays
    if (isFilled()) {
        const StepCursor cursor = shownCursor(m_document, m_selection);
        m_at = linkedStep(*m_run, cursor);
        if (m_other) m_otherAt = linkedStep(*m_other, cursor);
        const double tau = tauOf(*m_run, m_at.evaluation);
        if (m_showsField && m_run->model.state.shape.count() == 2) {
            m_density = m_fields.field(requestFor(*m_run, tau, densityColumns, dataDraws));
            if (tau > 0 && m_density) m_arrows = m_fields.field(requestFor(*m_run, tau, 22, 0));
            if (m_density && m_density->source == DensitySource::None) m_density = ownDensity();
        }
    }
    speak();
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

void PointsStage::setZoom(double zoom) {
    m_zoom = std::clamp(zoom, 1.0, largestZoom);
    // No further out than the whole view.
    const double most = 1 - 1 / m_zoom;
    m_centre = {std::clamp(m_centre.x(), -most, most), std::clamp(m_centre.y(), -most, most)};
    refresh();
}

void PointsStage::zoomAt(double factor, QPointF page) {
    if (!isFilled()) return;
    const Plot now = plot();
    const PlotFrame frame{now.area(frameRect()), now.x, now.y};
    const QPointF at = frame.area.contains(page) ? frame.valueAt(page) : viewBounds().center();
    const double next = std::clamp(m_zoom * factor, 1.0, largestZoom), kept = m_zoom / next;
    // What is under the pointer stays there.
    const QPointF centre = m_centre * reach();
    m_centre = ((isLine() ? QPointF(0, at.y()) : at) * (1 - kept) + centre * kept) / reach();
    setZoom(next);
}

QPointF PointsStage::placeOnAxes(const Run& run, int evaluation, QPointF place) const {
    const double unit = unitAt(run, tauOf(run, evaluation));
    return isLine() ? QPointF(stepOf(run, evaluation), place.x() / unit) : place / unit;
}

QPointF PointsStage::pageOf(int particle) const {
    const QPointF nowhere(std::nan(""), std::nan(""));
    if (!isFilled() || particle < 0) return nowhere;
    const auto places = placesAt(*m_run, m_at.evaluation, Quantity::State, m_chart, std::size_t(particle) + 1);
    if (std::size_t(particle) >= places.size()) return nowhere;
    const Plot now = plot();
    return PlotFrame{now.area(frameRect()), now.x, now.y}.at(
        placeOnAxes(*m_run, m_at.evaluation, places[std::size_t(particle)].at));
}

std::optional<int> PointsStage::particleAt(QPointF page) const {
    if (!isFilled()) return {};
    const Plot now = plot();
    const PlotFrame frame{now.area(frameRect()), now.x, now.y};
    std::vector<QPointF> pages;
    for (const auto& place : placesAt(*m_run, m_at.evaluation, Quantity::State, m_chart, mostDrawn))
        pages.push_back(place.depth < 0 ? QPointF(-1e6, -1e6)
                                        : frame.at(placeOnAxes(*m_run, m_at.evaluation, place.at)));
    return nearestPoint(pages, page, 12);
}

void PointsStage::pick(int particle) {
    if (!isFilled()) return;
    m_selection.setImage(std::clamp(particle, 0, imageCount(*m_run) - 1));
}

void PointsStage::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton || event->button() == Qt::MiddleButton) m_dragFrom = event->position();
    if (event->button() != Qt::LeftButton) return;
    if (const auto particle = particleAt(event->position())) pick(*particle);
}

void PointsStage::mouseMoveEvent(QMouseEvent* event) {
    if (!m_dragFrom || !isFilled()) return;
    const QPointF way = event->position() - *m_dragFrom;
    if (way.manhattanLength() < 3) return;
    m_dragFrom = event->position();
    const QRectF area = plot().area(frameRect());
    if (m_chart.kind == ManifoldKind::Sphere) {
        m_chart.yaw -= way.x() * 2 / area.width();
        m_chart.pitch = std::clamp(m_chart.pitch + way.y() * 2 / area.height(), -1.5, 1.5);
        update();
    } else if (m_zoom > 1 && area.width() > 0) {
        m_centre -= QPointF(isLine() ? 0 : way.x() / area.width(), -way.y() / area.height()) * 2 / m_zoom;
        setZoom(m_zoom);
    }
}

void PointsStage::mouseReleaseEvent(QMouseEvent*) { m_dragFrom.reset(); }

void PointsStage::mouseDoubleClickEvent(QMouseEvent*) { setZoom(1); }

void PointsStage::wheelEvent(QWheelEvent* event) {
    if (!(event->modifiers() & Qt::ControlModifier)) return event->ignore();
    zoomAt(std::pow(1.25, event->angleDelta().y() / 120.0), event->position());
}

void PointsStage::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal: zoomAt(1.5, {-1, -1}); return;
    case Qt::Key_Minus: zoomAt(1 / 1.5, {-1, -1}); return;
    case Qt::Key_Up: pick(m_selection.image() + 1); return;
    case Qt::Key_Down: pick(m_selection.image() - 1); return;
    case Qt::Key_T: showTable(); return;
    default: QWidget::keyPressEvent(event);
    }
}

void PointsStage::showTable() {
    if (isFilled()) showTableDialog(this, headline(), plot().table());
}

// The picked particle and where it is.
void PointsStage::speak() {
    if (!isFilled()) return setAccessibleDescription({});
    const int particle = m_selection.image();
    const auto places = placesAt(*m_run, m_at.evaluation, Quantity::State, m_chart, std::size_t(particle) + 1);
    if (std::size_t(particle) >= places.size()) return setAccessibleDescription(headline());
    const QPointF at = places[std::size_t(particle)].at;
    setAccessibleDescription(tr("%1, particle %2 of %3 at %4, %5")
                                 .arg(headline())
                                 .arg(particle + 1)
                                 .arg(imageCount(*m_run))
                                 .arg(formatNumber(at.x()), formatNumber(at.y())));
}

void PointsStage::paintEvent(QPaintEvent*) {
    QPainter p(this);
    p.setRenderHint(QPainter::Antialiasing);
    p.fillRect(rect(), theme().background);
    if (isFilled()) {
        plot().paint(p, frameRect(), theme());
    } else {
        p.setPen(theme().muted);
        p.drawText(rect().adjusted(24, 24, -24, -24), Qt::AlignCenter | Qt::TextWordWrap,
                   m_run ? tr("The particles appear here as their steps are done.")
                         : tr("The particles of a run appear here, step by step. Press Run to make one."));
    }
    if (hasKeyboardFocus(this)) {
        p.setPen(QPen(theme().accent, 1));
        p.setBrush(Qt::NoBrush);
        p.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

}  // namespace meander::gui
