// Colour maps as tables of 256 colours, for images, overlays, plots and exports alike. Viridis (Smith & van der Walt
// 2015, CC0) is the published map: a smooth curve through 33 of its colours, within one of 255 of all of them.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace meander {

using Rgb = std::array<std::uint8_t, 3>;

struct ColourMap {
    std::string id, label;
    bool isDiverging = false;  // the middle means 0
    std::array<Rgb, 256> table;
    // `t` in [0, 1]; outside it is clipped, NaN is mid-grey.
    Rgb at(double t) const;
};

const std::vector<ColourMap>& colourMaps();  // viridis first, the default
const ColourMap* findColourMap(const std::string& id);
// CIE L* of an sRGB colour, 0 to 100.
double lightness(const Rgb& c);

}  // namespace meander
