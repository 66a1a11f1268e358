#include "engine/models/tokenizers/tokenizer_files.h"

#include <algorithm>
#include <filesystem>

#include "engine/core/json.h"

namespace meander {

namespace fs = std::filesystem;

bool hasFile(const std::string& folder, const char* name) {
    std::error_code error;
    return fs::is_regular_file(fs::path(folder) / name, error);
}

std::string textOf(const std::string& path) {
    auto text = readTextFile(path, largestVocabularyFile);
    if (!text) throw Failure(text.error().text);
    return std::move(*text);
}

nlohmann::json jsonOf(const std::string& path, int depth) {
    auto json = parseSortedJson(textOf(path), "'" + path + "'", {largestVocabularyFile, depth});
    if (!json) throw Failure(json.error().text);
    return std::move(*json);
}

nlohmann::json settingsIn(const std::string& folder, const char* name) {
    if (!hasFile(folder, name)) return nlohmann::json::object();
    auto json = jsonOf((fs::path(folder) / name).string());
    return json.is_object() ? json : nlohmann::json::object();
}

std::string tokenizerClass(const std::string& folder) {
    const auto config = settingsIn(folder, "tokenizer_config.json");
    std::string name;
    if (const auto it = config.find("tokenizer_class"); it != config.end() && it->is_string()) name = *it;
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    return name;
}

std::optional<std::string> roleToken(const std::string& folder, const char* role) {
    for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"}) {
        const auto settings = settingsIn(folder, file);
        auto it = settings.find(role);
        if (it == settings.end()) continue;
        // A text, or an object with "content".
        if (it->is_object() && it->contains("content")) it = it->find("content");
        if (it->is_string()) return it->get<std::string>();
    }
    return {};
}

int idIn(const nlohmann::json& value, const std::string& what) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::uint64_t(largestTokenId))
        throw Failure("In " + what + ", a token has no proper number. Download the file again.");
    return value.get<int>();
}

std::vector<AddedToken> addedTokensIn(const std::string& folder) {
    std::vector<AddedToken> tokens;
    const auto added = settingsIn(folder, "added_tokens.json");
    for (const auto& [text, id] : added.items())
        tokens.push_back({.text = text, .id = idIn(id, "'" + folder + "/added_tokens.json'")});
    const auto config = settingsIn(folder, "tokenizer_config.json");
    const auto list = config.find("added_tokens_decoder");
    if (list == config.end() || !list->is_object()) return tokens;
    const std::string what = "'" + folder + "/tokenizer_config.json'";
    for (const auto& [id, entry] : list->items()) {
        if (!entry.is_object() || !entry.contains("content") || !entry["content"].is_string()) continue;
        const auto number = nlohmann::json::parse(id, nullptr, false);
        AddedToken t{.text = entry["content"], .id = idIn(number, what)};
        const auto flag = [&](const char* key) { return entry.contains(key) && entry[key] == true; };
        t.isWord = flag("single_word");
        t.takesLeft = flag("lstrip");
        t.takesRight = flag("rstrip");
        const auto isSame = [&](const AddedToken& o) { return o.text == t.text; };
        if (std::none_of(tokens.begin(), tokens.end(), isSame)) tokens.push_back(std::move(t));
    }
    return tokens;
}

}  // namespace meander
