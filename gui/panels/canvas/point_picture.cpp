#include "gui/panels/canvas/point_picture.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

namespace meander::gui {
namespace {
std::vector<QPointF> pointsOf(const HostTensor& t, double scale = 1) {
    std::vector<QPointF> points;
    const auto& s = t.shape();
    if (!t || s.rank() < 1) return points;
    const std::int64_t n = s[0], columns = s.rowCount();
    for (std::int64_t i = 0; i < n; ++i) points.emplace_back(t.at(i * columns) * scale, columns > 1 ? t.at(i * columns + 1) * scale : 0);
    return points;
}
}  // namespace

std::vector<QPointF> pointsAt(const Run& run, int evaluation, Quantity quantity) {
    if (!run.trajectory || run.trajectory->empty()) return {};
    const auto& t = *run.trajectory;
    if (evaluation < 0 || evaluation >= int(t.evaluations.size())) return pointsOf(t.last());
    const Evaluation& e = *t.evaluations[std::size_t(evaluation)];
    if (quantity == Quantity::State) return pointsOf(e.state);
    if (quantity == Quantity::Denoised) return pointsOf(e.denoised);
    auto state = pointsOf(e.state), denoised = pointsOf(e.denoised);
    if (quantity == Quantity::Noise) {
        const double a = run.model.process.signal(e.tau);
        for (std::size_t i = 0; i < state.size(); ++i) state[i] = (state[i] - a * denoised[i]) / e.tau;
        return state;
    }
    const Evaluation* before = e.step > 0 ? t.evaluationOf(e.step - 1) : nullptr;
    if (!before) return {};
    auto previous = pointsOf(before->denoised);
    for (std::size_t i = 0; i < denoised.size(); ++i) denoised[i] -= previous[i];
    return denoised;
}

std::vector<std::vector<QPointF>> pointPaths(const Run& run, int count) {
    std::vector<std::vector<QPointF>> paths;
    if (!run.trajectory || run.trajectory->empty()) return paths;
    auto append = [&](const HostTensor& t) {
        auto points = pointsOf(t);
        if (paths.empty()) paths.resize(std::min<std::size_t>(std::size_t(count), points.size()));
        for (std::size_t i = 0; i < paths.size() && i < points.size(); ++i) paths[i].push_back(points[i]);
    };
    append(run.trajectory->initial);
    for (const auto& s : run.trajectory->steps) append(s->state);
    return paths;
}

QRectF pointBounds(const Run& run) {
    double reach = 0.5;
    for (QPointF p : pointsAt(run, -1, Quantity::State))
        if (std::isfinite(p.x()) && std::isfinite(p.y())) reach = std::max({reach, std::abs(p.x()), std::abs(p.y())});
    reach *= 1.45;
    return {-reach, -reach, 2 * reach, 2 * reach};
}

QImage pointPicture(const Run& run, int evaluation, Quantity quantity, int size, const QColor& color, const Theme& theme) {
    QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
    image.fill(theme.background);
    QRectF bounds = pointBounds(run);
    if (quantity == Quantity::Noise && evaluation >= 0) bounds = {-3.5, -3.5, 7, 7};
    QPainter p(&image);
    p.setRenderHint(QPainter::Antialiasing);
    QColor c = color;
    auto points = pointsAt(run, evaluation, quantity);
    c.setAlphaF(points.size() > 200 ? 0.5f : 0.85f);
    p.setPen(Qt::NoPen);
    p.setBrush(c);
    const double dot = std::max(0.9, size / 52.0);
    // A state larger than the picture (σ up to 80) is shown at its own spread.
    double spread = 0;
    if (quantity == Quantity::State && evaluation >= 0) {
        for (QPointF v : points) spread = std::max({spread, std::abs(v.x()), std::abs(v.y())});
        spread = std::max(1.0, spread * 1.1 / (bounds.width() / 2));
    } else {
        spread = 1;
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(points.size(), 1500); ++i) {
        QPointF v = points[i] / spread;
        p.drawEllipse(QPointF((v.x() - bounds.left()) / bounds.width() * size, (1 - (v.y() - bounds.top()) / bounds.height()) * size), dot, dot);
    }
    return image;
}

}  // namespace meander::gui
