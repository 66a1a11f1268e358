#include "gui/plots/color_map.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/imaging/colour_maps.h"

namespace meander::gui {
namespace {

QRgb between(QRgb a, QRgb b, double t) {
    auto mix = [t](int x, int y) { return int(std::lround(x + (y - x) * t)); };
    return qRgb(mix(qRed(a), qRed(b)), mix(qGreen(a), qGreen(b)), mix(qBlue(a), qBlue(b)));
}

QRgb colorIn(const ColourMap& map, double share) {
    const Rgb c = map.at(share);
    return qRgb(c[0], c[1], c[2]);
}

const ColourMap& tableOf(ColorMap map) {
    static const ColourMap *viridis = findColourMap("viridis"), *blueRed = findColourMap("blue_red"),
                           *grey = findColourMap("grey");
    return map == ColorMap::Viridis ? *viridis : map == ColorMap::Diverging ? *blueRed : *grey;
}

}  // namespace

QRgb colorOf(ColorMap map, double share) { return colorIn(tableOf(map), std::isnan(share) ? 0 : share); }

QRgb divergingColor(double value, double limit, bool dark) {
    double t = limit > 0 ? std::clamp(value / limit, -1.0, 1.0) : 0;
    if (!dark) return colorOf(ColorMap::Diverging, 0.5 + t / 2);
    const QRgb middle = 0x1f2229, cold = 0x6aa8f0, warm = 0xf08a6a;
    return between(middle, t < 0 ? cold : warm, std::abs(t)) | 0xff000000u;
}

QImage mapImage(std::span<const float> values, int width, int height, float lo, float hi, ColorMap map) {
    QImage image(width, height, QImage::Format_ARGB32_Premultiplied);
    float scale = hi > lo ? 1 / (hi - lo) : 0;
    for (int y = 0; y < height; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        for (int x = 0; x < width; ++x) {
            const float v = values[std::size_t(y) * width + x];
            line[x] = std::isfinite(v) ? colorOf(map, (v - lo) * scale) : 0;
        }
    }
    return image;
}

ValueRange robustRange(std::span<const float> values, double low, double high) {
    std::vector<float> finite;
    finite.reserve(values.size());
    std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](float v) { return std::isfinite(v); });
    if (finite.empty()) return {};
    auto percentile = [&](double p) {
        auto at = finite.begin() + std::ptrdiff_t(std::llround(p * double(finite.size() - 1)));
        std::nth_element(finite.begin(), at, finite.end());
        return *at;
    };
    return {percentile(low), percentile(high)};
}

namespace {
constexpr double barWidth = 72, barGap = 6;
}

double colorScaleWidth(const ColorScale& s) {
    const QFontMetricsF number(numberFont(7.5)), word(interfaceFont(8));
    return number.horizontalAdvance(s.low) + number.horizontalAdvance(s.high) + barWidth + 2 * barGap
           + (s.text.isEmpty() ? 0 : word.horizontalAdvance(s.text) + 2 * barGap);
}

void paintColorScale(QPainter& p, QPointF left, const ColorScale& s, const Theme& t) {
    const auto write = [&](const QFont& font, const QColor& color, const QString& text) {
        p.setFont(font);
        p.setPen(color);
        const QFontMetricsF fm(font);
        p.drawText(QPointF(left.x(), left.y() + (fm.ascent() - fm.descent()) / 2), text);
        left.rx() += fm.horizontalAdvance(text) + barGap;
    };
    write(numberFont(7.5), t.muted, s.low);
    for (int i = 0; i < int(barWidth); ++i)
        p.fillRect(QRectF(std::round(left.x()) + i, std::round(left.y()) - 3, 1, 7), s.colorAt((i + 0.5) / barWidth));
    left.rx() += barWidth + barGap;
    write(numberFont(7.5), t.muted, s.high);
    left.rx() += barGap;
    write(interfaceFont(8), t.muted, s.text);
}

}  // namespace meander::gui
