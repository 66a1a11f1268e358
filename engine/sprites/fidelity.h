// Does a 32 × 32 sprite show what its prompt asks for? The rule stands in resources/training/FIDELITY.md and is the
// same as the training's own checker. Needs OpenCV; without it the answers are Errors.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/result.h"
#include "engine/imaging/image.h"

namespace meander {

struct SpriteScene {
    std::string background;
    std::vector<std::pair<std::string, std::string>> objects;  // colour, shape; one or two
    std::string relation;                                      // of the first to the second; empty with one object
};
// Nothing when the text is not of the sprites' grammar.
std::optional<SpriteScene> parseSpritePrompt(const std::string& prompt);
std::string promptOf(const SpriteScene& scene);
// The rule of scene.py: background, two objects of other colours, one in five with a single object. The same seed gives
// the same prompts everywhere.
std::vector<std::string> randomSpritePrompts(int n, std::uint64_t seed);

struct FidelityVerdict {
    bool isFaithful = false;
    std::string reason;  // "ok", "2 objects", "unclear shape", "relation" ...
};
Result<FidelityVerdict> judgeSprite(const Image& image, const std::string& prompt);
// The ideal image of a scene (for tests): shapes by signed distance with one pixel of antialiasing.
Image drawSprite(const SpriteScene& scene);

}  // namespace meander
