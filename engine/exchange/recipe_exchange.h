// Recipes in and out: JSON files, the text chunks of PNG images (ours under "meander", and "parameters" as A1111,
// Forge, stable-diffusion.cpp and others write it), and back.
#pragma once
#include <string>
#include <vector>

#include "engine/imaging/png.h"
#include "engine/recipe/recipe.h"
#include "engine/run/trajectory.h"

namespace meander {

struct ReadRecipe {
    Recipe recipe;
    std::string source;                      // "meander", "parameters"
    std::vector<std::string> notUnderstood;  // sentences or "key: value" of what has no counterpart here
    bool isExact() const { return notUnderstood.empty() && source == "meander"; }
};

Result<Recipe> readRecipeFile(const std::string& path);
Status writeRecipeFile(const std::string& path, const Recipe& recipe);

// Everything an image says about how it was made.
PngTexts textsOf(const Run& run, int image);
std::string parametersText(const Recipe& recipe, int width, int height, const std::string& modelName);
Result<ReadRecipe> recipeFromTexts(const PngTexts& texts, const std::string& what);
// A recipe from a .json recipe or a .png image.
Result<ReadRecipe> readRecipeFrom(const std::string& path);
ReadRecipe recipeFromParameters(const std::string& text);

}  // namespace meander
