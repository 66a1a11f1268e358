// The table of guidance rules, from rules/list.inl: a file for every rule or tight family, and a line each.
#include "engine/guidance/guidance.h"

namespace meander {

namespace guidance {
#define RULE(name) GuidanceRule name();
#include "engine/guidance/rules/list.inl"
#undef RULE
}  // namespace guidance

const std::vector<GuidanceRule>& guidanceRules() {
    static const std::vector<GuidanceRule> table = {
#define RULE(name) guidance::name(),
#include "engine/guidance/rules/list.inl"
#undef RULE
    };
    return table;
}

const GuidanceRule* findGuidance(const std::string& id) {
    for (const auto& r : guidanceRules())
        if (r.id == id) return &r;
    return nullptr;
}

}  // namespace meander
