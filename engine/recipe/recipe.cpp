#include "engine/recipe/recipe.h"

#include "engine/recipe/recipe_fields.h"

namespace meander {

const char* nameOf(AttentionLevel l) {
    switch (l) {
    case AttentionLevel::Off: return "off";
    case AttentionLevel::Summary: return "summary";
    case AttentionLevel::Layers: return "layers";
    case AttentionLevel::Full: return "full";
    }
    return "";
}

Json toJson(const Recipe& r) {
    Json j;
    for (const auto& field : recipeFields())
        if (Json value = fieldToJson(field, r); !value.is_null()) j[field.key] = std::move(value);
    return j;
}

Result<Recipe> recipeFromJson(const Json& j) {
    try {
        if (!j.is_object()) throw Failure("The recipe must be a JSON object.");
        Recipe recipe;
        for (const auto& [key, value] : j.items()) {
            const auto* field = findRecipeField(key);
            if (!field)
                throw Failure("The recipe has an unknown key \"" + key + "\". Remove it or correct its spelling.");
            if (!value.is_null()) fieldFromJson(*field, recipe, value);
        }
        return recipe;
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

Recipe recommendedRecipe(const ModelInfo& info) {
    Recipe base;
    base.model = info.id;
    Json merged = toJson(base);
    if (info.recommended.is_object())
        for (const auto& [key, value] : info.recommended.items()) merged[key] = value;
    merged["model"] = info.id;
    auto recipe = recipeFromJson(merged);
    return recipe ? *recipe : base;
}

}  // namespace meander
