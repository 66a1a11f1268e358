// Edits of a recipe that a view of attention makes: heads and words scaled, as rules of its list, which the recipe's
// form shows and undo takes back. At scale 1 the rule is gone.
#pragma once
#include <string>

#include "engine/recipe/recipe.h"

namespace meander::gui {

// A head of the cross-attention of a block; or, with `isOthers`, all other heads of that block.
struct HeadPlace {
    int block = 0, head = 0;
    bool isOthers = false;
};
double headScale(const Recipe& recipe, const HeadPlace& place);  // 1 where no rule scales it
Recipe withHeadScale(Recipe recipe, const HeadPlace& place, double scale);

// A word of the prompt, in the place that `occurrence` counts from 1.
struct WordPlace {
    std::string word;
    int occurrence = 1;
};
double wordScale(const Recipe& recipe, const WordPlace& place);
Recipe withWordScale(Recipe recipe, const WordPlace& place, double scale);

}  // namespace meander::gui
