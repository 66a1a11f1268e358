#include "gui/panels/lab/lab_work.h"

#include <QCoreApplication>
#include <cmath>

#include "gui/document/run_text.h"
#include "gui/plots/axis.h"

namespace meander::gui {
namespace {

QString exact(double v) { return std::isfinite(v) ? QString::number(v, 'g', 9) : QString(); }
QString tr(const char* text) { return QCoreApplication::translate("Lab", text); }

}  // namespace

QString LabCurve::problem() const {
    for (const LabCell& c : cells)
        if (!c.problem.empty()) return qstr(c.problem);
    return {};
}

QString choiceText(const Choice& choice) {
    const SamplerInfo* info = findSampler(choice.id);
    QStringList parts;
    for (const auto& [key, value] : choice.params) {
        if (!info) continue;
        for (const ParamSpec& s : info->params)
            if (s.key == key && (s.optional || s.defaultValue != value))
                parts << qstr(s.label) + ' ' + qstr(display(value));
    }
    return samplerLabel(choice.id) + (parts.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(parts.join(", ")));
}

QString orderText(const OrderFit& f) {
    if (f.points < 3 || !std::isfinite(f.order)) return {};
    const auto two = [](double v) { return QString::number(v, 'f', 2).replace('-', QChar(0x2212)); };
    return QStringLiteral("%1 ± %2").arg(two(f.order), two((f.high - f.low) / 2));
}

Table tableOf(const std::vector<LabCurve>& curves, const Choice& schedule) {
    Table t;
    t.head = {tr("sampler"),           tr("schedule"),         tr("steps"),
              tr("evaluations (NFE)"), tr("error (RMS)"),      tr("order in NFE"),
              tr("order, 95 % low"),   tr("order, 95 % high"), tr("remark")};
    for (const LabCurve& c : curves)
        for (const LabCell& cell : c.cells) {
            const bool has = cell.problem.empty(), fits = c.fit.points > 2;
            t.rows.push_back(
                {choiceText(c.sampler), scheduleLabel(schedule.id), has ? QString::number(cell.steps) : QString(),
                 QString::number(has ? cell.evaluations : cell.budget), has ? exact(cell.error) : QString(),
                 fits ? exact(c.fit.order) : QString(), fits ? exact(c.fit.low) : QString(),
                 fits ? exact(c.fit.high) : QString(), qstr(cell.problem)});
        }
    return t;
}

std::vector<QPointF> contour(const StabilityRegion& r, double level) {
    std::vector<QPointF> segments;
    const auto at = [&](int row, int column) {
        return QPointF(r.left + (column + 0.5) / r.columns * (r.right - r.left),
                       r.bottom + (row + 0.5) / r.rows * (r.top - r.bottom));
    };
    for (int row = 0; row + 1 < r.rows; ++row)
        for (int column = 0; column + 1 < r.columns; ++column) {
            // Corners in order round the cell, and where its edges are crossed.
            const std::pair<int, int> corners[] = {
                {row, column}, {row, column + 1}, {row + 1, column + 1}, {row + 1, column}};
            double v[4];
            bool isWhole = true;
            for (int i = 0; i < 4; ++i) {
                v[i] =
                    r.growth[std::size_t(corners[i].first) * std::size_t(r.columns) + std::size_t(corners[i].second)];
                isWhole &= std::isfinite(v[i]);
            }
            if (!isWhole) continue;
            std::vector<QPointF> crossed;
            for (int i = 0; i < 4; ++i) {
                const int j = (i + 1) % 4;
                if ((v[i] <= level) == (v[j] <= level)) continue;
                const double share = (level - v[i]) / (v[j] - v[i]);
                const QPointF a = at(corners[i].first, corners[i].second), b = at(corners[j].first, corners[j].second);
                crossed.push_back(a + share * (b - a));
            }
            for (std::size_t i = 0; i + 1 < crossed.size(); i += 2)
                segments.insert(segments.end(), {crossed[i], crossed[i + 1]});
        }
    return segments;
}

Table tableOf(const StabilityRegion& r) {
    Table t;
    t.head = {QStringLiteral("Re z"), QStringLiteral("Im z"), tr("largest factor of a step")};
    for (int row = 0; row < r.rows; ++row)
        for (int column = 0; column < r.columns; ++column)
            t.rows.push_back({exact(r.left + (column + 0.5) / r.columns * (r.right - r.left)),
                              exact(r.bottom + (row + 0.5) / r.rows * (r.top - r.bottom)),
                              exact(r.growth[std::size_t(row) * std::size_t(r.columns) + std::size_t(column)])});
    return t;
}

}  // namespace meander::gui
