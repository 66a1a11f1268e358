#include "engine/imaging/colour_maps.h"

#include <algorithm>
#include <cmath>

namespace meander {
namespace {

struct Lab {
    double l, a, b;
};
using Linear = std::array<double, 3>;

// CIELAB (D65) to linear sRGB.
Linear linearOf(const Lab& c) {
    const auto f = [](double t) { return t > 6.0 / 29 ? t * t * t : 3 * (6.0 / 29) * (6.0 / 29) * (t - 4.0 / 29); };
    const double fy = (c.l + 16) / 116;
    const double x = 0.95047 * f(fy + c.a / 500), y = f(fy), z = 1.08883 * f(fy - c.b / 200);
    return {3.2404542 * x - 1.5371385 * y - 0.4985314 * z, -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
            0.0556434 * x - 0.2040259 * y + 1.0572252 * z};
}

bool isInside(const Linear& c) {
    return std::all_of(c.begin(), c.end(), [](double v) { return v >= -1e-6 && v <= 1 + 1e-6; });
}

// Less colourful until sRGB has it; lightness stays.
Rgb rgbOf(Lab c) {
    Linear linear = linearOf(c);
    for (int i = 0; i < 200 && !isInside(linear); ++i) {
        c.a *= 0.985;
        c.b *= 0.985;
        linear = linearOf(c);
    }
    Rgb out{};
    for (std::size_t i = 0; i < 3; ++i) {
        const double v = std::clamp(linear[i], 0.0, 1.0);
        out[i] = std::uint8_t(std::lround(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055)));
    }
    return out;
}

struct Hue {
    double a, b;
};

// Catmull-Rom through evenly spaced points.
Hue curve(const std::vector<Hue>& points, double t) {
    const int last = int(points.size()) - 1;
    const int i = std::clamp(int(t * last), 0, last - 1);
    const double u = t * last - i;
    const auto at = [&](int k) { return points[std::size_t(std::clamp(k, 0, last))]; };
    const auto blend = [u](double p0, double p1, double p2, double p3) {
        return 0.5
               * (2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u * u
                  + (3 * p1 - p0 - 3 * p2 + p3) * u * u * u);
    };
    return {blend(at(i - 1).a, at(i).a, at(i + 1).a, at(i + 2).a),
            blend(at(i - 1).b, at(i).b, at(i + 1).b, at(i + 2).b)};
}

ColourMap sequential(std::string id, std::string label, double from, double to, const std::vector<Hue>& points) {
    ColourMap map{std::move(id), std::move(label), false, {}};
    for (int i = 0; i < 256; ++i) {
        const double t = i / 255.0;
        const Hue h = curve(points, t);
        map.table[std::size_t(i)] = rgbOf({from + (to - from) * t, h.a, h.b});
    }
    return map;
}

ColourMap diverging(std::string id, std::string label, double dark, double light, const std::vector<Hue>& below,
                    const std::vector<Hue>& above) {
    ColourMap map{std::move(id), std::move(label), true, {}};
    for (int i = 0; i < 256; ++i) {
        const double t = i / 127.5 - 1, s = std::abs(t);
        const Hue h = curve(t < 0 ? below : above, s);
        map.table[std::size_t(i)] = rgbOf({light + (dark - light) * s, h.a, h.b});
    }
    return map;
}

}  // namespace

Rgb ColourMap::at(double t) const {
    if (std::isnan(t)) return {128, 128, 128};
    return table[std::size_t(std::lround(std::clamp(t, 0.0, 1.0) * 255))];
}

const std::vector<ColourMap>& colourMaps() {
    static const std::vector<ColourMap> maps = {
        sequential("viridis", "Viridis", 14, 92, {{25, -28}, {12, -38}, {-27, -14}, {-46, 28}, {-18, 85}}),
        sequential("cividis", "Cividis (for all eyes)", 13, 92, {{3, -34}, {1, -18}, {0, 2}, {-1, 30}, {-4, 64}}),
        sequential("magma", "Magma", 3, 98, {{1, -5}, {36, -46}, {62, -14}, {46, 40}, {-5, 24}}),
        sequential("grey", "Grey", 0, 100, {{0, 0}, {0, 0}}),
        diverging("vik", "Blue – white – red", 24, 96, {{0, 0}, {-9, -34}, {4, -44}}, {{0, 0}, {30, 34}, {40, 30}}),
    };
    return maps;
}

const ColourMap* findColourMap(const std::string& id) {
    const auto& maps = colourMaps();
    const auto it = std::find_if(maps.begin(), maps.end(), [&](const ColourMap& m) { return m.id == id; });
    return it == maps.end() ? nullptr : &*it;
}

double lightness(const Rgb& c) {
    const auto linear = [](std::uint8_t v) {
        const double x = v / 255.0;
        return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
    };
    const double y = 0.2126729 * linear(c[0]) + 0.7151522 * linear(c[1]) + 0.0721750 * linear(c[2]);
    return y > 216.0 / 24389 ? 116 * std::cbrt(y) - 16 : y * 24389 / 27;
}

}  // namespace meander
