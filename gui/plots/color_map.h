// Value → colour for maps, by the tables of engine/imaging/colour_maps. Sequential maps rise evenly in lightness; the
// diverging one is centred on 0 with arms of equal lightness. No jet.
#pragma once
#include <QImage>
#include <QPainter>
#include <QRgb>
#include <functional>
#include <span>

#include "gui/look/theme.h"

namespace meander::gui {

enum class ColorMap { Viridis, Diverging, Grey };

QRgb colorOf(ColorMap map, double share);                    // share in [0, 1], clamped
QRgb divergingColor(double value, double limit, bool dark);  // value in [−limit, limit]; 0 is the panel's own lightness
// Values (rows × columns, top row first) as an image with one pixel per value; what is no number is transparent.
QImage mapImage(std::span<const float> values, int width, int height, float lo, float hi, ColorMap map);
// The range a map is scaled to: the given percentiles, so one outlier does not wash it out.
struct ValueRange {
    float lo = 0, hi = 1;
};
ValueRange robustRange(std::span<const float> values, double low = 0.0, double high = 1.0);
// The key of a map: a bar of its colours between the numbers at its ends, then what they are.
struct ColorScale {
    std::function<QColor(double share)> colorAt;
    QString low, high, text;
};
double colorScaleWidth(const ColorScale& s);
void paintColorScale(QPainter& p, QPointF left, const ColorScale& s,
                     const Theme& t);  // `left`: the middle of its left edge

}  // namespace meander::gui
