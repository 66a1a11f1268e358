// Images and upright lines on the screen without Qt's painting threads: an image that is scaled, and antialiased or
// translucent shapes of some height, are split among them, and the GUI thread then waits until all of them had their
// turn, which takes long while a run keeps every core busy.
#pragma once
#include <QPaintEngine>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <vector>

namespace meander::gui {

// The part `whole` of the page (in device independent pixels) where `image` fills `target`: every pixel takes the
// nearest one's colour.
inline QImage nearestScaled(const QImage& image, const QRectF& target, const QRect& whole, double ratio) {
    const QImage from =
        image.convertToFormat(image.hasAlphaChannel() ? QImage::Format_ARGB32_Premultiplied : QImage::Format_RGB32);
    QImage to(whole.size() * ratio, from.format());
    const auto sources = [ratio](int count, int start, double low, double length, int most) {
        std::vector<int> at(std::size_t(std::max(0, count)));
        for (int i = 0; i < count; ++i)
            at[std::size_t(i)] =
                std::clamp(int(std::floor((start + (i + 0.5) / ratio - low) / length * most)), 0, most - 1);
        return at;
    };
    const auto columns = sources(to.width(), whole.left(), target.left(), target.width(), from.width()),
               rows = sources(to.height(), whole.top(), target.top(), target.height(), from.height());
    for (int y = 0; y < to.height(); ++y) {
        auto* line = reinterpret_cast<QRgb*>(to.scanLine(y));
        if (y > 0 && rows[std::size_t(y)] == rows[std::size_t(y - 1)]) {
            std::copy_n(reinterpret_cast<const QRgb*>(to.constScanLine(y - 1)), to.width(), line);
            continue;
        }
        const auto* source = reinterpret_cast<const QRgb*>(from.constScanLine(rows[std::size_t(y)]));
        for (int x = 0; x < to.width(); ++x) line[x] = source[columns[std::size_t(x)]];
    }
    to.setDevicePixelRatio(ratio);
    return to;
}

inline void drawImage(QPainter& p, const QRectF& target, const QImage& image, bool smooth) {
    if (image.isNull() || target.isEmpty()) return;
    p.save();
    p.setRenderHint(QPainter::Antialiasing, false);
    const bool isRaster = p.paintEngine() && p.paintEngine()->type() == QPaintEngine::Raster
                          && p.transform().type() <= QTransform::TxTranslate;
    const double ratio = p.device()->devicePixelRatioF();
    if (smooth && isRaster) {
        const QRect whole = target.toAlignedRect();
        QImage scaled = image.scaled(whole.size() * ratio, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
        scaled.setDevicePixelRatio(ratio);
        p.drawImage(whole.topLeft(), scaled);
    } else if (isRaster) {
        const QRect page = p.transform().inverted().mapRect(p.window()),
                    whole = target.toAlignedRect().intersected(page);
        if (!whole.isEmpty()) p.drawImage(whole.topLeft(), nearestScaled(image, target, whole, ratio));
    } else {
        p.setRenderHint(QPainter::SmoothPixmapTransform, smooth);
        p.drawImage(target, image);
    }
    p.restore();
}

// One pixel wide, in a colour without transparency.
inline void drawUpright(QPainter& p, double x, double top, double bottom, const QColor& opaque) {
    p.save();
    p.setRenderHint(QPainter::Antialiasing, false);
    p.fillRect(QRect(int(std::lround(x - 0.5)), int(std::lround(top)), 1, std::max(1, int(std::lround(bottom - top)))),
               opaque);
    p.restore();
}

}  // namespace meander::gui
