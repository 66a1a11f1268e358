// Where the objects of a sprite are, by their colours: the truth that attention to words is measured against.
#pragma once
#include "engine/sprites/fidelity.h"

namespace meander {

// Of each object of the scene, in its order: 1 for the pixels whose colour is nearer to the object's than to that of
// the background and of the other object, else 0; rows from the top.
std::vector<std::vector<std::uint8_t>> objectPixels(const Image& image, const SpriteScene& scene);

}  // namespace meander
