#include "gui/panels/timeline/film_strip.h"

#include <QKeyEvent>
#include <QMouseEvent>

#include "gui/document/run_text.h"
#include "gui/plots/axis.h"
#include "gui/plots/run_style.h"

namespace meander::gui {
FilmStrip::FilmStrip(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Film strip"));
    auto again = [this] { rebuild(); };
    connect(&m_document, &Document::runChanged, this, [this](const QString& id) {
        if (id == m_selection.currentRun() || id == m_selection.comparedRun()) rebuild();
    });
    connect(&m_document, &Document::runsChanged, this, again);
    connect(&m_document, &Document::runFinished, this, again);
    connect(&m_document, &Document::trajectoryLoaded, this, again);
    connect(&m_selection, &SelectionModel::runChanged, this, again);
    connect(&m_selection, &SelectionModel::axisChanged, this, again);
    connect(&m_selection, &SelectionModel::imageChanged, this, qOverload<>(&QWidget::update));
    connect(&m_selection, &SelectionModel::rangeChanged, this, qOverload<>(&QWidget::update));
    connect(&m_selection, &SelectionModel::cursorChanged, this, [this] {
        speak();
        update();
    });
    rebuild();
}

void FilmStrip::rebuild() {
    m_rows.clear();
    for (const QString& id : {m_selection.currentRun(), m_selection.comparedRun()}) {
        RunPtr run = recordOf(m_document, id);
        if (!run || !run->trajectory) continue;
        Row row{run, stepStopsOf(*run), {}, {}, runStyleIndex(m_document, *run)};
        if (!row.stops.empty()) m_rows.push_back(std::move(row));
    }
    layout();
    speak();
    update();
}

void FilmStrip::layout() {
    const StepAxis axis = m_selection.axis();
    std::vector<StripRow> strips;
    for (auto& row : m_rows) {
        row.values = axisValues(*row.run, row.stops, axis);
        StripRow s;
        // While a run grows, the step axis already has its full length.
        for (double v : row.values) s.values.push_back(axis == StepAxis::Step ? v / stepCount(*row.run) : v);
        strips.push_back(std::move(s));
    }
    if (axis == StepAxis::Step) {
        for (auto& s : strips) s.positions = s.values;
    } else {
        layoutStrip(strips, isLogAxis(axis), axis == StepAxis::Sigma);
    }
    for (std::size_t i = 0; i < m_rows.size(); ++i) m_rows[i].strip = std::move(strips[i]);
}

StripGeometry FilmStrip::geometryOf() const {
    StripGeometry g;
    g.rows = std::max(1, int(m_rows.size()));
    const double ruler = QFontMetricsF(numberFont(7.5)).height() + 8;
    g.area = QRectF(rect()).adjusted(18, 7, -14, -ruler);
    g.thumb = std::clamp((g.area.height() - g.gap * (g.rows - 1)) / g.rows, 24.0, 96.0);
    // The last frame's label and then the name of the axis fit under and beside it.
    const QFontMetricsF fm(numberFont(7.5));
    const double beside = fm.horizontalAdvance(QStringLiteral("000")) / 2 + 8 + fm.horizontalAdvance(rulerName()) + 4;
    g.area.setRight(std::min(g.area.right(), width() - beside + g.thumb / 2));
    return g;
}

int FilmStrip::frameInRow(const Row& row) const {
    return stopIndexOf(row.stops, linkedStep(*row.run, shownCursor(m_document, m_selection)).evaluation);
}

int FilmStrip::currentFrame() const { return m_rows.empty() ? 0 : frameInRow(m_rows.front()); }

QRectF FilmStrip::frameRectOf(int row, int frame) const {
    if (row < 0 || row >= rowCount() || frame < 0 || frame >= int(m_rows[std::size_t(row)].stops.size())) return {};
    return geometryOf().thumbRect(row, m_rows[std::size_t(row)].strip.positions[std::size_t(frame)]);
}

std::optional<FilmStrip::Hit> FilmStrip::hitAt(QPointF page) const {
    if (m_rows.empty()) return {};
    const StripGeometry g = geometryOf();
    Hit hit{std::min(g.rowAt(page.y()), int(m_rows.size()) - 1), 0};
    auto frame = g.frameAt(m_rows[std::size_t(hit.row)].strip, page.x());
    if (!frame) return {};
    hit.frame = *frame;
    return hit;
}

void FilmStrip::mouseMoveEvent(QMouseEvent* event) {
    auto hit = hitAt(event->position());
    if (!hit) return;
    if (m_brushFrom) return brush(m_brushFrom->row, m_brushFrom->frame, hit->frame);
    const Row& row = m_rows[std::size_t(hit->row)];
    const StepCursor c = cursorFor(*row.run, row.stops[std::size_t(hit->frame)].evaluation);
    if (event->buttons() & Qt::LeftButton) m_selection.lockStep(c);
    else m_selection.hoverStep(c);
}

void FilmStrip::mousePressEvent(QMouseEvent* event) {
    auto hit = hitAt(event->position());
    if (!hit || event->button() != Qt::LeftButton) return;
    if (event->modifiers() & Qt::ShiftModifier) {
        m_brushFrom = hit;
        return brush(hit->row, hit->frame, hit->frame);
    }
    const Row& row = m_rows[std::size_t(hit->row)];
    if (const auto range = m_selection.stepRange()) {
        const auto steps = stepsIn(*row.run, *range);
        const int step = row.stops[std::size_t(hit->frame)].step;
        if (!steps || step < steps->first || step > steps->second) m_selection.setStepRange(std::nullopt);
    }
    m_selection.setFollowsLive(false);
    m_selection.lockStep(cursorFor(*row.run, row.stops[std::size_t(hit->frame)].evaluation));
}

void FilmStrip::mouseReleaseEvent(QMouseEvent*) { m_brushFrom.reset(); }

void FilmStrip::brush(int index, int fromFrame, int toFrame) {
    if (index < 0 || index >= rowCount()) return;
    const Row& row = m_rows[std::size_t(index)];
    const auto stepAt = [&](int frame) {
        return row.stops[std::size_t(std::clamp(frame, 0, int(row.stops.size()) - 1))].step;
    };
    brushSteps(row, stepAt(fromFrame), stepAt(toFrame));
}

void FilmStrip::brushSteps(const Row& row, int from, int to) {
    const Trajectory& t = *row.run->trajectory;
    if (t.evaluations.empty()) return;
    const int last = t.evaluations.back()->step, a = std::min({from, to, last}), b = std::min(std::max(from, to), last);
    const Evaluation *first = t.evaluationOf(a), *end = t.evaluationOf(b);
    if (!first || !end) return;
    m_selection.setStepRange(
        StepRange{qstr(row.run->id), a, b, std::min(first->logSnr, end->logSnr), std::max(first->logSnr, end->logSnr)});
}

void FilmStrip::moveRangeEnd(bool isFirst) {
    if (m_rows.empty()) return;
    const Row& row = m_rows.front();
    const int at = row.stops[std::size_t(currentFrame())].step;
    const auto range = m_selection.stepRange();
    const auto steps = range ? stepsIn(*row.run, *range) : std::nullopt;
    if (isFirst) brushSteps(row, at, std::max(at, steps ? steps->second : row.stops.back().step));
    else brushSteps(row, std::min(at, steps ? steps->first : 0), at);
}

std::optional<std::pair<int, int>> FilmStrip::framesIn(const Row& row, const StepRange& range) const {
    const auto steps = stepsIn(*row.run, range);
    if (!steps) return {};
    return std::pair(stopIndexOfStep(row.stops, steps->first), stopIndexOfStep(row.stops, steps->second));
}

std::pair<int, int> FilmStrip::playedFrames() const {
    const auto range = m_selection.stepRange();
    const auto frames = range && !m_rows.empty() ? framesIn(m_rows.front(), *range) : std::nullopt;
    return frames.value_or(std::pair(0, frameCount() - 1));
}

void FilmStrip::leaveEvent(QEvent*) { m_selection.clearHover(); }

void FilmStrip::moveTo(int frame) {
    if (m_rows.empty()) return;
    const Row& row = m_rows.front();
    const int last = int(row.stops.size()) - 1;
    m_selection.setFollowsLive(frame >= last);
    m_selection.clearHover();
    m_selection.lockStep(cursorFor(*row.run, row.stops[std::size_t(std::clamp(frame, 0, last))].evaluation));
}

void FilmStrip::moveBy(int frames) { moveTo(currentFrame() + frames); }

void FilmStrip::keyPressEvent(QKeyEvent* event) {
    const int stride = event->modifiers() & Qt::ShiftModifier ? 5 : 1;
    switch (event->key()) {
    case Qt::Key_Left: moveBy(-stride); break;
    case Qt::Key_Right: moveBy(stride); break;
    case Qt::Key_Home: moveTo(0); break;
    case Qt::Key_End: moveTo(frameCount() - 1); break;
    case Qt::Key_Space: emit playToggled(); break;
    case Qt::Key_BracketLeft: moveRangeEnd(true); break;
    case Qt::Key_BracketRight: moveRangeEnd(false); break;
    case Qt::Key_Escape:
        if (!m_selection.stepRange()) return QWidget::keyPressEvent(event);
        m_selection.setStepRange(std::nullopt);
        break;
    default: QWidget::keyPressEvent(event);
    }
}

void FilmStrip::resizeEvent(QResizeEvent*) { update(); }

void FilmStrip::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) update();
    QWidget::changeEvent(event);
}

void FilmStrip::setQuantity(Quantity q) {
    m_quantity = q;
    update();
}

void FilmStrip::speak() {
    if (m_rows.empty()) {
        setAccessibleDescription(tr("No frames"));
        return;
    }
    const Row& row = m_rows.front();
    const StepStop& f = row.stops[std::size_t(currentFrame())];
    setAccessibleDescription(f.evaluation < 0 ? stepText(*row.run, -1)
                                              : tr("%1, sigma %2")
                                                    .arg(stepText(*row.run, f.evaluation),
                                                         formatNumber(axisValue(*row.run, f, StepAxis::Sigma))));
}

}  // namespace meander::gui
