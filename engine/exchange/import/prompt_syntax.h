// Syntax of other programs in a prompt that Meander passes to the tokenizer as plain text: named, so that nobody takes
// it for applied.
#pragma once
#include <string>
#include <vector>

#include "engine/exchange/imported_recipe.h"
#include "engine/recipe/peer.h"

namespace meander {

// One note for each kind of syntax found, with the first place as its value: "(masterpiece:1.2)".
std::vector<ImportedSetting> promptSyntax(const std::string& prompt, Peer peer, const std::string& where);

}  // namespace meander
