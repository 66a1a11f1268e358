#include "gui/panels/recipe/schedule_preview.h"

#include <QEvent>
#include <cmath>

#include "gui/document/run_text.h"

namespace meander::gui {
namespace {

// What the axis shows of a clock value: σ, and t for flows, whose σ is infinite at the start.
std::vector<double> shown(const std::vector<double>& taus, const Process& process) {
    std::vector<double> levels;
    for (const double tau : taus)
        levels.push_back(process.kind() == ProcessKind::RectifiedFlow ? tau : process.sigma(tau));
    return levels;
}

LineLayer curve(const QString& name, const std::vector<double>& levels, const QColor& color) {
    LineLayer line;
    line.name = name;
    line.style = {color, {}, Marker::Circle};
    line.markerRadius = levels.size() > 61 ? 0 : 1.8;
    line.width = 1.6;
    for (std::size_t k = 0; k < levels.size(); ++k)
        if (levels[k] > 0) line.points.emplace_back(double(k), levels[k]);
    return line;
}

}  // namespace

SchedulePreview::SchedulePreview(QWidget* parent) : PlotView(parent) {
    setObjectName("schedulePreview");
    setToolTip(tr("Double-click to draw the schedule as a curve"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    // What the pointer or the arrow keys stand on is read out here; the draft has no steps that other views could show.
    connect(this, &PlotView::snapPointHovered, this, [this](int snapPoint) { setCursor(snapPoint); });
    connect(this, &PlotView::snapPointClicked, this, [this](int snapPoint) { setCursor(snapPoint); });
    connect(this, &PlotView::hoverLeft, this, [this] { setCursor(std::nullopt); });
    draw();
}

void SchedulePreview::show(const Plan* plan, const Run* reference) {
    m_isStale = !plan;
    if (plan) {
        const Process& process = plan->model.process;
        m_levels = shown(plan->levels, process);
        m_isFlow = process.kind() == ProcessKind::RectifiedFlow;
        m_endsClean = !m_levels.empty() && m_levels.back() == 0;
        m_steps = plan->intervals();
        m_others.clear();
        if (reference && reference->trajectory
            && (reference->model.process.kind() == ProcessKind::RectifiedFlow) == m_isFlow)
            m_others = shown(reference->trajectory->levels, reference->model.process);
        if (m_others == m_levels) m_others.clear();
    }
    draw();
}

void SchedulePreview::draw() {
    const Theme& t = theme();
    Plot plot;
    plot.empty = tr("The levels appear here when the recipe can run.");
    const QString quantity = m_isFlow ? QStringLiteral("t") : QStringLiteral("σ");
    if (!m_levels.empty()) {
        plot.title =
            tr("Noise level %1 over %2").arg(quantity, m_steps == 1 ? tr("1 step") : tr("%1 steps").arg(m_steps));
        if (m_endsClean) plot.note = tr("ends at 0");
        plot.x.label = tr("step");
    }
    plot.x.wholeNumbers = true;
    plot.y.scale = Axis::Scale::Log;
    plot.y.label = quantity;
    if (!m_others.empty()) {
        LineLayer others = curve(tr("shown run"), m_others, t.muted);
        others.style.dash = {3, 3};
        others.markerRadius = 0;
        others.width = 1.2;
        plot.add(std::move(others));
    }
    QColor color = t.accent;
    if (m_isStale) color = t.dim;
    const LineLayer& line = plot.add(curve(tr("draft"), m_levels, color));
    std::vector<QPointF> snapPoints = line.points;
    QStringList texts;
    for (const QPointF& p : snapPoints)
        texts << tr("step %1: %2 %3").arg(int(p.x())).arg(quantity, formatNumber(p.y(), 4));
    plot.fitX(0.02);
    plot.fitY(0.06);
    setPlot(std::move(plot));
    setSnapPoints(std::move(snapPoints), texts);
    setAccessibleName(tr("Noise levels of the draft"));
}

void SchedulePreview::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) draw();
    PlotView::changeEvent(event);
}

}  // namespace meander::gui
