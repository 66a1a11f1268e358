#include "gui/images/point_image.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

namespace meander::gui {
namespace {
// The first `most` of a tensor's points.
std::vector<QPointF> pointsOf(const HostTensor& t, std::size_t most) {
    std::vector<QPointF> points;
    const auto& s = t.shape();
    if (!t || s.rank() < 1) return points;
    const std::int64_t n = std::min<std::int64_t>(s[0], std::int64_t(most)), columns = s.rowCount();
    const std::vector<double> v = n < s[0] ? t.rows(0, n).toDoubles() : t.toDoubles();
    points.reserve(std::size_t(n));
    for (std::int64_t i = 0; i < n; ++i)
        points.emplace_back(v[std::size_t(i * columns)], columns > 1 ? v[std::size_t(i * columns + 1)] : 0);
    return points;
}
}  // namespace

std::vector<QPointF> pointsAt(const Run& run, int evaluation, Quantity quantity, std::size_t most) {
    if (!run.trajectory || run.trajectory->empty()) return {};
    const auto& t = *run.trajectory;
    if (quantity != Quantity::State) evaluation = shownEvaluation(run, evaluation);
    if (evaluation < 0 || evaluation >= int(t.evaluations.size())) return pointsOf(t.last(), most);
    const Evaluation& e = *t.evaluations[std::size_t(evaluation)];
    if (quantity == Quantity::State) return pointsOf(e.state, most);
    if (quantity == Quantity::Denoised) return pointsOf(e.denoised, most);
    auto state = pointsOf(e.state, most), denoised = pointsOf(e.denoised, most);
    if (quantity == Quantity::Noise) {
        const double a = run.model.process.signal(e.tau);
        for (std::size_t i = 0; i < state.size(); ++i) state[i] = (state[i] - a * denoised[i]) / e.tau;
        return state;
    }
    const Evaluation* before = e.step > 0 ? t.evaluationOf(e.step - 1) : nullptr;
    if (!before) return {};
    auto previous = pointsOf(before->denoised, most);
    for (std::size_t i = 0; i < denoised.size(); ++i) denoised[i] -= previous[i];
    return denoised;
}

PointPaths pointPaths(const Run& run, int count, int mostFrames) {
    PointPaths p;
    if (!run.trajectory || run.trajectory->empty()) return p;
    const int last = int(run.trajectory->steps.size()), shown = std::min(last + 1, std::max(2, mostFrames));
    for (int i = 0; i < shown; ++i) {
        const int frame = shown == last + 1 ? i : int(std::int64_t(i) * last / (shown - 1));
        const auto points = pointsOf(run.trajectory->stateAt(frame), std::size_t(count));
        if (p.paths.empty()) p.paths.resize(points.size());
        for (std::size_t k = 0; k < p.paths.size() && k < points.size(); ++k) p.paths[k].push_back(points[k]);
        p.frames.push_back(frame);
    }
    return p;
}

QRectF pointBounds(const Run& run) {
    double reach = 0.5;
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
    auto points = pointsAt(run, evaluation, quantity, 1500);
    c.setAlphaF(points.size() > 200 ? 0.5f : 0.85f);
    p.setPen(Qt::NoPen);
    p.setBrush(c);
    const double dot = std::max(0.9, size / 52.0);
    // A state larger than the image (σ up to 80) is shown at its own spread.
    double spread = 0;
    if (quantity == Quantity::State && evaluation >= 0) {
        for (QPointF v : points) spread = std::max({spread, std::abs(v.x()), std::abs(v.y())});
        spread = std::max(1.0, spread * 1.1 / (bounds.width() / 2));
    } else {
        spread = 1;
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(points.size(), 1500); ++i) {
        QPointF v = points[i] / spread;
        p.drawEllipse(QPointF((v.x() - bounds.left()) / bounds.width() * size,
                              (1 - (v.y() - bounds.top()) / bounds.height()) * size),
                      dot, dot);
    }
    return image;
}

}  // namespace meander::gui
