#include "gui/panels/trajectory/trajectory_panel.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <QSplitter>
#include <QVBoxLayout>
#include <cmath>

#include "engine/run/record_access.h"
#include "gui/document/run_text.h"
#include "gui/selection/step_link.h"

namespace meander::gui {
namespace {
// By what tells the runs of the plot apart, the number first.
QString legendName(const std::vector<RunCurves>& runs, std::size_t i) {
    const Run* beside = runs.size() > 1 ? runs[i == 0 ? 1 : 0].run.get() : nullptr;
    return TrajectoryPanel::tr("run %1 · %2").arg(runs[i].run->number).arg(runTitle(*runs[i].run, beside));
}
}  // namespace

TrajectoryPanel::TrajectoryPanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent),
      m_document(document),
      m_selection(selection),
      m_work(this, [this](const PanelCurves& c) { show(c); }) {
    setProperty("panel", true);
    setAttribute(Qt::WA_StyledBackground);
    m_path = new PlotView(this);
    m_path->setAccessibleName(tr("Path of the run"));
    m_quantity = new PlotView(this);
    m_quantity->setAccessibleName(tr("Diagnostic per step"));
    m_choice = new ChoiceField(this);
    m_choice->setAccessibleName(tr("Diagnostic shown"));
    m_choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    auto* right = new QWidget(this);
    auto* column = new QVBoxLayout(right);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(metrics::panelPadding, metrics::grid, metrics::panelPadding, 0);
    bar->addWidget(m_choice);
    bar->addStretch(1);
    column->addLayout(bar);
    column->addWidget(m_quantity, 1);
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->setChildrenCollapsible(false);
    split->addWidget(m_path);
    split->addWidget(right);
    split->setSizes({500, 500});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(split);

    connect(m_choice, &QComboBox::currentIndexChanged, this, [this] {
        plotQuantity();
        follow();
    });
    for (PlotView* view : {m_path, m_quantity}) {
        connect(view, &PlotView::snapPointHovered, this, [this](int frame) { select(frame, false); });
        connect(view, &PlotView::snapPointClicked, this, [this](int frame) { select(frame, true); });
        connect(view, &PlotView::hoverLeft, &selection, &SelectionModel::clearHover);
        connect(view, &PlotView::announced, &document, &Document::message);
    }
    const auto ifShown = [this](const QString& id) {
        if (id == m_selection.currentRun() || id == m_selection.comparedRun()) refresh();
    };
    connect(&document, &Document::trajectoryLoaded, this, ifShown);
    connect(&document, &Document::runFinished, this, ifShown);
    connect(&document, &Document::runChanged, this, [this](const QString& id) {
        if (id == m_selection.currentRun() || id == m_selection.comparedRun()) refreshSoon();
    });
    m_soon.setSingleShot(true);
    m_soon.setInterval(40);
    connect(&m_soon, &QTimer::timeout, this, &TrajectoryPanel::refresh);
    connect(&selection, &SelectionModel::runChanged, this, &TrajectoryPanel::refresh);
    connect(&selection, &SelectionModel::imageChanged, this, &TrajectoryPanel::refresh);
    connect(&selection, &SelectionModel::cursorChanged, this, &TrajectoryPanel::follow);
    connect(&selection, &SelectionModel::rangeChanged, this, &TrajectoryPanel::follow);
    connect(&selection, &SelectionModel::axisChanged, this, [this] {
        plotQuantity();
        follow();
    });
    refresh();
}

// A run under way may send a step per frame; four times as long as the curves take leaves the processor to the run.
void TrajectoryPanel::refreshSoon() {
    if (!m_soon.isActive()) m_soon.start();
}

void TrajectoryPanel::refresh() {
    std::vector<RunPtr> runs;
    for (const QString& id : {m_selection.currentRun(), m_selection.comparedRun()}) {
        const RunPtr run = id.isEmpty() ? nullptr : m_document.run(id);
        if (!run) continue;
        if (!run->trajectory) m_document.requestTrajectory(id);
        else runs.push_back(run);
    }
    m_asked.restart();
    m_work.request([runs, image = m_selection.image()] { return curvesOf(runs, image); });
}

