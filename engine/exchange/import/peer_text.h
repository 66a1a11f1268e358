// The settings in a file of another program, before they become a recipe: under the words of A1111's text of
// parameters, whatever words the program itself uses.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/exchange/imported_recipe.h"
#include "engine/recipe/peer.h"

namespace meander {

struct PeerSetting {
    std::string key;  // "cfg scale", "schedule type" ..., in lower case
    std::string value;
    std::string written;  // the key as the file has it
};

struct PeerText {
    Peer peer = Peer::A1111;
    std::string source;
    std::string prompt, negative;
    std::vector<PeerSetting> settings;
    std::vector<ImportedSetting> notes = {};  // what the reader itself read, assumed or left out
    std::optional<Choice> schedule = {};      // a schedule that its reader understood, of `steps` intervals
    std::vector<Choice> operators = {};       // on the schedule, after it
    Params samplerParams = {};  // of the sampler, as far as it has them: what its reader concluded from other settings

    void add(const std::string& key, const std::string& value, const std::string& written);
    void leaveOut(const std::string& name, const std::string& value, const std::string& reason = {});
};

// The recipe with the settings in it, the program's own defaults for those that are missing, and both said.
ReadRecipe recipeOf(const PeerText& text);

// "trimmed", "in lower case" of ASCII.
std::string trimmedText(const std::string& s);
std::string lowerText(std::string s);
// The number that the whole text is; nothing for other text, NaN and infinities.
std::optional<double> numberOf(const std::string& s);

}  // namespace meander
