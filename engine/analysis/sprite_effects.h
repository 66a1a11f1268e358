// Measurements of interventions on the sprites, whose objects are known from the prompt and found by their colours: the
// tables of resources/help/interventions.md, and their tests.
#pragma once
#include <string>
#include <vector>

#include "engine/analysis/word_effects.h"
#include "engine/run/plan.h"
#include "engine/sprites/objects.h"

namespace meander {

// The shape word of an object of a scene, and which of its places in the prompt, counted from 1.
struct ShapeWord {
    std::string text;
    int occurrence = 1;
};
ShapeWord shapeWord(const SpriteScene& scene, std::size_t object);
// The first `n` random prompts with two objects.
// Of two colours, so that they can be told apart.
std::vector<std::string> twoObjectPrompts(int n, std::uint64_t seed);

// Share of the attention to each object's shape word that lies inside that object's pixels, that of a map which is the
// object itself on the same grid, and the object's share of the image, in the order of the objects; of a run with
// attention.
struct WordPlacement {
    double inside = 0, ideal = 0, area = 0;
};
std::vector<WordPlacement> wordPlacements(const Run& run, const AttentionSelection& selection, MapScale scale);

// Rules that mute the five heads with the most mass for the first object's shape word, or the five with the least; and
// rules that mute that word alone in those heads.
enum class Heads : std::uint8_t { Most, Least };
std::vector<Choice> mutedHeads(const Run& run, Heads which, int count = 5);
std::vector<Choice> mutedInHeads(const Run& run, Heads which, int count = 5);
// The rule that scales the attention to the first object, its colour and its shape.
Choice scaledObject(const SpriteScene& scene, double factor);
// Pixels of the first object in a run's image.
int objectSize(const Run& run);
// Root mean square of the difference of two runs' images, in [0, 1].
double imageDifference(const Run& a, const Run& b);

}  // namespace meander
