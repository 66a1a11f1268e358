#include "gui/document/intervention_drafts.h"

#include <algorithm>

#include "engine/core/switched.h"
#include "engine/guidance/guidance.h"

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

// What a rule does not say has its default.
bool isOf(const Choice& rule, const Choice& place) {
    if (rule.id != place.id) return false;
    Params said = rule.params;
    for (const ParamSpec& spec : findGuidance(rule.id)->params) said.insert({spec.key, spec.defaultValue});
    return std::all_of(place.params.begin(), place.params.end(),
                       [&](const auto& p) { return said.contains(p.first) && said.at(p.first) == p.second; });
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
