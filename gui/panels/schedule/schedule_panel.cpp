#include "gui/panels/schedule/schedule_panel.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <cmath>

#include "gui/document/run_text.h"
#include "gui/forms/operation_dialog.h"
#include "gui/look/theme.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

using namespace levels;

namespace {
constexpr std::size_t mostRemembered = 256;
}

SchedulePanel::SchedulePanel(Document& document, SelectionModel& selection, QWidget* parent)
    : FrontPanel(parent),
      m_document(document),
      m_selection(selection),
      m_source(new EvidenceSource(document, selection, this)),
      m_editor(new CurveEditor(this)),
      m_table(new CurveTable(this)),
      m_foot(new ElidedLabel(this)) {
    setObjectName("schedulePanel");
    setProperty("panel", true);
    setProperty("helpPage", "editors.md");
    setAttribute(Qt::WA_StyledBackground);
    m_editor->setObjectName("scheduleEditor");
    m_table->setObjectName("scheduleTable");
    m_table->setAccessibleName(tr("Levels of the schedule"));
    m_table->setMinimumWidth(220);
    m_table->setMaximumWidth(320);
    m_foot->setProperty("muted", true);
    m_foot->setFont(interfaceFont(8.5));
    auto* middle = new QHBoxLayout;
    middle->setContentsMargins(0, 0, 0, 0);
    middle->setSpacing(0);
    middle->addWidget(m_editor, 1);
    middle->addWidget(m_table);
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(metrics::panelPadding, 0, metrics::panelPadding, 3);
    foot->addWidget(m_foot, 1);
    auto* box = new QVBoxLayout(body());
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    box->addWidget(buildBar());
    box->addLayout(middle, 1);
    box->addLayout(foot);
    m_table->rows()->setColumns({{tr("step"), {}, false},
                                 {QStringLiteral("σ"), tr("Noise level n/s"), true},
                                 {QStringLiteral("λ"), tr("Half the log-SNR, ln(s/n)"), true},
                                 {QStringLiteral("t"), tr("The network's time"), true}});
    m_table->hide();
    connectEditor();
    connect(&document, &Document::draftChanged, this, &SchedulePanel::refresh);
    connect(&document, &Document::planChanged, this, &SchedulePanel::refresh);
    connect(m_source, &EvidenceSource::changed, this, &SchedulePanel::draw);
    connect(&selection, &SelectionModel::cursorChanged, this, &SchedulePanel::follow);
    refresh();
}

void SchedulePanel::connectEditor() {
    connect(m_editor, &CurveEditor::dragStarted, this, [this] {
        m_dragLevels = m_levels;
        m_dragControls = m_controls;
        m_fixedAxis = std::pair(m_editor->plot().y.lo, m_editor->plot().y.hi);
    });
    connect(m_editor, &CurveEditor::dragged, this, &SchedulePanel::drag);
    connect(m_editor, &CurveEditor::dragEnded, this, &SchedulePanel::endDrag);
    connect(m_editor, &CurveEditor::nudged, this, &SchedulePanel::nudge);
    connect(m_editor, &CurveEditor::insertAsked, this, &SchedulePanel::insert);
    connect(m_editor, &CurveEditor::removeAsked, this, &SchedulePanel::remove);
    connect(m_editor, &CurveEditor::valueAsked, this, &SchedulePanel::askValue);
    connect(m_editor, &CurveEditor::copyAsked, this, &SchedulePanel::copyText);
    connect(m_editor, &CurveEditor::pasteAsked, this, &SchedulePanel::paste);
    connect(m_editor, &CurveEditor::lockAsked, this, [this] { setLocked(!m_isLocked); });
    connect(m_editor, &CurveEditor::snapAsked, this, [this] { setSnap(m_snap == Snap::Off ? m_lastSnap : Snap::Off); });
    connect(m_editor, &CurveEditor::menuAsked, this, [this](QPoint at) { m_editMenu->popup(at); });
    connect(m_editor, &CurveEditor::announced, &m_document, &Document::message);
    connect(m_editor, &CurveEditor::selectionChanged, this, [this] {
        ++m_session;
        if (m_mode == Mode::Points) m_table->choose(m_editor->selection(), m_editor->anchor());
        showFoot();
    });
    connect(m_editor, &CurveEditor::proportionalChanged, m_proportionalButton, &QToolButton::setChecked);
    connect(m_editor, &PlotView::snapPointHovered, this, [this](int level) { select(level, false); });
    connect(m_editor, &PlotView::snapPointClicked, this, [this](int level) { select(level, true); });
    connect(m_editor, &PlotView::hoverLeft, this, [this] {
        m_selection.clearHover();
        follow();
    });
    connect(m_table, &CurveTable::chosen, this, [this](const QList<int>& rows, int anchor) {
        QList<int> points = rows;
        points.removeIf([this](int r) { return r >= movableCount(m_levels); });
        if (m_mode == Mode::Points) m_editor->setSelection(points, points.contains(anchor) ? anchor : -1);
    });
    connect(m_table->rows(), &CurveTableModel::edited, this, &SchedulePanel::typed);
}

