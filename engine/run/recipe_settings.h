// Settings of a recipe by name and text, as the command line, sweeps and files of them write them: "steps", "12";
// "sampler", "heun"; "guidance.scale", "3"; "schedule_operators", "clip:max=5|to_clean".
#pragma once
#include <string>
#include <vector>

#include "engine/recipe/recipe.h"
#include "engine/run/recipe_tables.h"

namespace meander {

// Throws Failure with a sentence that names the nearest key or value.
void changeSetting(Recipe& recipe, const std::string& key, const std::string& value);
// "clip:max=5|to_clean"; none, off or nothing: no row. Throws Failure.
std::vector<Choice> choicesFromText(const std::string& text, const ChoiceTable& table);
// The name of a setting for people: "Steps", "Guidance scale". The key where it is not known.
std::string settingLabel(const std::string& key);

}  // namespace meander
