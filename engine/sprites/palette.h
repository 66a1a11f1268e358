// The seven colours and the words of the sprites, in the order that the fidelity rule asks for.
#pragma once
#include <cstdint>

namespace meander {

struct SpriteColour {
    const char* name;
    std::uint8_t r, g, b;
};
inline constexpr SpriteColour spritePalette[] = {
    {"red", 225, 40, 40},  {"green", 40, 165, 70},   {"blue", 45, 85, 230},  {"yellow", 245, 215, 45},
    {"black", 16, 16, 20}, {"white", 242, 242, 242}, {"gray", 128, 128, 128}};
inline constexpr int spritePaletteSize = 7, spriteObjectColours = 4;  // the first four are colours of objects
inline constexpr const char* spriteColours[] = {"red", "green", "blue", "yellow"};
inline constexpr const char* spriteBackgrounds[] = {"black", "white", "gray", "green"};
inline constexpr const char* spriteShapes[] = {"circle", "square", "triangle"};
inline constexpr const char* spriteRelations[] = {"above", "below", "left of", "right of"};

}  // namespace meander
