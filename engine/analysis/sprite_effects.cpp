#include "engine/analysis/sprite_effects.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/interventions/blocks.h"
#include "engine/interventions/words.h"

namespace meander {
namespace {

SpriteScene sceneOf(const Run& run) { return parseSpritePrompt(run.recipe.prompt).value_or(SpriteScene{}); }

Word wordOf(const Run& run, const ShapeWord& w) {
    return {w.text, tokensOfWord(run.trajectory->tokens, w.text, w.occurrence), false};
}

}  // namespace

ShapeWord shapeWord(const SpriteScene& scene, std::size_t object) {
    const std::string& shape = scene.objects[object].second;
    int occurrence = 1;
    for (std::size_t i = 0; i < object; ++i) occurrence += scene.objects[i].second == shape;
    return {shape, occurrence};
}

std::vector<std::string> twoObjectPrompts(int n, std::uint64_t seed) {
    std::vector<std::string> found;
    for (const std::string& prompt : randomSpritePrompts(3 * n + 30, seed)) {
        const auto objects = parseSpritePrompt(prompt)->objects;
        const bool isTold = objects.size() == 2 && objects[0].first != objects[1].first;
        if (int(found.size()) < n && isTold) found.push_back(prompt);
    }
    return found;
}

std::vector<WordPlacement> wordPlacements(const Run& run, const AttentionSelection& selection, MapScale scale) {
    const SpriteScene scene = sceneOf(run);
    const Image image = imageOf(run.images, selection.image);
    const auto masks = objectPixels(image, scene);
    const TokenMaps maps = reduceAttention(*run.trajectory, selection);
    std::vector<Word> words;
    for (std::size_t i = 0; i < scene.objects.size(); ++i) words.push_back(wordOf(run, shapeWord(scene, i)));
    const auto heat = mapsOf(maps, words, scale, run.trajectory->tokens);
    std::vector<WordPlacement> all;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const double pixels = std::accumulate(masks[i].begin(), masks[i].end(), 0.0);
        all.push_back({shareInside(heat[i], masks[i], image.width, image.height),
                       shareOfMask(heat[i], masks[i], image.width, image.height), pixels / double(masks[i].size())});
    }
    return all;
}

std::vector<Choice> mutedHeads(const Run& run, Heads which, int count) {
    auto heads = headsByMass(*run.trajectory, 0, wordOf(run, shapeWord(sceneOf(run), 0)));
    if (which == Heads::Least) std::reverse(heads.begin(), heads.end());
    std::vector<Choice> rules;
    for (int i = 0; i < count && i < int(heads.size()); ++i) {
        const HeadMass& h = heads[std::size_t(i)];
        const auto block = blockHolding(run.model, run.trajectory->sites[std::size_t(h.site)].path);
        rules.push_back({"mute_head",
                         {{"layers", std::to_string(block.value_or(0))},
                          {"attention", std::string("cross")},
                          {"head", std::int64_t(h.head)},
                          {"scale", 0.0}}});
    }
    return rules;
}

std::vector<Choice> mutedInHeads(const Run& run, Heads which, int count) {
    const ShapeWord word = shapeWord(sceneOf(run), 0);
    std::vector<Choice> rules = mutedHeads(run, which, count);
    for (Choice& c : rules)
        c = {"scale_token",
             {{"word", word.text},
              {"occurrence", std::int64_t(word.occurrence)},
              {"scale", 0.0},
              {"layers", c.params["layers"]},
              {"head", c.params["head"]}}};
    return rules;
}

Choice scaledObject(const SpriteScene& scene, double factor) {
    return {"scale_token",
            {{"word", scene.objects.front().first + " " + scene.objects.front().second},
             {"occurrence", std::int64_t(1)},
             {"scale", factor}}};
}

int objectSize(const Run& run) {
    const auto masks = objectPixels(imageOf(run.images), sceneOf(run));
    return masks.empty() ? 0 : int(std::accumulate(masks.front().begin(), masks.front().end(), 0));
}

double imageDifference(const Run& a, const Run& b) {
    double sum = 0;
    for (std::int64_t i = 0; i < a.images.count(); ++i)
        sum += (a.images.at(i) - b.images.at(i)) * (a.images.at(i) - b.images.at(i));
    return std::sqrt(sum / double(std::max<std::int64_t>(a.images.count(), 1)));
}

}  // namespace meander
