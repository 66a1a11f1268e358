// What the schedule editor draws: the curve with its points, other schedules as ghosts, and evidence behind them.
#include <cmath>

#include "engine/schedule/schedule.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/panels/schedule/schedule_panel.h"
#include "gui/plots/evidence_layer.h"

namespace meander::gui {

using namespace levels;

QString SchedulePanel::timeName() const {
    return !m_draft.process || m_draft.process->kind() != ProcessKind::VarianceExploding ? QStringLiteral("t")
                                                                                         : QStringLiteral("t = σ");
}

double SchedulePanel::shown(double tau) const {
    const double x = coordinateOf(tau, m_reading, *m_draft.process);
    return m_reading == Reading::Sigma ? std::exp(x) : m_reading == Reading::HalfLogSnr ? -x : x;
}

// Where the drawn curve has a noise level, in steps; levels beyond its ends are at them.
double SchedulePanel::stepAt(double sigma) const {
    const Process& p = *m_draft.process;
    const double x = std::log(std::max(sigma, 1e-12));
    const int n = movableCount(m_levels);
    double before = coordinateOf(m_levels.front(), Reading::Sigma, p);
    if (!(x < before)) return 0;
    for (int i = 1; i < n; ++i) {
        const double next = coordinateOf(m_levels[std::size_t(i)], Reading::Sigma, p);
        if (x >= next) return i - (x - next) / (before - next);
        before = next;
    }
    return sigma > 0 ? n - 1 : double(m_levels.size()) - 1;
}

QString SchedulePanel::valueText(double tau) const {
    const Process& p = *m_draft.process;
    switch (m_reading) {
    case Reading::Sigma: return QStringLiteral("σ %1").arg(formatNumber(p.sigma(tau), 4));
    case Reading::HalfLogSnr: return QStringLiteral("λ %1").arg(formatNumber(valueOf(tau, m_reading, p), 4));
    case Reading::Time: return QStringLiteral("%1 %2").arg(timeName(), formatNumber(valueOf(tau, m_reading, p), 4));
    }
    return {};
}

QString SchedulePanel::levelText(int level) const {
    if (!m_draft.process || level < 0 || level >= int(m_levels.size())) return {};
    const double tau = m_levels[std::size_t(level)];
    const int steps = int(m_levels.size()) - 1;
    if (tau == 0) return tr("step %1 of %1 · 0, clean").arg(steps);
    const Process& p = *m_draft.process;
    QString text = tr("step %1 of %2 · σ %3 · λ %4 · %5 %6")
                       .arg(level)
                       .arg(steps)
                       .arg(formatNumber(p.sigma(tau), 4), formatNumber(valueOf(tau, Reading::HalfLogSnr, p), 3),
                            timeName(), formatNumber(valueOf(tau, Reading::Time, p), 4));
    const Diagnostic* d = m_source->evidence().find(m_evidence);
    if (const auto share = shareAt(level); share && d)
        text += QStringLiteral(" · ")
                + (m_evidence == "E5"
                       ? tr("%1 % of the error measured there").arg(formatNumber(*share * 100, 2))
                       : QStringLiteral("%1 %2 %3").arg(qstr(d->label).toLower(), formatNumber(*share), qstr(d->unit)));
    return text;
}

std::optional<double> SchedulePanel::shareAt(int level) const {
    const RunEvidence& e = m_source->evidence();
    const Diagnostic* d = e.run ? e.find(m_evidence) : nullptr;
    if (!d || level >= movableCount(m_levels)) return {};
    const double sigma = m_draft.process->sigma(m_levels[std::size_t(level)]) * (1 - 1e-9);
    const std::vector<double>& taus = e.run->trajectory->levels;
    for (std::size_t k = 0; k + 1 < taus.size() && k < d->values.size(); ++k)
        if (sigma <= e.run->model.process.sigma(taus[k]) && sigma > e.run->model.process.sigma(taus[k + 1]))
            return std::isfinite(d->values[k]) ? std::optional(d->values[k]) : std::nullopt;
    return {};
}

std::vector<std::pair<QString, std::vector<double>>> SchedulePanel::ghostLevels() const {
    std::vector<std::pair<QString, std::vector<double>>> ghosts;
    if (!m_draft.process) return ghosts;
    if (const RunPtr run = m_source->evidence().run; m_ghosts.contains(QStringLiteral("run")) && run) {
        const std::vector<double> taus = ofDraft(run->trajectory->levels, run->model.process);
        if (isFalling(taus) && taus != m_levels) ghosts.emplace_back(tr("run %1").arg(run->number), taus);
    }
    for (const ScheduleInfo& s : schedules())
        if (m_ghosts.contains(qstr(s.id)))
            if (const auto list = presetLevels(s.id, m_draft, std::max(1, int(m_levels.size()) - 1)); !list.empty())
                ghosts.emplace_back(qstr(s.label), list);
    if (!m_fitted.empty()) ghosts.emplace_back(tr("fitted"), m_fitted);
    return ghosts;
}

void SchedulePanel::addGhosts(Plot& plot, QStringList& names) const {
    const double last = double(m_levels.size()) - 1;
    int index = 2;  // colours of the first two are the draft's and the evidence's
    const auto add = [&](const QString& name, const std::vector<double>& list, const QColor& color, double width) {
        LineLayer line;
        line.name = name;
        line.style = runStyle(index++, theme());
        line.style.color = color.isValid() ? color : mixedGhost(line.style.color);
        if (line.style.dash.isEmpty()) line.style.dash = {4, 3};
        line.markerRadius = 0;
        line.width = width;
        // Shorter and longer ones over the same width.
        for (std::size_t k = 0; k < list.size(); ++k)
            if (list[k] > 0) line.points.emplace_back(double(k) * last / double(list.size() - 1), shown(list[k]));
        names << name;
        plot.add(std::move(line));
    };
    for (const auto& [name, list] : ghostLevels()) add(name, list, {}, 1.3);
    if (!m_preview.empty()) add(tr("before"), m_draft.levels, theme().muted, 1.3);
}

QColor SchedulePanel::mixedGhost(const QColor& color) {
    QColor c = color;
    c.setAlphaF(0.75f);
    return c;
}

// Bars over the noise levels where they were measured: they follow the curve when it moves.
void SchedulePanel::addEvidence(Plot& plot, QString& text) const {
    const RunEvidence& e = m_source->evidence();
    const Diagnostic* d = e.run ? e.find(m_evidence) : nullptr;
    if (!d) return;
    EvidenceLayer layer;
    layer.name = qstr(d->label);
    layer.color = theme().runs[1];
    const std::vector<double>& taus = e.run->trajectory->levels;
    const Process& p = e.run->model.process;
    for (std::size_t k = 0; k + 1 < taus.size() && k < d->values.size(); ++k) {
        const double from = stepAt(p.sigma(taus[k])),
                     to = taus[k + 1] > 0 ? stepAt(p.sigma(taus[k + 1])) : double(m_levels.size()) - 1;
        layer.bars.push_back({from, to, d->values[k]});
    }
    const double most = layer.largest();
    if (!(most > 0)) return;
    const QString largest = m_evidence == "E5" ? tr("%1 %").arg(formatNumber(most * 100, 2))
                                               : (formatNumber(most) + ' ' + qstr(d->unit)).trimmed();
    text = tr("bars: %1 of run %2, at most %3").arg(qstr(d->label).toLower()).arg(e.run->number).arg(largest);
    plot.add(std::move(layer));
}

void SchedulePanel::fitAxes(Plot& plot) const {
    if (m_editor->height() > 170) plot.x.label = tr("step");
    plot.x.wholeNumbers = true;
    plot.x.lo = 0;
    plot.x.hi = std::max(1.0, double(m_levels.size()) - 1);
    plot.x.fit(plot.x.lo, plot.x.hi, 0.015);
    plot.y.scale = m_reading == Reading::Sigma ? Axis::Scale::Log : Axis::Scale::Linear;
    plot.y.reversed = m_reading == Reading::HalfLogSnr;  // noise is above, whatever is read
    plot.y.label = m_reading == Reading::Sigma        ? QStringLiteral("σ")
                   : m_reading == Reading::HalfLogSnr ? QStringLiteral("λ")
                                                      : timeName();
    if (m_fixedAxis) std::tie(plot.y.lo, plot.y.hi) = *m_fixedAxis;
    else plot.fitY(0.06);
}

void SchedulePanel::draw() {
    if (!isInFront()) return;  // what is behind another tab costs nothing
    Plot plot;
    const bool has = !m_levels.empty() && m_draft.process;
    if (!has) {
        plot.empty = m_draft.problem;
        m_editor->setPlot(std::move(plot));
        m_editor->setPoints({}, theme().accent);
        m_table->rows()->setRows({});
        m_foot->clear();
        return;
    }
    QString evidence;
    QStringList ghosts;
    addEvidence(plot, evidence);
    addGhosts(plot, ghosts);
    LineLayer line;
    line.name = tr("draft");
    line.style = {theme().accent, {}, Marker::Circle};
    line.markerRadius = m_mode == Mode::Points || m_levels.size() > 80 ? 0 : 2;
    line.width = 1.8;
    std::vector<QPointF> stops;
    QStringList texts;
    for (int i = 0; i < movableCount(m_levels); ++i) {
        line.points.emplace_back(i, shown(m_levels[std::size_t(i)]));
        stops.push_back(line.points.back());
        texts << tr("step %1  %2").arg(i).arg(valueText(m_levels[std::size_t(i)]));
    }
    plot.add(std::move(line));
    fitAxes(plot);
    if (endsClean(m_levels)) {  // the step to clean, which no logarithm has
        LineLayer last;
        last.style = {theme().accent, {1, 3}, Marker::Ring};
        last.markerRadius = 3;
        last.width = 1.4;
        const double foot = plot.y.reversed ? plot.y.hi : plot.y.lo;
        last.points = {stops.back(), QPointF(double(m_levels.size()) - 1, foot)};
        plot.add(std::move(last));
        stops.emplace_back(double(m_levels.size()) - 1, foot);
        texts << tr("step %1  0, clean").arg(m_levels.size() - 1);
    }
    static const QStringList names{tr("σ (log)"), tr("λ = ½ log-SNR"), QStringLiteral("%1")};
    const QString quantity =
        m_reading == Reading::Time
            ? (m_draft.process->trainingSteps() > 0 && !m_draft.isFlow() ? tr("t (training step)") : timeName())
            : names[int(m_reading)];
    plot.title = (QStringList{quantity} + (evidence.isEmpty() ? QStringList() : QStringList{evidence})
                  + (ghosts.isEmpty() ? QStringList() : QStringList{tr("dashed: %1").arg(ghosts.join(", "))}))
                     .join(QStringLiteral("  ·  "));
    const int steps = int(m_levels.size()) - 1;
    plot.note = tr("%1 → %2").arg(steps == 1 ? tr("1 step") : tr("%1 steps").arg(steps),
                                  endsClean(m_levels) ? tr("clean") : valueText(m_levels.back()));
    m_editor->setPlot(std::move(plot));
    m_editor->setAccessibleName(tr("Schedule editor, %1").arg(quantity));
    m_editor->setSnapPoints(std::move(stops), texts);
    showPoints();
    if (!m_table->isHidden()) showTable();
    showFoot();
}

void SchedulePanel::showPoints() {
    std::vector<CurveEditor::Point> points;
    const int n = movableCount(m_levels);
    m_editor->setSideways(m_mode == Mode::Curve);
    if (m_mode == Mode::Points) {
        for (int i = 0; i < n; ++i)
            points.push_back({{double(i), shown(m_levels[std::size_t(i)])},
                              levelText(i),
                              m_isLocked && (i == 0 || i == n - 1),
                              valueText(m_levels[std::size_t(i)])});
        const double pitch = m_editor->plotArea().width() / std::max(1, n - 1);
        m_editor->setPoints(std::move(points), theme().accent, pitch > 14 ? 5 : pitch > 7 ? 3.5 : 2.2);
        return;
    }
    const int count = int(m_controls.points.size());
    for (int i = 0; i < count; ++i) {
        const CurvePoint& c = m_controls.points[std::size_t(i)];
        const double tau = levelAt(c.y, m_controls.reading, *m_draft.process);
        points.push_back({{c.x * std::max(1, n - 1), shown(tau)},
                          tr("control point %1 of %2, %3").arg(i + 1).arg(count).arg(valueText(tau)),
                          m_isLocked && (i == 0 || i == count - 1),
                          valueText(tau)});
    }
    m_editor->setPoints(std::move(points), theme().accent, 5.5);
}

void SchedulePanel::showTable() {
    QVector<QStringList> rows;
    const Process& p = *m_draft.process;
    for (int i = 0; i < int(m_levels.size()); ++i) {
        const double tau = m_levels[std::size_t(i)];
        QStringList row{QString::number(i)};
        for (const Reading r : {Reading::Sigma, Reading::HalfLogSnr, Reading::Time})
            row << (tau > 0 ? QString::number(valueOf(tau, r, p), 'g', 15) : QString());
        if (tau == 0) row[1] = QString();
        rows << row;
    }
    m_table->rows()->setRows(rows);
}

// The chosen point, else what a person should know about the schedule before running.
void SchedulePanel::showFoot() {
    const int anchor = m_editor->anchor();
    if (anchor >= 0) {
        const QString chosen =
            m_mode == Mode::Points ? levelText(anchor) : m_editor->points()[std::size_t(anchor)].text;
        const qsizetype count = m_editor->selection().size();
        return m_foot->setText(count > 1 ? tr("%1 points · %2").arg(count).arg(chosen) : chosen);
    }
    QStringList notes;
    if (const auto& plan = m_document.draftPlan())
        for (const PlanNote& n : plan->notes)
            if (n.key == "schedule" || n.key == "steps") notes << qstr(n.text);
    m_foot->setText(!notes.isEmpty() ? QStringLiteral("⚠ ") + notes.join(' ')
                                     : tr("Drag a point; Shift for precision, Ctrl to take its neighbours along, "
                                          "double-click to add one, Delete to take one out."));
}

}  // namespace meander::gui
