// The table of guidance rules, from rules/list.inl: a file for every rule or tight family, and a line each.
#include "engine/guidance/guidance.h"

#include <algorithm>

#include "engine/core/switched.h"
#include "engine/recipe/recipe.h"

namespace meander {

namespace guidance {
#define RULE(name) GuidanceRule name();
#include "engine/guidance/rules/list.inl"
#undef RULE
}  // namespace guidance

const std::vector<GuidanceRule>& guidanceRules() {
    static const std::vector<GuidanceRule> table = [] {
        std::vector<GuidanceRule> rows = {
#define RULE(name) guidance::name(),
#include "engine/guidance/rules/list.inl"
#undef RULE
        };
        for (GuidanceRule& row : rows) row.params.push_back(enabledParam());
        return rows;
    }();
    return table;
}

const GuidanceRule* findGuidance(const std::string& id) {
    for (const auto& r : guidanceRules())
        if (r.id == id) return &r;
    return nullptr;
}

bool keepsFeatures(const Recipe& recipe) {
    return std::any_of(recipe.guidance.begin(), recipe.guidance.end(), [](const Choice& c) {
        const GuidanceRule* rule = findGuidance(c.id);
        return rule && rule->keepsFeatures && !isSwitchedOff(c);
    });
}

Recipe withoutReuse(const Recipe& recipe) {
    Recipe whole = recipe;
    std::erase_if(whole.guidance, [](const Choice& c) {
        const GuidanceRule* rule = findGuidance(c.id);
        return rule && rule->reuses && !isSwitchedOff(c);
    });
    return whole;
}

}  // namespace meander