void TrajectoryPanel::show(const PanelCurves& curves) {
    m_curves = curves;
    if (m_asked.isValid()) m_soon.setInterval(std::clamp(int(4 * m_asked.elapsed()), 40, 500));
    fillChoices();
    plotPath();
    plotQuantity();
    follow();
}

void TrajectoryPanel::fillChoices() {
    // A run under way comes here with every step; a list that is open must not be filled anew.
    const std::vector<Diagnostic> none, &wanted = m_curves.runs.empty() ? none : m_curves.runs.front().diagnostics;
    bool isSame = m_choice->count() == int(wanted.size());
    for (int i = 0; isSame && i < m_choice->count(); ++i)
        isSame = m_choice->itemData(i).toString() == qstr(wanted[std::size_t(i)].id);
    if (isSame && m_choice->count() > 0) return;
    const QString before = m_choice->currentData().toString();
    const QSignalBlocker quiet(m_choice);
    m_choice->clear();
    for (const auto& d : wanted) {
        m_choice->addItem(qstr(d.label), qstr(d.id));
        m_choice->setItemData(m_choice->count() - 1, qstr(d.formula + "\n" + d.reading), Qt::ToolTipRole);
    }
    const int at = m_choice->findData(before.isEmpty() ? QStringLiteral("D3") : before);
    m_choice->setCurrentIndex(std::max(0, at));
    m_choice->setVisible(m_choice->count() > 0);
}

void TrajectoryPanel::plotPath() {
    Plot plot;
    plot.title = (m_curves.runs.size() > 1 ? tr("Paths, each without its chord · %1") : tr("Path, chord removed · %1"))
                     .arg(qstr(m_curves.caption));
    plot.empty = emptyReason(m_document, m_selection.currentRun(),
                             tr("Run once to see how the path from noise to image bends."));
    // On a line there is nothing beside the chord.
    const bool isLine = !m_curves.runs.empty() && m_curves.runs.front().run->model.state.shape.count() == 1;
    if (m_curves.runs.empty() || isLine) plot.title.clear();
    if (isLine) {
        plot.empty =
            tr("States of one number cannot bend away from their chord; the canvas shows the paths themselves.");
        m_path->setPlot(std::move(plot));
        m_path->setSnapPoints({}, {}, true);
        return;
    }
    plot.x.label = tr("along the chord");
    plot.y.label = tr("PC1");
    plot.hasYTicks = true;
    std::vector<QPointF> snapPoints;
    QStringList texts;
    for (std::size_t i = 0; i < m_curves.runs.size(); ++i) {
        const RunCurves& r = m_curves.runs[i];
        LineLayer line;
        line.name = legendName(m_curves.runs, i);
        line.style = runStyle(runStyleIndex(m_document, *r.run), theme());
        for (std::size_t k = 0; k < r.path.size(); ++k) {
            // From left (noise) to right (image), as the run goes.
            const QPointF p(m_curves.chordLength - r.path[k].along, r.path[k].first);
            line.points.push_back(p);
            if (i) continue;
            snapPoints.push_back(p);
            texts << tr("step %1 of %2, %3 along the chord, %4 across")
                         .arg(k)
                         .arg(r.path.size() - 1)
                         .arg(formatNumber(p.x()), formatNumber(p.y()));
        }
        plot.add(std::move(line));
    }
    plot.hasLegend = m_curves.runs.size() > 1;
    plot.fitX(0.03);
    plot.fitY(0.12);
    const bool isPoints = !m_curves.runs.empty() && m_curves.runs.front().run->model.state.kind == StateKind::Points;
    plot.x.fixedTicks = {{0, tr("noise")}, {m_curves.chordLength, isPoints ? tr("point") : tr("image")}};
    m_path->setPlot(std::move(plot));
    m_path->setSnapPoints(std::move(snapPoints), texts, true);
}

