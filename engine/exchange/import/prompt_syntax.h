// Syntax of other programs in a prompt: which of it a dialect reads, and what is passed to the tokenizer as plain text
// and therefore named, so that nobody takes it for applied.
#pragma once
#include <string>
#include <vector>

#include "engine/exchange/imported_recipe.h"
#include "engine/models/prompt_dialect.h"
#include "engine/recipe/peer.h"

namespace meander {

// One note for each kind of syntax found, with the first place as its value: "(masterpiece:1.2)".
std::vector<ImportedSetting> promptSyntax(const std::string& prompt, Peer peer, PromptDialect dialect,
                                          const std::string& where);
// Does the dialect read the prompt in another way than plain text? Long prompts, too, of which plain text is cut.
bool hasSyntax(const std::string& prompt, PromptDialect dialect);

}  // namespace meander
