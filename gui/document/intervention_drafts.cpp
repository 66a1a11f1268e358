#include "gui/document/intervention_drafts.h"

#include <algorithm>

#include "engine/core/switched.h"

namespace meander::gui {
namespace {

// The rule that edits a place: its id, and the parameters by which it is told from others.
Choice ruleOf(const HeadPlace& p) {
    return {"mute_head",
            {{"layers", std::to_string(p.block)},
             {"attention", std::string("cross")},
             {"head", std::int64_t(p.head)},
             {"which", std::string(p.isOthers ? "others" : "one")}}};
}
Choice ruleOf(const WordPlace& p) {
    return {"scale_token", {{"word", p.word}, {"occurrence", std::int64_t(p.occurrence)}}};
}

bool isOf(const Choice& rule, const Choice& place) {
    return rule.id == place.id && std::all_of(place.params.begin(), place.params.end(), [&](const auto& p) {
               const auto it = rule.params.find(p.first);
               return it != rule.params.end() && it->second == p.second;
           });
}

double scaleOf(const Recipe& recipe, const Choice& place) {
    for (const Choice& c : recipe.guidance)
        if (isOf(c, place) && !isSwitchedOff(c) && c.params.contains("scale")) return real(c.params, "scale");
    return 1;
}

Recipe withScale(Recipe recipe, Choice place, double scale) {
    auto& rules = recipe.guidance;
    const auto known = std::find_if(rules.begin(), rules.end(), [&](const Choice& c) { return isOf(c, place); });
    if (scale == 1) {
        if (known != rules.end()) rules.erase(known);
        return recipe;
    }
    if (known == rules.end()) {
        place.params["scale"] = scale;
        rules.push_back(std::move(place));
        return recipe;
    }
    known->params["scale"] = scale;
    known->params.erase("enabled");
    return recipe;
}

}  // namespace

double headScale(const Recipe& recipe, const HeadPlace& place) { return scaleOf(recipe, ruleOf(place)); }
Recipe withHeadScale(Recipe recipe, const HeadPlace& place, double scale) {
    return withScale(std::move(recipe), ruleOf(place), scale);
}
double wordScale(const Recipe& recipe, const WordPlace& place) { return scaleOf(recipe, ruleOf(place)); }
Recipe withWordScale(Recipe recipe, const WordPlace& place, double scale) {
    return withScale(std::move(recipe), ruleOf(place), scale);
}

}  // namespace meander::gui
