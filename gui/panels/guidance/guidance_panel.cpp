#include "gui/panels/guidance/guidance_panel.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <cmath>

#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/selection/step_link.h"

namespace meander::gui {
namespace {

constexpr std::size_t mostRemembered = 256;
constexpr double valueGrid = 0.5;  // what a dragged value is caught by

QString keyOf(const DraftCurve& c) {
    return QStringLiteral("%1.%2").arg(c.rule).arg(qstr(c.param.rule + "." + c.param.curve));
}

}  // namespace

GuidancePanel::GuidancePanel(Document& document, SelectionModel& selection, QWidget* parent)
    : FrontPanel(parent),
      m_document(document),
      m_selection(selection),
      m_source(new EvidenceSource(document, selection, this)),
      m_editor(new CurveEditor(this)),
      m_table(new CurveTable(this)),
      m_foot(new ElidedLabel(this)),
      m_cost(new QLabel(this)) {
    setObjectName("guidancePanel");
    setProperty("panel", true);
    setProperty("helpPage", "editors.md");
    setAttribute(Qt::WA_StyledBackground);
    m_editor->setObjectName("guidanceEditor");
    m_table->setObjectName("guidanceTable");
    m_table->setAccessibleName(tr("Values of the curve"));
    m_table->setMinimumWidth(220);
    m_table->setMaximumWidth(320);
    for (QLabel* l : {static_cast<QLabel*>(m_foot), m_cost}) l->setFont(interfaceFont(8.5));
    m_foot->setProperty("muted", true);
    m_cost->setObjectName("guidanceCost");
    m_cost->setProperty("accent", true);
    auto* middle = new QHBoxLayout;
    middle->setContentsMargins(0, 0, 0, 0);
    middle->setSpacing(0);
    middle->addWidget(m_editor, 1);
    middle->addWidget(m_table);
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(metrics::panelPadding, 0, metrics::panelPadding, 3);
    foot->setSpacing(16);
    foot->addWidget(m_foot, 1);
    foot->addWidget(m_cost);
    auto* box = new QVBoxLayout(body());
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    box->addWidget(buildBar());
    box->addLayout(middle, 1);
    box->addLayout(foot);
    m_table->hide();
    connectEditor();
    connect(&document, &Document::draftChanged, this, &GuidancePanel::refresh);
    connect(&document, &Document::planChanged, this, &GuidancePanel::refresh);
    connect(m_source, &EvidenceSource::changed, this, &GuidancePanel::draw);
    connect(&selection, &SelectionModel::cursorChanged, this, &GuidancePanel::follow);
    refresh();
}

void GuidancePanel::connectEditor() {
    connect(m_editor, &CurveEditor::dragStarted, this, [this] {
        m_dragValues = m_values;
        m_dragControls = m_controls;
        m_fixedAxis = std::pair(m_editor->plot().y.lo, m_editor->plot().y.hi);
    });
    connect(m_editor, &CurveEditor::dragged, this, [this](QPointF by, bool isProportional, bool isFree) {
        shift(m_dragValues, m_dragControls, by, isProportional, isFree);
        draw();
    });
    connect(m_editor, &CurveEditor::dragEnded, this, &GuidancePanel::endDrag);
    connect(m_editor, &CurveEditor::nudged, this, [this](QPointF by, bool isProportional) {
        shift(std::vector<double>(m_values), std::vector<CurvePoint>(m_controls), by, isProportional, true);
        commit(m_values, tr("guidance"), QStringLiteral("guidance.keys/%1").arg(m_session));
    });
    connect(m_editor, &CurveEditor::guideDragged, this, &GuidancePanel::dragGuide);
    connect(m_editor, &CurveEditor::guideEnded, this, [this](int, bool isKept) {
        m_fixedAxis.reset();
        if (isKept && m_curve) commitInterval(m_interval, tr("guidance interval"));
        else read();
    });
    connect(m_editor, &CurveEditor::insertAsked, this, &GuidancePanel::insert);
    connect(m_editor, &CurveEditor::removeAsked, this, &GuidancePanel::remove);
    connect(m_editor, &CurveEditor::valueAsked, this, [this](int point) {
        if (m_mode != Mode::Points) return;
        setTableShown(true);
        m_table->choose({point}, point);
        m_table->setFocus(Qt::OtherFocusReason);
        m_table->edit(m_table->rows()->index(point, 2));
    });
    connect(m_editor, &CurveEditor::copyAsked, this, &GuidancePanel::copyText);
    connect(m_editor, &CurveEditor::pasteAsked, this, &GuidancePanel::paste);
    connect(m_editor, &CurveEditor::snapAsked, this, [this] { setSnap(!m_snaps); });
    connect(m_editor, &CurveEditor::menuAsked, this, [this](QPoint at) { m_editMenu->popup(at); });
    connect(m_editor, &CurveEditor::announced, &m_document, &Document::message);
    connect(m_editor, &CurveEditor::selectionChanged, this, [this] {
        ++m_session;
        if (m_mode == Mode::Points) m_table->choose(m_editor->selection(), m_editor->anchor());
        showFoot();
    });
    connect(m_editor, &CurveEditor::proportionalChanged, m_proportionalButton, &QToolButton::setChecked);
    connect(m_editor, &PlotView::snapPointHovered, this, [this](int step) { select(step, false); });
    connect(m_editor, &PlotView::snapPointClicked, this, [this](int step) { select(step, true); });
    connect(m_editor, &PlotView::hoverLeft, this, [this] {
        m_selection.clearHover();
        follow();
    });
    connect(m_table, &CurveTable::chosen, this, [this](const QList<int>& rows, int anchor) {
        if (m_mode == Mode::Points) m_editor->setSelection(rows, rows.contains(anchor) ? anchor : -1);
    });
    connect(m_table->rows(), &CurveTableModel::edited, this, &GuidancePanel::typed);
}

void GuidancePanel::refresh() {
    if (m_editor->isDragging()) return;  // the hand's own edit follows
    const auto curves = draftCurves(m_document.draft());
    const QSignalBlocker quiet(m_curveField);
    QStringList keys;
    for (const DraftCurve& c : curves) keys << keyOf(c);
    QStringList shown;
    for (int i = 0; i < m_curveField->count(); ++i)
        shown << m_curveField->itemData(i).toString() + m_curveField->itemText(i);
    QStringList wanted;
    for (const DraftCurve& c : curves) wanted << keyOf(c) + c.label;
    if (shown != wanted) {
        m_curveField->clear();
        for (const DraftCurve& c : curves) m_curveField->addChoice(keyOf(c), c.label);
    }
    const qsizetype at = std::max<qsizetype>(0, keys.indexOf(m_chosenCurve));
    m_curve = curves.empty() ? std::nullopt : std::optional(curves[std::size_t(at)]);
    if (m_curve) m_curveField->setChoice(keyOf(*m_curve));
    m_curveField->setVisible(m_curve.has_value());
    m_add->setVisible(!m_curve);
    m_process.reset();
    m_levels.clear();
    if (const auto& plan = m_document.draftPlan()) {
        m_process = plan->model.process;
        m_levels = plan->levels;
    }
    m_problem = m_document.draftPlan() ? QString() : qstr(m_document.draftPlan().error().text);
    read();
}

// The draft's curve, as it is shown.
void GuidancePanel::read() {
    if (!m_curve || m_levels.size() < 2) return draw();
    const int steps = int(m_levels.size()) - 1;
    const auto full = resolveParams(findGuidance(m_curve->param.rule)->params, params(), m_curve->param.rule);
    if (!full) {
        m_problem = qstr(full.error().text);
        m_values.clear();
        return draw();
    }
    m_values = m_draftValues = weights::curveOf(*full, m_curve->param, steps);
    m_interval = m_curve->hasInterval ? intervalOf(*full, *m_process, m_levels) : StepInterval{-0.5, steps - 0.5};
    const auto known =
        std::find_if(m_drawn.rbegin(), m_drawn.rend(), [this](const auto& pair) { return pair.first == m_values; });
    if (known != m_drawn.rend()) {
        m_controls = known->second;
    } else {
        std::vector<CurvePoint> points;
        for (int k = 0; k < steps; ++k)
            points.push_back({steps < 2 ? 0 : double(k) / (steps - 1), m_values[std::size_t(k)]});
        const auto [least, most] = std::minmax_element(m_values.begin(), m_values.end());
        m_controls = fewPointsThrough(points, 6, std::max(1e-9, (*most - *least) / 100));
        if (m_controls.size() == 2 && steps > 2) {  // a straight line is bent in the middle
            m_controls.insert(m_controls.begin() + 1, {0.5, MonotoneCubic(m_controls).at(0.5)});
        }
    }
    draw();
}

Params GuidancePanel::editedParams() const {
    Params p = params();
    if (m_values != m_draftValues) weights::setCurve(p, m_curve->param, m_values);
    if (m_editor->isDragging() && m_curve->hasInterval && m_interval != m_dragInterval && m_process)
        setInterval(p, m_interval, *m_process, m_levels);
    return p;
}

void GuidancePanel::commitParams(const Params& next, const QString& label, const QString& mergeKey) {
    Recipe recipe = m_document.draft();
    recipe.guidance[m_curve->rule].params = next;
    m_document.editDraft(recipe, label, mergeKey);
}

void GuidancePanel::commit(const std::vector<double>& values, const QString& label, const QString& mergeKey) {
    if (!m_curve || values.empty()) return;
    if (values == m_draftValues) return read();
    if (mergeKey.isEmpty()) ++m_session;
    if (m_mode == Mode::Curve) {
        m_drawn.emplace_back(values, m_controls);
        if (m_drawn.size() > mostRemembered) m_drawn.erase(m_drawn.begin());
    }
    Params next = params();
    weights::setCurve(next, m_curve->param, values);
    commitParams(next, label, mergeKey);
}

void GuidancePanel::commitInterval(const StepInterval& interval, const QString& label) {
    if (!m_curve || !m_process || interval == m_dragInterval) return read();
    Params next = params();
    setInterval(next, interval, *m_process, m_levels);
    commitParams(next, label);
}

std::vector<double> GuidancePanel::fromControls() const {
    const MonotoneCubic cubic(m_controls);
    std::vector<double> values;
    const int steps = int(m_values.size());
    for (int k = 0; k < steps; ++k) values.push_back(cubic.at(steps < 2 ? 0 : double(k) / (steps - 1)));
    return values;
}

void GuidancePanel::shiftControls(const std::vector<CurvePoint>& from, QPointF by) {
    m_controls = from;
    const Axis &x = m_editor->plot().x, &y = m_editor->plot().y;
    const int n = int(from.size());
    for (const int i : m_editor->selection()) {
        CurvePoint& c = m_controls[std::size_t(i)];
        c.y = std::clamp(c.y + by.y() * (y.hi - y.lo), m_curve->minimum, m_curve->maximum);
        if (i == 0 || i == n - 1 || m_across != Across::Step) continue;
        const double apart = 1e-2, left = m_controls[std::size_t(i) - 1].x + apart,
                     right = m_controls[std::size_t(i) + 1].x - apart;
        if (left < right)
            c.x = std::clamp(c.x + by.x() * (x.hi - x.lo) / std::max(1.0, double(m_values.size()) - 1), left, right);
    }
    m_values = fromControls();
}

void GuidancePanel::shift(const std::vector<double>& from, const std::vector<CurvePoint>& controls, QPointF by,
                          bool isProportional, bool isFree) {
    if (!m_curve || from.empty()) return;
    if (m_mode == Mode::Curve) return shiftControls(controls, by);
    const Axis& y = m_editor->plot().y;
    double distance = by.y() * (y.hi - y.lo);
    const int anchor = m_editor->anchor();
    std::optional<CurveEditor::SnapMark> mark;
    if (m_snaps && !isFree && anchor >= 0) {
        const double own = from[std::size_t(anchor)],
                     reach = 8 / std::max(1.0, m_editor->plotArea().height()) * (y.hi - y.lo),
                     at = std::round((own + distance) / valueGrid) * valueGrid;
        if (std::abs(at - own - distance) <= reach) {
            distance = at - own;
            mark = {at, formatNumber(at)};
        }
    }
    m_editor->setSnapMark(mark);
    std::vector<double> next = from;
    const double radius = isProportional ? m_editor->radius() : 0;
    for (int k = 0; k < int(next.size()); ++k) {
        double weight = 0;
        for (const int s : m_editor->selection()) {
            const double d = radius > 0 ? std::abs(k - s) / radius : std::abs(k - s);
            if (d < 1) weight = std::max(weight, std::pow(1 - d * d, 2));
        }
        if (weight > 0)
            next[std::size_t(k)] =
                std::clamp(next[std::size_t(k)] + weight * distance, m_curve->minimum, m_curve->maximum);
    }
    m_values = std::move(next);
}

void GuidancePanel::endDrag(bool isKept) {
    m_fixedAxis.reset();
    if (!isKept) return read();
    commit(m_values, tr("guidance"));
}

void GuidancePanel::dragGuide(int guide, double x, bool isFree) {
    if (!m_curve || m_levels.size() < 2) return;
    if (!m_fixedAxis) {
        m_fixedAxis = std::pair(m_editor->plot().y.lo, m_editor->plot().y.hi);
        m_dragInterval = m_interval;
    }
    const double last = double(m_levels.size()) - 1.5;
    double at = std::clamp(stepOfAcross(x), -0.5, last);
    if (!isFree) at = std::clamp(std::floor(at) + 0.5, -0.5, last);  // between two steps, where nothing is in doubt
    if (guide == 0) m_interval.first = std::min(at, m_interval.end - 1);
    else m_interval.end = std::max(at, m_interval.first + 1);
    draw();
}

void GuidancePanel::insert(std::optional<double> x) {
    if (m_mode != Mode::Curve || m_controls.size() < 2) return;
    const double share = x ? std::clamp(stepOfAcross(*x) / std::max(1.0, double(m_values.size()) - 1), 0.0, 1.0) : 0.5;
    const auto next =
        std::find_if(m_controls.begin(), m_controls.end(), [share](const CurvePoint& c) { return c.x >= share; });
    if (next == m_controls.begin() || next == m_controls.end() || next->x - share < 0.01
        || share - (next - 1)->x < 0.01)
        return;
    m_controls.insert(next, {share, MonotoneCubic(m_controls).at(share)});
    draw();
}

// In the curve a control point; of the points the value goes to where the rule does nothing.
void GuidancePanel::remove() {
    if (!m_curve) return;
    if (m_mode == Mode::Points) {
        std::vector<double> next = m_values;
        for (const int i : m_editor->selection()) next[std::size_t(i)] = m_curve->param.neutral;
        return commit(next, tr("neutral guidance"));
    }
    QList<int> falling = m_editor->selection();
    std::sort(falling.rbegin(), falling.rend());
    for (const int i : falling)
        if (i > 0 && i + 1 < int(m_controls.size())) m_controls.erase(m_controls.begin() + i);
    m_values = fromControls();
    commit(m_values, tr("guidance"));
}

void GuidancePanel::typed(int row, int, const QString& text) {
    bool isNumber = false;
    const double value = text.toDouble(&isNumber);
    if (!m_curve || !isNumber || value < m_curve->minimum || value > m_curve->maximum)
        return tell(
            tr("'%1' is no value from %2 to %3.")
                .arg(text, numberText(m_curve ? m_curve->minimum : 0), numberText(m_curve ? m_curve->maximum : 0)));
    if (m_mode == Mode::Curve) setMode(Mode::Points);
    std::vector<double> next = m_values;
    next[std::size_t(row)] = value;
    commit(next, tr("guidance"));
}

void GuidancePanel::follow() {
    if (m_editor->underMouse() || m_levels.size() < 2 || !m_process || !m_curve) return;
    const StepCursor cursor = shownCursor(m_document, m_selection);
    std::optional<int> nearest;
    if (cursor.evaluation >= 0 && std::isfinite(cursor.logSnr)) {
        double least = INFINITY;
        for (std::size_t k = 0; k + 1 < m_levels.size(); ++k)
            if (const double d = std::abs(m_process->logSnr(m_levels[k]) - cursor.logSnr); d < least)
                nearest = int(k), least = d;
    }
    m_editor->setCursor(nearest);
}

void GuidancePanel::select(int step, bool lock) {
    m_editor->setCursor(step);
    m_foot->setText(stepText(step));
    const RunPtr run = m_document.run(m_selection.currentRun());
    if (!run || !run->trajectory || !m_process || step + 1 >= int(m_levels.size())) return;
    StepCursor at;
    at.logSnr = m_process->logSnr(m_levels[std::size_t(step)]);
    const StepCursor linked = cursorFor(*run, linkedStep(*run, at).evaluation);
    if (lock) m_selection.lockStep(linked);
    else m_selection.hoverStep(linked);
}

void GuidancePanel::frontChanged() {
    m_source->setWatched(isInFront());
    draw();
}

void GuidancePanel::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) draw();
    QWidget::changeEvent(event);
}

}  // namespace meander::gui
