// What the guidance editor draws: the curve with its points and interval, the weights of the shown run, and evidence.
#include <cmath>

#include "engine/schedule/level_edit.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/panels/guidance/guidance_panel.h"
#include "gui/plots/evidence_layer.h"

namespace meander::gui {

double GuidancePanel::across(double position) const {
    if (m_across == Across::Step) return position;
    const double last = double(m_levels.size()) - 2;
    double x = std::log(sigmaAtStep(std::clamp(position, 0.0, last), *m_process, m_levels));
    // Half a step beyond the ends, as on the axis of steps.
    const double half =
        last > 0 ? std::log(sigmaAtStep(0, *m_process, m_levels) / sigmaAtStep(1, *m_process, m_levels)) / 2 : 0.5;
    const double halfEnd =
        last > 0 ? std::log(sigmaAtStep(last - 1, *m_process, m_levels) / sigmaAtStep(last, *m_process, m_levels)) / 2
                 : 0.5;
    if (position < 0) x += half * (-position / 0.5);
    if (position > last) x -= halfEnd * ((position - last) / 0.5);
    return m_across == Across::Sigma ? std::exp(x) : -x;
}

double GuidancePanel::stepOfAcross(double x) const {
    if (m_across == Across::Step) return x;
    return stepAtSigma(m_across == Across::Sigma ? x : std::exp(-x), *m_process, m_levels);
}

// The value that the shown run measured nearest to a step's noise level, within its own step.
double GuidancePanel::measuredAt(int step) const {
    const RunEvidence& e = m_source->evidence();
    const Diagnostic* d = e.run ? e.find(m_evidence) : nullptr;
    if (!d || !m_process) return NAN;
    const double sigma = m_process->sigma(m_levels[std::size_t(step)]) * (1 - 1e-9);
    const std::vector<double>& taus = e.run->trajectory->levels;
    for (std::size_t k = 0; k + 1 < taus.size() && k < d->values.size(); ++k)
        if (sigma <= e.run->model.process.sigma(taus[k]) && sigma > e.run->model.process.sigma(taus[k + 1]))
            return d->values[k];
    return NAN;
}

QString GuidancePanel::valueText(double value) const {
    return QStringLiteral("%1 %2").arg(qstr(m_curve->param.symbol), formatNumber(value, 4));
}

QString GuidancePanel::stepText(int step) const {
    if (!m_curve || step < 0 || step >= int(m_values.size())) return {};
    QString text = tr("step %1 of %2 · σ %3 · %4 %5")
                       .arg(step)
                       .arg(m_values.size())
                       .arg(formatNumber(m_process->sigma(m_levels[std::size_t(step)]), 4), qstr(m_curve->param.symbol),
                            formatNumber(m_values[std::size_t(step)], 4));
    if (step < m_interval.first || step >= m_interval.end) text += tr(" · outside the interval, not applied");
    const Diagnostic* d = m_source->evidence().find(m_evidence);
    if (const double measured = measuredAt(step); d && std::isfinite(measured))
        text += QStringLiteral(" · %1 %2 %3").arg(qstr(d->label), formatNumber(measured), qstr(d->unit));
    return text;
}

void GuidancePanel::addEvidence(Plot& plot, QString& text) const {
    const RunEvidence& e = m_source->evidence();
    const Diagnostic* d = e.run ? e.find(m_evidence) : nullptr;
    if (!d) return;
    EvidenceLayer layer;
    layer.name = qstr(d->label);
    layer.color = theme().runs[1];
    const std::vector<double>& taus = e.run->trajectory->levels;
    const Process& p = e.run->model.process;
    // A bar around the level of each evaluation, up to halfway to its neighbours.
    const auto edge = [&](std::size_t k) {  // between the evaluations k − 1 and k
        if (k == 0) return -0.5;
        const double here = stepAtSigma(p.sigma(taus[k]), *m_process, m_levels),
                     before = stepAtSigma(p.sigma(taus[k - 1]), *m_process, m_levels);
        return taus[k] > 0 ? (here + before) / 2 : double(m_levels.size()) - 1.5;
    };
    for (std::size_t k = 0; k + 1 < taus.size() && k < d->values.size(); ++k)
        layer.bars.push_back({across(edge(k)), across(edge(k + 1)), d->values[k]});
    const double most = layer.largest();
    if (!(most > 0)) return;
    text = tr("bars: %1 of run %2, at most %3 %4")
               .arg(qstr(d->label).toLower())
               .arg(e.run->number)
               .arg(formatNumber(most), qstr(d->unit))
               .trimmed();
    plot.add(std::move(layer));
}

// The weights that the shown run was guided with.
void GuidancePanel::addRun(Plot& plot, QString& text) const {
    const RunPtr run = m_source->evidence().run;
    if (!run || m_curve->param.symbol != "w" || m_curve->param.rule == "distilled") return;
    LineLayer line;
    line.name = tr("run %1").arg(run->number);
    line.style = {theme().muted, {4, 3}, Marker::None};
    line.markerRadius = 0;
    line.width = 1.3;
    bool isOther = false;
    for (int k = 0; k < run->trajectory->intervals(); ++k) {
        const Evaluation* e = run->trajectory->evaluationOf(k);
        if (!e) continue;
        const double at = stepAtSigma(e->sigma, *m_process, m_levels);
        const auto own = std::size_t(std::clamp(int(std::lround(at)), 0, int(m_values.size()) - 1));
        const bool acts = double(own) >= m_interval.first && double(own) < m_interval.end;
        isOther |= std::abs(e->guidanceWeight - (acts ? m_values[own] : 1)) > 1e-9;
        line.points.emplace_back(across(std::max(0.0, at)), e->guidanceWeight);
    }
    if (!isOther) return;
    text = tr("dashed: run %1").arg(run->number);
    plot.add(std::move(line));
}

void GuidancePanel::fitAxes(Plot& plot) const {
    if (m_editor->height() > 170)
        plot.x.label = m_across == Across::Step    ? tr("step")
                       : m_across == Across::Sigma ? QStringLiteral("σ")
                                                   : tr("λ = ½ log-SNR");
    plot.x.wholeNumbers = m_across == Across::Step;
    plot.x.scale = m_across == Across::Sigma ? Axis::Scale::Log : Axis::Scale::Linear;
    plot.x.reversed = m_across == Across::Sigma;
    plot.x.fit(across(-0.5), across(double(m_levels.size()) - 1.5), 0);
    if (m_fixedAxis) {
        std::tie(plot.y.lo, plot.y.hi) = *m_fixedAxis;
        return;
    }
    // Room to draw above what is there, and the neutral value.
    double lo = std::min(m_curve->param.neutral, *std::min_element(m_values.begin(), m_values.end())),
           hi = std::max(m_curve->param.neutral, *std::max_element(m_values.begin(), m_values.end()));
    if (m_curve->maximum <= 1) lo = 0, hi = 1;
    else hi = std::max(hi * 1.35, lo + 2);
    if (m_curve->minimum >= 0) lo = std::max(0.0, lo >= 1 ? 0.0 : lo);
    plot.y.fit(lo, hi, 0.04);
}

void GuidancePanel::drawEmpty() {
    Plot plot;
    plot.empty = !m_problem.isEmpty() ? m_problem
                 : !m_curve
                     ? tr("No guidance rule of the draft follows a curve. Add one to draw its weight over the steps.")
                     : tr("Reading what the model is …");
    m_editor->setPlot(std::move(plot));
    m_editor->setPoints({}, theme().accent);
    m_editor->setGuides({});
    m_table->rows()->setRows({});
    m_foot->clear();
    m_cost->clear();
}

void GuidancePanel::draw() {
    if (!isInFront()) return;  // what is behind another tab costs nothing
    if (!m_curve || m_levels.size() < 2 || m_values.empty() || !m_process) return drawEmpty();
    Plot plot;
    QString evidence, others;
    addEvidence(plot, evidence);
    fitAxes(plot);
    LineLayer neutral;
    neutral.style = {theme().dim, {2, 3}, Marker::None};
    neutral.markerRadius = 0;
    neutral.width = 1;
    neutral.points = {{across(-0.5), m_curve->param.neutral},
                      {across(double(m_levels.size()) - 1.5), m_curve->param.neutral}};
    plot.add(std::move(neutral));
    addRun(plot, others);
    LineLayer line;
    line.name = qstr(m_curve->param.symbol);
    line.style = {theme().accent, {}, Marker::Circle};
    line.markerRadius = m_mode == Mode::Points || m_values.size() > 80 ? 0 : 2;
    std::vector<QPointF> stops;
    QStringList texts;
    for (int k = 0; k < int(m_values.size()); ++k) {
        line.points.emplace_back(across(k), m_values[std::size_t(k)]);
        stops.push_back(line.points.back());
        texts
            << tr("step %1  %2 %3").arg(k).arg(qstr(m_curve->param.symbol), formatNumber(m_values[std::size_t(k)], 4));
    }
    plot.add(std::move(line));
    plot.title = (QStringList{m_curve->label} + (evidence.isEmpty() ? QStringList() : QStringList{evidence})
                  + (others.isEmpty() ? QStringList() : QStringList{others}))
                     .join(QStringLiteral("  ·  "));
    if (m_curve->hasInterval) {
        const bool isWhole = m_interval.first <= 0 && m_interval.end >= double(m_levels.size()) - 2;
        plot.note = isWhole ? tr("acts in every step")
                            : tr("acts at σ %1 – %2")
                                  .arg(formatNumber(sigmaAtStep(m_interval.end, *m_process, m_levels)),
                                       m_interval.first <= 0
                                           ? formatNumber(m_process->sigma(m_levels.front()))
                                           : formatNumber(sigmaAtStep(m_interval.first, *m_process, m_levels)));
    }
    m_editor->setPlot(std::move(plot));
    m_editor->setAccessibleName(tr("Guidance editor, %1").arg(m_curve->label));
    m_editor->setSnapPoints(std::move(stops), texts);
    showPoints();
    showGuides();
    if (!m_table->isHidden()) showTable();
    showFoot();
    showCost();
}

void GuidancePanel::showPoints() {
    std::vector<CurveEditor::Point> points;
    m_editor->setSideways(m_mode == Mode::Curve && m_across == Across::Step);
    if (m_mode == Mode::Points) {
        for (int k = 0; k < int(m_values.size()); ++k)
            points.push_back(
                {{across(k), m_values[std::size_t(k)]}, stepText(k), false, valueText(m_values[std::size_t(k)])});
        const double pitch = m_editor->plotArea().width() / std::max(1.0, double(m_values.size()));
        return m_editor->setPoints(std::move(points), theme().accent, pitch > 14 ? 5 : pitch > 7 ? 3.5 : 2.2);
    }
    const int count = int(m_controls.size());
    for (int i = 0; i < count; ++i) {
        const CurvePoint& c = m_controls[std::size_t(i)];
        points.push_back({{across(c.x * (double(m_values.size()) - 1)), c.y},
                          tr("control point %1 of %2, %3 %4")
                              .arg(i + 1)
                              .arg(count)
                              .arg(qstr(m_curve->param.symbol), formatNumber(c.y, 4)),
                          false,
                          valueText(c.y)});
    }
    m_editor->setPoints(std::move(points), theme().accent, 5.5);
}

void GuidancePanel::showGuides() {
    if (!m_curve->hasInterval) return m_editor->setGuides({});
    m_editor->setGuides({{across(m_interval.first), tr("Highest noise level of the interval"), true},
                         {across(m_interval.end), tr("Lowest noise level of the interval"), false}});
}

void GuidancePanel::showTable() {
    const Diagnostic* d = m_source->evidence().find(m_evidence);
    m_table->rows()->setColumns(
        {{tr("step"), {}, false},
         {QStringLiteral("σ"), tr("Noise level n/s"), false},
         {qstr(m_curve->param.symbol), m_curve->label, true},
         {d ? qstr(d->id) : tr("evidence"), d ? qstr(d->label + ", " + d->unit) : QString(), false}});
    QVector<QStringList> rows;
    for (int k = 0; k < int(m_values.size()); ++k)
        rows << QStringList{QString::number(k), formatNumber(m_process->sigma(m_levels[std::size_t(k)]), 4),
                            QString::number(m_values[std::size_t(k)], 'g', 15),
                            std::isfinite(measuredAt(k)) ? formatNumber(measuredAt(k)) : QString()};
    m_table->rows()->setRows(rows);
}

void GuidancePanel::showFoot() {
    if (!m_curve || m_values.empty()) return;
    const int anchor = m_editor->anchor();
    if (anchor >= 0) {
        const QString chosen = m_mode == Mode::Points ? stepText(anchor) : m_editor->points()[std::size_t(anchor)].text;
        const qsizetype count = m_editor->selection().size();
        return m_foot->setText(count > 1 ? tr("%1 points · %2").arg(count).arg(chosen) : chosen);
    }
    const auto costs = m_document.guidanceCosts();
    const std::string idle = m_curve->rule < costs.size() ? costs[m_curve->rule].idle : std::string();
    m_foot->setText(!idle.empty() ? QStringLiteral("⚠ ") + qstr(idle)
                                  : tr("Drag points for the value, the flags at the top for the interval; Shift for "
                                       "precision, Ctrl to take neighbours along."));
}

// As it would be if the hand let go now.
void GuidancePanel::showCost() {
    const auto& plan = m_document.draftPlan();
    if (!m_curve || !plan) return m_cost->clear();
    const auto cost = guidanceCost(*plan, *m_curve, editedParams());
    if (!cost) return m_cost->clear();
    m_cost->setText(cost->saved > 0 ? tr("%1 · %2 saved").arg(evaluationsText(cost->evaluations)).arg(cost->saved)
                                    : evaluationsText(cost->evaluations));
    m_cost->setToolTip(tr("Evaluations of the network per image; saved against this rule in every step."));
}

}  // namespace meander::gui
