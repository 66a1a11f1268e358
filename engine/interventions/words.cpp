#include "engine/interventions/words.h"

#include <algorithm>
#include <optional>
#include <sstream>

namespace meander {
namespace {

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return text;
}

// A word, or one special token.
struct Unit {
    std::string text;
    std::vector<int> tokens;
    bool isSpecial = false;
    bool startsText = false;  // another text encoder reads the prompt from here on
};

std::vector<Unit> unitsOf(const std::vector<Token>& tokens) {
    std::vector<Unit> units;
    std::optional<int> word;
    int begin = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const Token& t = tokens[i];
        const bool isSpecial = t.special || t.word < 0;
        if (!isSpecial && word == t.word) {
            units.back().text += lower(t.text);
            units.back().tokens.push_back(int(i));
            continue;
        }
        units.push_back({isSpecial ? t.text : lower(t.text), {int(i)}, isSpecial, !isSpecial && t.begin < begin});
        word = isSpecial ? std::nullopt : std::optional(t.word);
        if (!isSpecial) begin = t.begin;
    }
    return units;
}

// Of the longest common subsequence: pairs of equal units, ascending.
std::vector<std::pair<std::size_t, std::size_t>> commonUnits(const std::vector<Unit>& a, const std::vector<Unit>& b) {
    const auto isSame = [&](std::size_t i, std::size_t k) {
        return a[i].isSpecial == b[k].isSpecial && a[i].text == b[k].text;
    };
    const std::size_t width = b.size() + 1;
    std::vector<int> length((a.size() + 1) * width);
    for (std::size_t i = a.size(); i-- > 0;)
        for (std::size_t k = b.size(); k-- > 0;)
            length[i * width + k] = isSame(i, k) ? length[(i + 1) * width + k + 1] + 1
                                                 : std::max(length[(i + 1) * width + k], length[i * width + k + 1]);
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0, k = 0; i < a.size() && k < b.size();) {
        if (isSame(i, k)) pairs.emplace_back(i++, k++);
        else if (length[(i + 1) * width + k] >= length[i * width + k + 1]) ++i;
        else ++k;
    }
    return pairs;
}

void pairTokens(const Unit& source, const Unit& target, TokenAlignment& to) {
    const std::size_t n = target.tokens.size();
    for (std::size_t i = 0; i < n; ++i) {
        auto& from = to[std::size_t(target.tokens[i])];
        if (source.tokens.size() == n) from.emplace_back(source.tokens[i], 1.0f);
        else
            for (const int s : source.tokens) from.emplace_back(s, 1.0f / float(n));
    }
}

}  // namespace

std::vector<int> tokensOfWord(const std::vector<Token>& tokens, const std::string& word, std::int64_t occurrence) {
    std::vector<std::string> wanted;
    std::istringstream in(lower(word));
    for (std::string w; in >> w;) wanted.push_back(w);
    const auto units = unitsOf(tokens);
    std::vector<int> found;
    std::int64_t seen = 0;
    for (std::size_t i = 0; !wanted.empty() && i < units.size(); ++i) {
        if (units[i].startsText) seen = 0;
        if (i + wanted.size() > units.size()) continue;
        const bool isHere = std::equal(wanted.begin(), wanted.end(), units.begin() + std::ptrdiff_t(i),
                                       [](const std::string& w, const Unit& u) { return !u.isSpecial && u.text == w; });
        if (!isHere || (++seen != occurrence && occurrence != 0)) continue;
        for (std::size_t k = i; k < i + wanted.size(); ++k)
            found.insert(found.end(), units[k].tokens.begin(), units[k].tokens.end());
    }
    return found;
}

std::string wordList(const std::vector<Token>& tokens) {
    std::vector<std::string> words;
    for (const Unit& u : unitsOf(tokens))
        if (!u.isSpecial && std::find(words.begin(), words.end(), u.text) == words.end()) words.push_back(u.text);
    std::string list;
    for (const auto& w : words) list += (list.empty() ? "" : ", ") + w;
    return list;
}

TokenAlignment alignedTokens(const std::vector<Token>& source, const std::vector<Token>& target, bool pairsChanged) {
    const auto a = unitsOf(source), b = unitsOf(target);
    auto pairs = commonUnits(a, b);
    TokenAlignment to(target.size());
    for (const auto& [i, k] : pairs) pairTokens(a[i], b[k], to);
    pairs.emplace_back(a.size(), b.size());
    for (std::size_t n = 0, i = 0, k = 0; pairsChanged && n < pairs.size(); ++n) {
        const auto [endA, endB] = pairs[n];
        if (endA - i == endB - k)
            for (; i < endA; ++i, ++k)
                if (!a[i].isSpecial && !b[k].isSpecial) pairTokens(a[i], b[k], to);
        i = endA + 1;
        k = endB + 1;
    }
    return to;
}

}  // namespace meander
