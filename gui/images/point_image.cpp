#include "gui/images/point_image.h"

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <span>

#include "engine/run/record_access.h"

namespace meander::gui {
namespace {

// The first particles of a tensor, row by row.
struct Rows {
    std::size_t columns = 0;
    std::vector<double> values;
    std::size_t size() const { return columns > 0 ? values.size() / columns : 0; }
    std::span<const double> row(std::size_t i) const { return std::span(values).subspan(i * columns, columns); }
};

Rows rowsOf(const HostTensor& t, std::size_t first, std::size_t most) {
    const auto& s = t.shape();
    if (!t || s.rank() < 1 || s.count() == 0 || std::int64_t(first) >= s[0]) return {};
    const std::int64_t n = std::int64_t(std::min(most, std::size_t(s[0]) - first));
    return {std::size_t(s.rowCount()), t.rows(std::int64_t(first), n).toDoubles()};
}

// x·a + y·b, of the rows that both have.
Rows combined(Rows a, double x, const Rows& b, double y) {
    if (a.columns != b.columns) return {};
    a.values.resize(std::min(a.values.size(), b.values.size()));
    for (std::size_t i = 0; i < a.values.size(); ++i) a.values[i] = x * a.values[i] + y * b.values[i];
    return a;
}

Rows rowsAt(const Run& run, int evaluation, Quantity quantity, std::size_t most) {
    if (!run.trajectory || run.trajectory->empty()) return {};
    const auto& t = *run.trajectory;
    if (quantity != Quantity::State) evaluation = shownEvaluation(run, evaluation);
    const Evaluation* e = evaluationAt(t, evaluation);
    if (!e) return rowsOf(t.last(), 0, most);
    Rows denoised = rowsOf(e->denoised, 0, most);
    switch (quantity) {
    case Quantity::State: return rowsOf(e->state ? e->state : stateAtStep(t, e->step), 0, most);
    case Quantity::Denoised: return denoised;
    case Quantity::Noise:
        if (!(e->tau > 0)) return {};
        return combined(rowsOf(e->state, 0, most), 1 / e->tau, denoised, -run.model.process.signal(e->tau) / e->tau);
    case Quantity::Change: {
        const Evaluation* before = e->step > 0 ? t.evaluationOf(e->step - 1) : nullptr;
        return before ? combined(std::move(denoised), 1, rowsOf(before->denoised, 0, most), -1) : Rows{};
    }
    }
    return {};
}

}  // namespace

std::vector<PointChart::Place> placesAt(const Run& run, int evaluation, Quantity quantity, const PointChart& chart,
                                        std::size_t most) {
    const Rows rows = rowsAt(run, evaluation, quantity, most);
    const bool isPoint = quantity == Quantity::State || quantity == Quantity::Denoised;
    std::vector<PointChart::Place> places;
    places.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        places.push_back(isPoint ? chart.place(rows.row(i)) : chart.placeVector(rows.row(i)));
    return places;
}

std::vector<QPointF> pointsAt(const Run& run, int evaluation, Quantity quantity, std::size_t most) {
    std::vector<QPointF> points;
    for (const auto& place : placesAt(run, evaluation, quantity, PointChart::of(run.model), most))
        points.push_back(place.at);
    return points;
}

PointPaths pointPaths(const Run& run, const PointChart& chart, int first, int count, int mostStates) {
    PointPaths p;
    if (!run.trajectory || run.trajectory->empty() || first < 0 || count < 1) return p;
    const int last = int(run.trajectory->steps.size()), shown = std::min(last + 1, std::max(2, mostStates));
    for (int i = 0; i < shown; ++i) {
        const int step = shown == last + 1 ? i : int(std::int64_t(i) * last / (shown - 1));
        const Rows rows = rowsOf(stateAtStep(*run.trajectory, step), std::size_t(first), std::size_t(count));
        if (i == 0) p.paths.resize(rows.size());
        for (std::size_t k = 0; k < std::min(p.paths.size(), rows.size()); ++k)
            p.paths[k].push_back(chart.place(rows.row(k)).at);
        p.steps.push_back(step);
    }
    return p;
}

QRectF pointBounds(const Run& run) {
    double reach = 0.5;
    if (const auto whole = PointChart::of(run.model).reach()) return {-*whole, -*whole, 2 * *whole, 2 * *whole};
    for (QPointF p : pointsAt(run, -1, Quantity::State, 4000))
        if (std::isfinite(p.x()) && std::isfinite(p.y())) reach = std::max({reach, std::abs(p.x()), std::abs(p.y())});
    reach *= 1.45;
    return {-reach, -reach, 2 * reach, 2 * reach};
}

QImage pointImage(const Run& run, int evaluation, Quantity quantity, int size, const QColor& color,
                  const Theme& theme) {
    QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
    image.fill(theme.background);
    QRectF bounds = pointBounds(run);
    if (quantity == Quantity::Noise && evaluation >= 0) bounds = {-3.5, -3.5, 7, 7};
    QPainter p(&image);
    p.setRenderHint(QPainter::Antialiasing);
    QColor c = color;
    const auto points = pointsAt(run, evaluation, quantity, 1500);
    c.setAlphaF(points.size() > 200 ? 0.5f : 0.85f);
    p.setPen(Qt::NoPen);
    p.setBrush(c);
    const double dot = std::max(0.9, size / 52.0);
    // A state larger than the image (σ up to 80) is shown at its own spread.
    double spread = 1;
    if (quantity == Quantity::State && evaluation >= 0 && !PointChart::of(run.model).isCurved()) {
        for (QPointF v : points)
            if (std::isfinite(v.x()) && std::isfinite(v.y()))
                spread = std::max({spread, std::abs(v.x()), std::abs(v.y())});
        spread = std::max(1.0, spread * 1.1 / (bounds.width() / 2));
    }
    for (QPointF v : points) {
        v /= spread;
        if (!std::isfinite(v.x()) || !std::isfinite(v.y())) continue;
        p.drawEllipse(QPointF((v.x() - bounds.left()) / bounds.width() * size,
                              (1 - (v.y() - bounds.top()) / bounds.height()) * size),
                      dot, dot);
    }
    return image;
}

}  // namespace meander::gui