void SchedulePanel::refresh() {
    ScheduleDraft draft = scheduleDraft(m_document);
    // Another model while a hand drags: what it holds is gone.
    if (m_editor->isDragging() && draft.levels == m_draft.levels) return;
    const bool isSame = draft.levels == m_levels && draft.process && m_draft.process
                        && draft.process->name() == m_draft.process->name() && draft.problem == m_draft.problem;
    m_draft = std::move(draft);
    m_fixedAxis.reset();
    if (!m_isReadingChosen) m_reading = m_draft.isFlow() ? Reading::Time : Reading::Sigma;
    m_readingField->setCurrent(int(m_reading));
    if (!isSame) {
        m_levels = m_draft.levels;
        m_preview.clear();
        const auto known =
            std::find_if(m_drawn.rbegin(), m_drawn.rend(), [this](const auto& pair) { return pair.first == m_levels; });
        if (known != m_drawn.rend()) m_controls = known->second;
        else if (m_draft.process && !m_levels.empty())
            m_controls = controlsOf(m_levels, m_draft.isFlow() ? Reading::Time : Reading::Sigma, *m_draft.process);
    }
    draw();
}

void SchedulePanel::commit(const std::vector<double>& levels, const QString& label, const QString& mergeKey) {
    if (!isFalling(levels) || levels == m_draft.levels) {
        m_levels = m_draft.levels;
        return draw();
    }
    if (mergeKey.isEmpty()) ++m_session;
    if (m_mode == Mode::Curve) {
        m_drawn.emplace_back(levels, m_controls);
        if (m_drawn.size() > mostRemembered) m_drawn.erase(m_drawn.begin());
    }
    m_document.editDraft(withLevels(m_document.draft(), levels), label, mergeKey);
}

double SchedulePanel::coordinateOfShare(double share) const {
    const Axis& y = m_editor->plot().y;
    return share * (y.scale == Axis::Scale::Log ? std::log(y.hi / y.lo) : y.hi - y.lo);
}

std::vector<double> SchedulePanel::fromControls() const {
    std::vector<double> drawn = sampled(m_controls, int(m_levels.size()) - 1, endsClean(m_levels), *m_draft.process);
    const int n = movableCount(m_levels);
    if (m_isLocked && movableCount(drawn) == n && n > 0) {  // they keep every bit
        drawn.front() = m_levels.front();
        drawn[std::size_t(n) - 1] = m_levels[std::size_t(n) - 1];
    }
    return isFalling(drawn) ? drawn : m_levels;
}

void SchedulePanel::shiftControls(const ControlCurve& from, QPointF by) {
    m_controls = from;
    const double dx =
        by.x() * (m_editor->plot().x.hi - m_editor->plot().x.lo) / std::max(1, movableCount(m_levels) - 1);
    for (const int i : m_editor->selection()) {
        const CurvePoint& c = from.points[std::size_t(i)];
        const double tau = levelAt(c.y, from.reading, *m_draft.process),
                     moved = coordinateOf(tau, m_reading, *m_draft.process) + coordinateOfShare(by.y());
        m_controls =
            movedPoint(m_controls, i, c.x + dx,
                       coordinateOf(levelAt(moved, m_reading, *m_draft.process), from.reading, *m_draft.process),
                       m_isLocked, *m_draft.process);
    }
    m_levels = fromControls();
}

void SchedulePanel::shift(const std::vector<double>& from, const ControlCurve& controls, QPointF by,
                          bool isProportional, bool isFree) {
    if (from.empty() || !m_draft.process) return;
    if (m_mode == Mode::Curve) return shiftControls(controls, by);
    const QList<int> selection = m_editor->selection();
    const std::vector<int> chosen(selection.begin(), selection.end());
    const auto weights = followWeights(from, chosen, isProportional ? m_editor->radius() : 0, m_isLocked);
    const int anchor = m_editor->anchor();
    double distance = coordinateOfShare(by.y());
    std::optional<CurveEditor::SnapMark> mark;
    if (anchor >= 0 && anchor < int(weights.size()) && weights[std::size_t(anchor)] > 0 && !isFree) {
        const double own = coordinateOf(from[std::size_t(anchor)], m_reading, *m_draft.process),
                     reach = std::abs(coordinateOfShare(8 / std::max(1.0, m_editor->plotArea().height())));
        double nearest = reach;
        for (const SnapTarget& t : snapTargets(anchor, levelAt(own + distance, m_reading, *m_draft.process))) {
            const double at = coordinateOf(t.tau, m_reading, *m_draft.process);
            if (std::abs(at - own - distance) > nearest) continue;
            nearest = std::abs(at - own - distance);
            mark = {shown(t.tau), t.name};
            m_levels = chosen.size() == 1 && !isProportional
                           ? placed(from, anchor, t.tau, *m_draft.process)
                           : moved(from, weights, at - own, m_reading, *m_draft.process);
        }
    }
    m_editor->setSnapMark(mark);
    if (!mark) m_levels = moved(from, weights, distance, m_reading, *m_draft.process);
}

