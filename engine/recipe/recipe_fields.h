// The fields of a recipe in one table. Files, --set, the checks of a plan, differences, the form with its resets,
// import and export go through it: a new setting is one member of Recipe and one row.
#pragma once
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "engine/recipe/recipe.h"

namespace meander {

// Its type is the kind of the field: a text, a whole number, on or off, one row of a table, several rows in order ...
using RecipeMember = std::variant<std::string Recipe::*, int Recipe::*, std::uint64_t Recipe::*, bool Recipe::*,
                                  std::optional<int> Recipe::*, AttentionLevel Recipe::*, Choice Recipe::*,
                                  std::vector<Choice> Recipe::*, std::optional<BranchPoint> Recipe::*>;

struct FieldChoice {
    std::string id, label, help;
};

struct RecipeField {
    std::string key;    // stable; of files, --set and Difference
    std::string label;  // sentence case
    RecipeMember member;
    std::string group;                                     // heading in a form; empty: before all headings
    std::string shortLabel;                                // below that heading; empty: `label`
    std::string unit;                                      // "steps"; may be empty
    std::string help;                                      // one sentence
    std::vector<FieldChoice> choices = {};                 // values that a form offers of a text or an AttentionLevel
    bool (*isAllowed)(const std::string& text) = nullptr;  // of a text with choices; null: these alone
    int minimum = 0, maximum = std::numeric_limits<int>::max();  // inclusive, of whole numbers
    bool isOmitted = false;                                      // from files while it has its default
    // Where and how it runs here, which a recipe of another program does not state.
    bool isLocal = false;
    // What is drawn, not how: no model's recommendation replaces it.
    bool isSubject = false;
    int place = 0;  // among the rows of its group; equal ones keep the order of the table
};

// In the order of files and differences.
const std::vector<RecipeField>& recipeFields();
const RecipeField* findRecipeField(const std::string& key);

// Null when it is absent or omitted.
Json fieldToJson(const RecipeField& field, const Recipe& recipe);
// Checks the type only: names and ranges of later versions stay readable. Throws Failure.
void fieldFromJson(const RecipeField& field, Recipe& recipe, const Json& value);
// What a person typed; checks names and ranges too. Of rows of tables it reads ids: "heun", "cfg|apg". Throws Failure.
void fieldFromText(const RecipeField& field, Recipe& recipe, const std::string& text);
// For tables of differences; "–" when it is absent. Of a row of a table its id.
std::string display(const RecipeField& field, const Recipe& recipe);
bool isEqual(const RecipeField& field, const Recipe& a, const Recipe& b);
void copyField(const RecipeField& field, const Recipe& from, Recipe& to);
// A sentence about a number out of range or an unknown text; empty: allowed.
std::string problemOf(const RecipeField& field, const Recipe& recipe);

// "auto", "cpu", "cuda:0" ... "cuda:99".
bool isDeviceName(const std::string& name);

}  // namespace meander
