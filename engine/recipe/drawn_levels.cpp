#include "engine/recipe/drawn_levels.h"

#include "engine/schedule/level_edit.h"

namespace meander {

Recipe withLevels(Recipe recipe, const std::vector<double>& levels) {
    recipe.schedule = {"custom", {{"values", levels}}};
    recipe.scheduleOperators.clear();
    if (!levels::endsClean(levels)) recipe.scheduleOperators = {{"clip", {{"min", levels.back()}}}};
    recipe.steps = levels::movableCount(levels);  // of the custom list, which always goes on to 0
    return recipe;
}

}  // namespace meander
