// Images on the screen without Qt's painting threads: an antialiased or smoothly scaled image is split among them, and the GUI thread then waits until all of
// them had their turn, which takes long while a run keeps every core busy. Scaled beforehand and copied 1:1 it is quicker too.
#pragma once
#include <QPaintEngine>
#include <QPainter>

namespace meander::gui {

inline void drawImage(QPainter& p, const QRectF& target, const QImage& image, bool smooth) {
    if (image.isNull() || target.isEmpty()) return;
    p.save();
    p.setRenderHint(QPainter::Antialiasing, false);
    const bool isRaster = p.paintEngine() && p.paintEngine()->type() == QPaintEngine::Raster;
    if (smooth && isRaster) {
        const QRect whole = target.toAlignedRect();
        const double ratio = p.device()->devicePixelRatioF();
        QImage scaled = image.scaled(whole.size() * ratio, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
        scaled.setDevicePixelRatio(ratio);
        p.drawImage(whole.topLeft(), scaled);
    } else {
        p.setRenderHint(QPainter::SmoothPixmapTransform, smooth);
        p.drawImage(target, image);
    }
    p.restore();
}

}  // namespace meander::gui
