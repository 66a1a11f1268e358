#include "engine/imaging/colour_maps.h"

#include <algorithm>
#include <cmath>

namespace meander {
namespace {

using Colours = std::vector<std::uint32_t>;  // 0xRRGGBB, evenly spaced over [0, 1]

// The colours of the published map at 0, 255/32 ... 255, rounded to its entries.
const Colours viridis = {0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453781, 0x424086, 0x3e4989, 0x3b528b,
                         0x375b8d, 0x33638d, 0x2f6b8e, 0x2c728e, 0x297a8e, 0x26828e, 0x23898e, 0x21918c, 0x1f978b,
                         0x1f9f88, 0x21a685, 0x27ad81, 0x31b57b, 0x3dbc74, 0x4cc26c, 0x5cc863, 0x6ece58, 0x81d34d,
                         0x95d840, 0xaadc32, 0xc0df25, 0xd5e21a, 0xeae51a, 0xfde725};
const Colours blueRed = {0x2166ac, 0x8ab6d6, 0xf2f2f2, 0xe69c84, 0xb2382e};
const Colours grey = {0x000000, 0xffffff};

double channel(const Colours& colours, int i, std::size_t c) {
    const int last = int(colours.size()) - 1;
    const auto at = [&](int k) { return double(colours[std::size_t(k)] >> (16 - 8 * c) & 0xff); };
    if (i < 0) return 2 * at(0) - at(1);
    if (i > last) return 2 * at(last) - at(last - 1);
    return at(i);
}

// Through the colours: straight lines, or Catmull-Rom curves where the map is smooth.
Rgb between(const Colours& colours, double t, bool isSmooth) {
    const int last = int(colours.size()) - 1, i = std::clamp(int(t * last), 0, last - 1);
    const double u = t * last - i;
    Rgb out{};
    for (std::size_t c = 0; c < 3; ++c) {
        const double p0 = channel(colours, i - 1, c), p1 = channel(colours, i, c), p2 = channel(colours, i + 1, c),
                     p3 = channel(colours, i + 2, c);
        const double v = isSmooth ? 0.5
                                        * (2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u * u
                                           + (3 * p1 - p0 - 3 * p2 + p3) * u * u * u)
                                  : p1 + (p2 - p1) * u;
        out[c] = std::uint8_t(std::lround(std::clamp(v, 0.0, 255.0)));
    }
    return out;
}

ColourMap through(std::string id, std::string label, const Colours& colours, bool isSmooth, bool isDiverging = false) {
    ColourMap map{std::move(id), std::move(label), isDiverging, {}};
    for (int i = 0; i < 256; ++i) map.table[std::size_t(i)] = between(colours, i / 255.0, isSmooth);
    return map;
}

}  // namespace

Rgb ColourMap::at(double t) const {
    if (std::isnan(t)) return {128, 128, 128};
    return table[std::size_t(std::lround(std::clamp(t, 0.0, 1.0) * 255))];
}

const std::vector<ColourMap>& colourMaps() {
    static const std::vector<ColourMap> maps = {
        through("viridis", "Viridis", viridis, true),
        through("blue_red", "Blue – white – red", blueRed, false, true),
        through("grey", "Grey", grey, false),
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
