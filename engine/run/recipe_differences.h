// What differs between two recipes, in the words of forms and tables.
#pragma once
#include <string>
#include <vector>

#include "engine/recipe/recipe.h"

namespace meander {

// One line per setting that differs, in display order.
struct Difference {
    std::string key, label, left, right;
};
std::vector<Difference> differences(const Recipe& a, const Recipe& b);

}  // namespace meander
