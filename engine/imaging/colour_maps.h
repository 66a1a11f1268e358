// Colour maps made by formula in CIELAB: lightness runs straight from dark to light, so equal steps look equal and
// prints stay readable; hue follows a smooth curve through a few points and is drawn in where sRGB ends. Our own curves
// in the spirit of viridis, cividis, magma (Smith, van der Walt; Nuñez et al. 2018) and vik (Crameri); no table was
// copied.
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
