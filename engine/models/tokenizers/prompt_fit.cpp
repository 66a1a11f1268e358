#include "engine/models/tokenizers/prompt_fit.h"

#include <list>
#include <memory>
#include <mutex>
#include <sstream>

#include "engine/models/tokenizers/tokenizer.h"

namespace meander {
namespace {

constexpr std::size_t vocabulariesKept = 4, wordsTold = 3;

std::shared_ptr<const Tokenizer> tokenizerIn(const std::string& folder) {
    static std::mutex mutex;
    static std::list<std::pair<std::string, std::shared_ptr<const Tokenizer>>> known;
    const std::lock_guard lock(mutex);
    for (const auto& [path, tokenizer] : known)
        if (path == folder) return tokenizer;
    auto opened = openTokenizer(folder);
    if (!opened) return nullptr;
    known.emplace_front(folder, std::move(*opened));
    if (known.size() > vocabulariesKept) known.pop_back();
    return known.front().second;
}

std::vector<std::string> wordsOf(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    for (std::string w; in >> w;) words.push_back(w);
    return words;
}

}  // namespace

std::vector<Token> tokensOf(const ModelInfo& model, std::string_view prompt) {
    const auto tokenizer = model.tokenizer.empty() || prompt.empty() ? nullptr : tokenizerIn(model.tokenizer);
    return tokenizer ? tokenizer->encode(prompt) : std::vector<Token>();
}

PromptFit fitPrompt(const ModelInfo& model, std::string_view prompt) {
    const auto tokenizer = model.tokenizer.empty() || prompt.empty() ? nullptr : tokenizerIn(model.tokenizer);
    if (!tokenizer) return {};
    const std::string normal = tokenizer->normalised(prompt);
    std::size_t end = 0;
    for (const Token& t : tokenizer->encode(prompt))
        if (!t.special) end = std::max(end, std::size_t(t.end));
    // A word that is cut in the middle was not read.
    if (end < normal.size() && normal[end] != ' ') end = std::min(end, normal.rfind(' ', end) + 1);
    PromptFit fit{.tokens = tokenizer->length(), .lastRead = {}};
    fit.ignoredWords = int(wordsOf(normal.substr(end)).size());
    const auto read = wordsOf(normal.substr(0, end));
    for (std::size_t i = read.size() - std::min(read.size(), wordsTold); i < read.size(); ++i)
        fit.lastRead += (fit.lastRead.empty() ? "" : " ") + read[i];
    return fit;
}

}  // namespace meander
