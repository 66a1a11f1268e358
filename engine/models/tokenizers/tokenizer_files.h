// The files of a tokenizer's folder, as transformers writes them beside the vocabulary.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/models/tokenizers/text_pipeline.h"

namespace meander {

inline constexpr std::size_t largestVocabularyFile = std::size_t(128) << 20;
inline constexpr int largestTokenId = 10'000'000;

bool hasFile(const std::string& folder, const char* name);
// All throw Failure for a file that is there and cannot be read.
std::string textOf(const std::string& path);
nlohmann::json jsonOf(const std::string& path, int depth = 24);
// An object; an empty one where the file is absent.
nlohmann::json settingsIn(const std::string& folder, const char* name);
// The name without an ending ("CLIPTokenizer"); empty: the folder does not say.
std::string tokenizerClass(const std::string& folder);
// The token of a role ("pad_token"), from tokenizer_config.json or special_tokens_map.json.
std::optional<std::string> roleToken(const std::string& folder, const char* role);
// From added_tokens.json and tokenizer_config.json.
std::vector<AddedToken> addedTokensIn(const std::string& folder);
// An entry of `what` that must be an id.
int idIn(const nlohmann::json& value, const std::string& what);

}  // namespace meander
