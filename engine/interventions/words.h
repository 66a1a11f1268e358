// Words of a prompt as tokens: what interventions on single words and between two prompts need.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/models/conditions.h"

namespace meander {

// Indices of the tokens of a word, or of several words behind each other, in a prompt; upper and lower case are alike.
// `occurrence`: 1 is the first place where it stands, 0 all of them. A prompt that is read by several text encoders
// counts once. Empty where it is not there.
std::vector<int> tokensOfWord(const std::vector<Token>& tokens, const std::string& word, std::int64_t occurrence);
// "a, red, circle": every word of a prompt once, for sentences.
std::string wordList(const std::vector<Token>& tokens);

// For each token of a target prompt: the tokens of the source that it stands for, with their weights; none where it is
// new. Words are aligned in their order, as many as possible; with `pairsChanged` changed words stand for those in
// whose place they are, where these are as many (Hertz et al. 2022, prompt-to-prompt).
using TokenAlignment = std::vector<std::vector<std::pair<int, float>>>;
TokenAlignment alignedTokens(const std::vector<Token>& source, const std::vector<Token>& target, bool pairsChanged);

}  // namespace meander
