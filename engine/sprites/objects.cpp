#include "engine/sprites/objects.h"

#include "engine/sprites/palette.h"

namespace meander {
namespace {

const SpriteColour* colourNamed(const std::string& name) {
    for (const SpriteColour& c : spritePalette)
        if (name == c.name) return &c;
    return nullptr;
}

int squaredDistance(const std::uint8_t* pixel, const SpriteColour& c) {
    const int r = pixel[0] - c.r, g = pixel[1] - c.g, b = pixel[2] - c.b;
    return r * r + g * g + b * b;
}

}  // namespace

std::vector<std::vector<std::uint8_t>> objectPixels(const Image& image, const SpriteScene& scene) {
    std::vector<const SpriteColour*> colours;
    for (const auto& [colour, shape] : scene.objects) colours.push_back(colourNamed(colour));
    colours.push_back(colourNamed(scene.background));
    std::vector<std::vector<std::uint8_t>> masks(
        scene.objects.size(), std::vector<std::uint8_t>(std::size_t(image.width) * std::size_t(image.height)));
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) {
            std::size_t best = 0;
            for (std::size_t i = 1; i < colours.size(); ++i)
                if (squaredDistance(image.at(x, y), *colours[i]) < squaredDistance(image.at(x, y), *colours[best]))
                    best = i;
            if (best < masks.size()) masks[best][std::size_t(y * image.width + x)] = 1;
        }
    return masks;
}

}  // namespace meander
