#include "engine/exchange/imported_recipe.h"

#include "engine/core/printable.h"

namespace meander {

std::string ImportedSetting::text() const {
    std::string s = name;
    if (!value.empty()) s += (s.empty() ? "" : ": ") + value;
    if (!reason.empty()) s += (s.empty() ? "" : " ") + ("(" + reason + ")");
    return printable(s);
}

std::vector<std::string> ReadRecipe::texts(SettingOrigin origin) const {
    std::vector<std::string> list;
    for (const ImportedSetting& s : settings)
        if (s.origin == origin) list.push_back(s.text());
    return list;
}

Json toJson(const ReadRecipe& read) {
    return {{"source", read.source},         {"program", read.program},
            {"recipe", toJson(read.recipe)}, {"read", read.texts(SettingOrigin::Read)},
            {"assumed", read.assumed()},     {"not_understood", read.notUnderstood()}};
}

}  // namespace meander
