// Levels that a hand or a program chose, as a recipe holds them.
#pragma once
#include "engine/recipe/recipe.h"

namespace meander {

// The levels τ as the recipe's custom schedule; without a final 0 an operator "Clip" takes off the one that it adds.
Recipe withLevels(Recipe recipe, const std::vector<double>& levels);

}  // namespace meander
