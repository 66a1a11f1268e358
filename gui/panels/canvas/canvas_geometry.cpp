#include "gui/panels/canvas/canvas_geometry.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gui/plots/color_map.h"

namespace meander::gui {

double ImageView::scaleFor(QSize image, const QRectF& area) const {
    if (zoom > 0) return zoom;
    if (image.isEmpty()) return 1;
    double fit = std::min(area.width() / image.width(), area.height() / image.height());
    return fit >= 3 ? std::floor(fit) : std::max(fit, 0.01);
}

QRectF ImageView::target(QSize image, const QRectF& area) const {
    QSizeF size = QSizeF(image) * scaleFor(image, area);
    QPointF corner = area.center() - QPointF(size.width(), size.height()) / 2 + (zoom > 0 ? pan : QPointF());
    return {QPointF(std::round(corner.x()), std::round(corner.y())), size};
}

void ImageView::zoomAt(double factor, QPointF at, QSize image, const QRectF& area) {
    QRectF before = target(image, area);
    if (before.isEmpty()) return;
    QPointF share((at.x() - before.left()) / before.width(), (at.y() - before.top()) / before.height());
    zoom = std::clamp(scaleFor(image, area) * factor, 0.05, 128.0);
    pan = {};
    QRectF after = target(image, area);
    pan = at - QPointF(after.left() + share.x() * after.width(), after.top() + share.y() * after.height());
}

std::vector<QRectF> tileAreas(const QRectF& area, int count, double gap) {
    if (count <= 0) return {};
    int best = 1;
    double largest = 0;
    for (int columns = 1; columns <= count; ++columns) {
        int rows = (count + columns - 1) / columns;
        double side =
            std::min((area.width() - gap * (columns - 1)) / columns, (area.height() - gap * (rows - 1)) / rows);
        if (side > largest) {
            largest = side;
            best = columns;
        }
    }
    int rows = (count + best - 1) / best;
    double w = (area.width() - gap * (best - 1)) / best, h = (area.height() - gap * (rows - 1)) / rows;
    std::vector<QRectF> tiles;
    for (int i = 0; i < count; ++i)
        tiles.emplace_back(area.left() + (i % best) * (w + gap), area.top() + (i / best) * (h + gap), w, h);
    return tiles;
}

std::pair<QRectF, QRectF> wipeParts(const QRectF& target, double split) {
    double x = target.left() + std::clamp(split, 0.0, 1.0) * target.width();
    return {QRectF(target.topLeft(), QPointF(x, target.bottom())),
            QRectF(QPointF(x, target.top()), target.bottomRight())};
}

std::optional<QPointF> shareOf(const QRectF& target, QPointF page) {
    if (!target.contains(page) || target.isEmpty()) return {};
    return QPointF((page.x() - target.left()) / target.width(), (page.y() - target.top()) / target.height());
}

QImage differenceImage(const QImage& a, const QImage& b, double amplification, bool dark) {
    if (a.isNull() || a.size() != b.size()) return {};
    const QImage first = a.convertToFormat(QImage::Format_RGB32), second = b.convertToFormat(QImage::Format_RGB32);
    QImage result(a.size(), QImage::Format_RGB32);
    std::vector<QRgb> colors;  // of every possible sum of the three differences
    for (int sum = -765; sum <= 765; ++sum) colors.push_back(divergingColor(sum / 765.0 * amplification, 1, dark));
    for (int y = 0; y < a.height(); ++y) {
        const auto *p = reinterpret_cast<const QRgb*>(first.constScanLine(y)),
                   *q = reinterpret_cast<const QRgb*>(second.constScanLine(y));
        auto* to = reinterpret_cast<QRgb*>(result.scanLine(y));
        for (int x = 0; x < a.width(); ++x)
            to[x] = colors[std::size_t(qRed(p[x]) - qRed(q[x]) + qGreen(p[x]) - qGreen(q[x]) + qBlue(p[x]) - qBlue(q[x])
                                       + 765)];
    }
    return result;
}

std::optional<ImageMetrics> compareImages(const QImage& a, const QImage& b) {
    if (a.isNull() || a.size() != b.size()) return {};
    const QImage first = a.convertToFormat(QImage::Format_RGB32), second = b.convertToFormat(QImage::Format_RGB32);
    std::int64_t sum = 0;
    int most = 0, mostSigned = 0;
    for (int y = 0; y < a.height(); ++y) {
        const auto *p = reinterpret_cast<const QRgb*>(first.constScanLine(y)),
                   *q = reinterpret_cast<const QRgb*>(second.constScanLine(y));
        for (int x = 0; x < a.width(); ++x) {
            const int d[] = {qRed(p[x]) - qRed(q[x]), qGreen(p[x]) - qGreen(q[x]), qBlue(p[x]) - qBlue(q[x])};
            for (int v : d) {
                sum += v * v;
                most = std::max(most, std::abs(v));
            }
            mostSigned = std::max(mostSigned, std::abs(d[0] + d[1] + d[2]));
        }
    }
    ImageMetrics m;
    m.maximum = most / 255.0;
    m.signedMaximum = mostSigned / 765.0;
    m.rms = std::sqrt(double(sum) / (3.0 * a.width() * a.height())) / 255.0;
    m.psnr = m.rms > 0 ? -20 * std::log10(m.rms) : std::numeric_limits<double>::infinity();
    return m;
}

std::vector<std::pair<QPointF, QPointF>> contourLines(const std::vector<double>& values, int width, int height,
                                                      double level) {
    std::vector<std::pair<QPointF, QPointF>> lines;
    auto at = [&](int x, int y) { return values[std::size_t(y) * width + x]; };
    for (int y = 0; y + 1 < height; ++y)
        for (int x = 0; x + 1 < width; ++x) {
            const QPointF corner[4] = {{x + 0.5, y + 0.5}, {x + 1.5, y + 0.5}, {x + 1.5, y + 1.5}, {x + 0.5, y + 1.5}};
            const double v[4] = {at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)};
            std::vector<QPointF> crossings;
            for (int e = 0; e < 4; ++e) {
                double a = v[e] - level, b = v[(e + 1) % 4] - level;
                if ((a < 0) != (b < 0))
                    crossings.push_back(corner[e] + (corner[(e + 1) % 4] - corner[e]) * a / (a - b));
            }
            for (std::size_t i = 0; i + 1 < crossings.size(); i += 2)
                lines.push_back({{crossings[i].x() / width, crossings[i].y() / height},
                                 {crossings[i + 1].x() / width, crossings[i + 1].y() / height}});
        }
    return lines;
}

}  // namespace meander::gui