void SchedulePanel::drag(QPointF by, bool isProportional, bool isFree) {
    m_levels = m_dragLevels;
    shift(m_dragLevels, m_dragControls, by, isProportional, isFree);
    draw();
}

void SchedulePanel::endDrag(bool isKept) {
    m_fixedAxis.reset();
    if (!isKept) {
        m_levels = m_dragLevels;
        m_controls = m_dragControls;
        return draw();
    }
    commit(m_levels, tr("schedule"));
}

void SchedulePanel::nudge(QPointF by, bool isProportional) {
    shift(m_levels, m_controls, by, isProportional, true);
    commit(m_levels, tr("schedule"), QStringLiteral("schedule.keys/%1").arg(m_session));
}

void SchedulePanel::insert(std::optional<double> x) {
    if (m_levels.empty()) return;
    if (m_mode == Mode::Curve) {
        const double share = x ? *x / std::max(1, movableCount(m_levels) - 1) : 0.5;
        m_controls = withPointAt(m_controls, share);
        return draw();  // the curve is the same
    }
    const int after = x                         ? int(std::floor(*x))
                      : m_editor->anchor() >= 0 ? m_editor->anchor()
                                                : movableCount(m_levels) - 1;
    const auto next = withOneAfter(m_levels, std::clamp(after, 0, movableCount(m_levels) - 1), *m_draft.process);
    const bool isNew = next.size() > m_levels.size();
    commit(next, tr("insert a step"));
    if (isNew) m_editor->setSelection({std::clamp(after, 0, movableCount(m_levels) - 1) + 1});
}

void SchedulePanel::remove() {
    const QList<int> chosen = m_editor->selection();
    if (m_mode == Mode::Curve) {
        QList<int> falling = chosen;
        std::sort(falling.rbegin(), falling.rend());
        for (const int i : falling) m_controls = withoutPoint(m_controls, i);
        m_levels = fromControls();
        return commit(m_levels, tr("schedule"));
    }
    const int anchor = m_editor->anchor();
    commit(without(m_levels, {chosen.begin(), chosen.end()}, m_isLocked), tr("remove steps"));
    if (anchor >= 0) m_editor->setSelection({std::min(anchor, movableCount(m_levels) - 1)});
}

void SchedulePanel::typed(int row, int column, const QString& text) {
    bool isNumber = false;
    const double value = QString(text).replace(QStringLiteral("−"), QStringLiteral("-")).toDouble(&isNumber);
    if (!isNumber || !m_draft.process) return tell(tr("'%1' is no number.").arg(text));
    const bool isLockedEnd = m_isLocked && (row == 0 || row == movableCount(m_levels) - 1);
    if (isLockedEnd) return tell(tr("The ends are locked. Unlock them (L) to type another level."));
    if (m_mode == Mode::Curve) setMode(Mode::Points);
    const double tau = levelOf(value, Reading(column - 1), *m_draft.process);
    commit(placed(m_levels, row, tau, *m_draft.process), tr("level"));
}

void SchedulePanel::askValue(int point) {
    if (m_mode == Mode::Points && point < movableCount(m_levels)) {
        setTableShown(true);
        m_table->choose({point}, point);
        m_table->setFocus(Qt::OtherFocusReason);
        m_table->edit(m_table->rows()->index(point, 1 + int(m_reading)));
    }
}

void SchedulePanel::follow() {
    if (m_editor->underMouse() || m_levels.empty() || !m_draft.process) return;
    const StepCursor cursor = shownCursor(m_document, m_selection);
    std::optional<int> nearest;
    if (cursor.evaluation >= 0 && std::isfinite(cursor.logSnr)) {
        double least = INFINITY;
        for (int i = 0; i < movableCount(m_levels); ++i)
            if (const double d = std::abs(m_draft.process->logSnr(m_levels[std::size_t(i)]) - cursor.logSnr); d < least)
                nearest = i, least = d;
    }
    m_editor->setCursor(nearest);
}

void SchedulePanel::select(int level, bool lock) {
    m_editor->setCursor(level);
    m_foot->setText(levelText(level));
    const RunPtr run = m_document.run(m_selection.currentRun());
    if (!run || !run->trajectory || !m_draft.process || level >= int(m_levels.size())) return;
    StepCursor at;
    at.logSnr = m_draft.process->logSnr(m_levels[std::size_t(level)]);
    const StepCursor linked = cursorFor(*run, std::isfinite(at.logSnr) ? linkedStep(*run, at).evaluation : -1);
    if (lock) m_selection.lockStep(linked);
    else m_selection.hoverStep(linked);
}

void SchedulePanel::frontChanged() {
    m_source->setWatched(isInFront());
    draw();
}

void SchedulePanel::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) draw();
    QWidget::changeEvent(event);
}

}  // namespace meander::gui
