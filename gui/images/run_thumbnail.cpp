#include "gui/images/run_thumbnail.h"

#include <QPainter>
#include <cmath>

#include "gui/images/point_image.h"
#include "gui/look/draw_image.h"
#include "gui/look/theme.h"

namespace meander::gui {
namespace {

// Points on a line: their histogram.
QImage barsOf(const std::vector<double>& values, int size, const QColor& color) {
    double reach = 1e-9;
    for (double x : values)
        if (std::isfinite(x)) reach = std::max(reach, std::abs(x));
    std::vector<int> counts(17, 0);
    for (double x : values)
        if (std::isfinite(x)) ++counts[std::size_t(std::clamp(int((x / reach / 1.15 + 1) / 2 * 17), 0, 16))];
    const int most = std::max(1, *std::max_element(counts.begin(), counts.end()));
    QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
    image.fill(theme().background);
    QPainter p(&image);
    const double width = size / 17.0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double height = 0.8 * size * counts[i] / most;
        p.fillRect(QRectF(double(i) * width + 0.5, size * 0.9 - height, width - 1, height), color);
    }
    return image;
}

QImage scatterOf(const HostTensor& points, int size, QColor color) {
    const auto& shape = points.shape();
    if (shape.rank() == 2 && shape[1] == 1) return barsOf(points.toDoubles(), size, color);
    if (shape.rank() != 2 || shape[1] < 2) return {};
    const std::vector<double> v = points.toDoubles();
    double reach = 1e-9;
    for (double x : v)
        if (std::isfinite(x)) reach = std::max(reach, std::abs(x));
    QImage image(size, size, QImage::Format_ARGB32_Premultiplied);
    image.fill(theme().background);
    QPainter p(&image);
    p.setRenderHint(QPainter::Antialiasing);
    color.setAlphaF(0.75f);
    p.setPen(Qt::NoPen);
    p.setBrush(color);
    const double scale = 0.45 * size / reach, dot = std::max(0.8, size / 48.0);
    const std::int64_t columns = shape[1];
    for (std::int64_t i = 0; i < std::min<std::int64_t>(shape[0], 2000); ++i)
        if (const double x = v[std::size_t(i * columns)], y = v[std::size_t(i * columns + 1)];
            std::isfinite(x) && std::isfinite(y))
            p.drawEllipse(QPointF(size / 2.0 + scale * x, size / 2.0 - scale * y), dot, dot);
    return image;
}

}  // namespace

QImage imageOf(const HostTensor& images, int index) {
    const auto& s = images.shape();
    if (!images || s.rank() != 4 || s[3] != 3 || index < 0 || index >= s[0] || images.type() != DType::F32) return {};
    const int h = int(s[1]), w = int(s[2]);
    const float* from = images.floats().data() + std::size_t(index) * std::size_t(h) * std::size_t(w) * 3;
    QImage image(w, h, QImage::Format_RGB888);
    for (int y = 0; y < h; ++y) {
        uchar* line = image.scanLine(y);
        for (int i = 0; i < w * 3; ++i) line[i] = uchar(std::clamp(*from++, 0.f, 1.f) * 255.f + 0.5f);
    }
    return image;
}

QImage runThumbnail(const Run& run, int size, const QColor& color) {
    if (const QImage image = imageOf(run.images); !image.isNull()) {
        const QSize whole = image.size().scaled(size, size, Qt::KeepAspectRatio);
        if (image.width() < size) return nearestScaled(image, QRectF(QPointF(), whole), QRect(QPoint(), whole), 1);
        return image.convertToFormat(QImage::Format_RGB32)
            .scaled(whole, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    }
    if (run.model.state.kind == StateKind::Points && run.trajectory && !run.trajectory->empty()
        && PointChart::of(run.model).isCurved())
        return pointImage(run, -1, Quantity::State, size, color, theme());
    if (run.model.state.kind == StateKind::Points && run.trajectory && !run.trajectory->empty())
        return scatterOf(run.trajectory->last(), size, color);
    return {};
}

}  // namespace meander::gui
