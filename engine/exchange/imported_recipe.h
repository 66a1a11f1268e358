// What an import gives: a recipe, and for every setting whether it was read, assumed or not understood. Nothing is
// completed or dropped silently.
#pragma once
#include <string>
#include <vector>

#include "engine/recipe/recipe.h"

namespace meander {

enum class SettingOrigin : std::uint8_t {
    Read,          // in the file, and in the recipe or without a bearing on the image
    Assumed,       // not in the file: the default of the program that wrote it
    NotUnderstood  // in the file, without a counterpart here
};

struct ImportedSetting {
    SettingOrigin origin = SettingOrigin::Read;
    std::string name, value;  // as the file writes them
    std::string reason;       // why it was assumed or left out; empty where the value says it

    std::string text() const;  // "Schedule type: Karras (the sampler's own)", for a person: control characters escaped
    bool operator==(const ImportedSetting&) const = default;
};

struct ReadRecipe {
    Recipe recipe;
    std::string source;   // where it stood: "meander", "parameters", "prompt", "workflow", "invokeai_metadata" ...
    std::string program;  // which program wrote it: "Meander", "AUTOMATIC1111", "ComfyUI" ...
    std::vector<ImportedSetting> settings = {};

    std::vector<std::string> texts(SettingOrigin origin) const;
    std::vector<std::string> notUnderstood() const { return texts(SettingOrigin::NotUnderstood); }
    std::vector<std::string> assumed() const { return texts(SettingOrigin::Assumed); }
    bool isExact() const { return source == "meander" && notUnderstood().empty() && assumed().empty(); }
};

// {"source", "program", "recipe", "read", "assumed", "not_understood"}.
Json toJson(const ReadRecipe& read);

}  // namespace meander