void TrajectoryPanel::plotQuantity() {
    Plot plot;
    plot.empty = emptyReason(m_document, m_selection.currentRun(), tr("Run once to see what every step did."));
    const std::string id = m_choice->currentData().toString().toStdString();
    std::vector<QPointF> snapPoints;
    QStringList texts;
    for (std::size_t i = 0; i < m_curves.runs.size(); ++i) {
        const RunCurves& r = m_curves.runs[i];
        const std::vector<double> axis = axisValues(*r.run, stepStopsOf(*r.run), m_selection.axis());
        if (i == 0) m_axisValues = axis;
        const Diagnostic* d = findDiagnostic(r.diagnostics, id);
        if (!d) continue;
        LineLayer line;
        line.name = legendName(m_curves.runs, i);
        line.style = runStyle(runStyleIndex(m_document, *r.run), theme());
        for (std::size_t k = 0; k < d->values.size(); ++k) {
            const double x = k < axis.size() ? axis[k] : std::nan("");
            const bool has =
                std::isfinite(x) && std::isfinite(d->values[k]) && !(isLogAxis(m_selection.axis()) && x <= 0);
            line.points.emplace_back(has ? x : std::nan(""), has ? d->values[k] : std::nan(""));
            if (i) continue;
            snapPoints.push_back(line.points.back());
            texts << tr("step %1 of %2, %3 %4 %5")
                         .arg(k)
                         .arg(r.run->trajectory->steps.size())
                         .arg(qstr(d->label), formatNumber(d->values[k]), qstr(d->unit));
        }
        if (i == 0) {
            plot.title = qstr(d->label) + (d->unit.empty() ? QString() : QStringLiteral(" · ") + qstr(d->unit));
            if (std::isfinite(d->summary))
                plot.note = qstr(d->summaryLabel) + QStringLiteral(" ") + formatNumber(d->summary);
        }
        plot.add(std::move(line));
    }
    plot.x.label = axisName(m_selection.axis());
    plot.x.wholeNumbers = m_selection.axis() == StepAxis::Step;
    if (isLogAxis(m_selection.axis())) {
        plot.x.scale = Axis::Scale::Log;
        plot.x.reversed = true;
    }
    plot.hasLegend = m_curves.runs.size() > 1;
    plot.fitX(0.02);
    plot.fitY(0.1);
    m_quantity->setPlot(std::move(plot));
    m_quantity->setSnapPoints(std::move(snapPoints), texts);
}

std::optional<int> TrajectoryPanel::cursorFrame() const {
    if (m_curves.runs.empty()) return {};
    const Run& run = *m_curves.runs.front().run;
    const int at = linkedStep(run, shownCursor(m_document, m_selection)).evaluation;
    if (at < 0) return int(run.trajectory->steps.size());
    const Evaluation* e = evaluationAt(*run.trajectory, at);
    return e ? std::optional(e->step) : std::nullopt;
}

void TrajectoryPanel::follow() {
    const auto frame = cursorFrame();
    const auto mark = [&](PlotView* view) {
        const auto& layers = view->plot().layers;
        std::vector<CursorLayer::Mark> marks;
        const auto* line = layers.empty() ? nullptr : dynamic_cast<const LineLayer*>(layers.front().get());
        const bool has =
            frame && line && *frame < int(line->points.size()) && std::isfinite(line->points[std::size_t(*frame)].y());
        if (has) marks.push_back({line->points[std::size_t(*frame)], line->style.color, false});
        view->setCursor(has ? frame : std::nullopt, std::move(marks));
    };
    mark(m_path);
    mark(m_quantity);
    std::optional<std::pair<double, double>> band;
    if (const auto range = m_selection.stepRange(); range && !m_curves.runs.empty())
        if (const auto steps = stepsIn(*m_curves.runs.front().run, *range);
            steps && std::size_t(std::max(steps->first, steps->second)) < m_axisValues.size())
            band = std::pair(m_axisValues[std::size_t(steps->first)], m_axisValues[std::size_t(steps->second)]);
    m_quantity->setRange(band);
}

void TrajectoryPanel::select(int frame, bool lock) {
    if (m_curves.runs.empty()) return;
    const auto& run = *m_curves.runs.front().run;
    StepCursor cursor{QString::fromStdString(run.id), -1, std::numeric_limits<double>::infinity()};
    if (const Evaluation* e = run.trajectory->evaluationOf(frame)) {
        cursor.evaluation = e->index;
        cursor.logSnr = e->logSnr;
    }
    if (lock) m_selection.lockStep(cursor);
    else m_selection.hoverStep(cursor);
}

void TrajectoryPanel::changeEvent(QEvent* e) {
    if (e->type() == QEvent::PaletteChange) {
        plotPath();
        plotQuantity();
        follow();
    }
    QWidget::changeEvent(e);
}

}  // namespace meander::gui
