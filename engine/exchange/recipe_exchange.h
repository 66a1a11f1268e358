// Recipes in and out: JSON files, texts in PNG, JPEG and WebP images (ours under "meander", and what other programs
// write), plain text, and back.
#pragma once
#include <string>
#include <vector>

#include "engine/exchange/imported_recipe.h"
#include "engine/imaging/png.h"
#include "engine/recipe/recipe.h"
#include "engine/run/trajectory.h"

namespace meander {

Result<Recipe> readRecipeFile(const std::string& path);
Status writeRecipeFile(const std::string& path, const Recipe& recipe);

// Everything an image says about how it was made.
PngTexts textsOf(const Run& run, int image);
std::string parametersText(const Recipe& recipe, int width, int height, const std::string& modelName);

// From the texts of an image; `what` names it in sentences.
Result<ReadRecipe> recipeFromTexts(const PngTexts& texts, const std::string& what);
// From one text: JSON of ours or of another program (settings, a graph, a scheduler), or a text of parameters.
Result<ReadRecipe> recipeFromText(const std::string& text, const std::string& what);
// From the bytes of a file or a pipe, by what they are: an image, JSON, or a text of parameters. A byte order mark of
// UTF-8 is skipped; other kinds of file and other encodings are refused by name.
Result<ReadRecipe> recipeFromBytes(const std::string& bytes, const std::string& what);
// From a file, as its bytes.
Result<ReadRecipe> readRecipeFrom(const std::string& path);
ReadRecipe recipeFromParameters(const std::string& text);

}  // namespace meander
