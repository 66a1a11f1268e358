// Geometry and arithmetic of the canvas: where images lie, the wipe, differences and metrics. Pure functions.
#pragma once
#include <QImage>
#include <QPointF>
#include <QRectF>
#include <cmath>
#include <optional>
#include <vector>

#include "gui/images/state_image.h"

namespace meander::gui {

// Zoom and pan, shared by all images on the canvas.
struct ImageView {
    double zoom = 0;                                         // page pixels per image pixel; 0: fit
    QPointF pan;                                             // page pixels
    double scaleFor(QSize image, const QRectF& area) const;  // fit is a whole number from 3 on: crisp, even pixels
    QRectF target(QSize image, const QRectF& area) const;
    // Zooms so that what is under `at` stays there.
    void zoomAt(double factor, QPointF at, QSize image, const QRectF& area);
};

std::vector<QRectF> tileAreas(const QRectF& area, int count, double gap);
// The part of the target left of the wipe, and right of it; split in [0, 1].
std::pair<QRectF, QRectF> wipeParts(const QRectF& target, double split);
std::optional<QPointF> shareOf(const QRectF& target, QPointF page);  // in [0, 1]²; none outside

QImage differenceImage(const QImage& a, const QImage& b, double amplification, bool dark);

struct ImageMetrics {
    double rms = 0, psnr = 0, maximum = 0;  // of images in [0, 1]
    double signedMaximum = 0;  // greatest absolute mean of the channels' differences: what a signed difference shows
    // The power of two that makes the signed difference as visible as it gets without cutting off its strongest colour.
    double fittingAmplification() const {
        return signedMaximum > 0 ? std::exp2(std::floor(std::log2(1 / signedMaximum) + 1e-9)) : 1;
    }
};
std::optional<ImageMetrics> compareImages(const QImage& a, const QImage& b);

// Lines where a map crosses a level (marching squares), in [0, 1]².
std::vector<std::pair<QPointF, QPointF>> contourLines(const std::vector<double>& values, int width, int height,
                                                      double level);

}  // namespace meander::gui
