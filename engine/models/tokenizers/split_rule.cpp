#include "engine/models/tokenizers/split_rule.h"

#include <array>
#include <string>

#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

using Letters = SplitRule::Letters;

constexpr const char
    *clipWords = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)",
    *clipPattern = R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)",
    *gpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
    *qwenPattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
                   R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
    *gpt4Pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                   R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    *tekkenPattern = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
                     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
                     R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr SplitRule rules[] = {
    // name, pattern, letters, contractions, in any case, digits, tail, lines, removes spaces
    {"CLIP", clipPattern, Letters::Plain, true, false, 1, "", false, true},
    {"CLIP", clipWords, Letters::Plain, true, false, 1, "", false, true},
    {"GPT-2", gpt2Pattern, Letters::AfterSpace, true, false, 0, "", false, false},
    {"Qwen", qwenPattern, Letters::AfterOther, true, true, 1, "\r\n", true, false},
    {"GPT-4", gpt4Pattern, Letters::AfterOther, true, true, 3, "\r\n", true, false},
    {"Mistral Tekken", tekkenPattern, Letters::Cased, false, false, 1, "\r\n/", true, false},
};

bool isOther(char32_t c) { return !isLetter(c) && !isNumber(c) && !isSpace(c); }
bool isLineEnd(char32_t c) { return c == '\r' || c == '\n'; }
// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and [\p{Ll}\p{Lm}\p{Lo}\p{M}]
bool isUpperPart(char32_t c) { return (isLetter(c) && !isLowerLetter(c)) || isMark(c); }
bool isLowerPart(char32_t c) { return (isLetter(c) && !isUpperLetter(c)) || isMark(c); }

// The end of the run of characters of a class at `at`, of at most `most` of them.
template <class Class>
std::size_t runEnd(std::string_view text, std::size_t at, const Class& belongs, int most = 1 << 30) {
    for (std::size_t next = at; next < text.size() && most > 0; --most) {
        if (!belongs(decodeUtf8(text, next))) break;
        at = next;
    }
    return at;
}

std::size_t contractionEnd(const SplitRule& rule, std::string_view text, std::size_t at) {
    if (text[at] != '\'') return at;
    for (const std::string_view ending : {"s", "t", "re", "ve", "m", "ll", "d"}) {
        std::string_view rest = text.substr(at + 1);
        // ſ is an s in another case.
        if (rule.foldsContractions && ending == "s" && rest.starts_with("\u017f")) return at + 3;
        if (rest.size() < ending.size()) continue;
        bool isEqual = true;
        for (std::size_t i = 0; i < ending.size(); ++i) {
            const char c = rest[i];
            isEqual &= (rule.foldsContractions && c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c) == ending[i];
        }
        if (isEqual) return at + 1 + ending.size();
    }
    return at;
}

// [upper]*[lower]+ or, where that does not match, [upper]+[lower]*; `at` where neither does.
std::size_t casedEnd(std::string_view text, std::size_t at, bool isLowerFirst) {
    const std::size_t upper = runEnd(text, at, isUpperPart), lower = runEnd(text, upper, isLowerPart);
    if (!isLowerFirst) return upper > at ? lower : at;
    if (lower > upper) return lower;
    // Upper parts that are lower parts too are given back, the fewest that do.
    std::size_t end = at;
    for (std::size_t next = at; next < upper;)
        if (isLowerPart(decodeUtf8(text, next))) end = next;
    return end;
}

std::size_t lettersEnd(const SplitRule& rule, std::string_view text, std::size_t at) {
    std::size_t behind = at;
    const char32_t first = decodeUtf8(text, behind);
    switch (rule.letters) {
    case Letters::Plain: return runEnd(text, at, isLetter);
    case Letters::AfterSpace: {
        const std::size_t from = first == ' ' ? behind : at, end = runEnd(text, from, isLetter);
        return end > from ? end : at;
    }
    case Letters::AfterOther: {
        const std::size_t from = isLetter(first) || isNumber(first) || isLineEnd(first) ? at : behind,
                          end = runEnd(text, from, isLetter);
        return end > from ? end : at;
    }
    case Letters::Cased:
        for (const bool isLowerFirst : {true, false}) {
            if (!isLetter(first) && !isNumber(first) && !isLineEnd(first))
                if (const std::size_t end = casedEnd(text, behind, isLowerFirst); end > behind) return end;
            if (const std::size_t end = casedEnd(text, at, isLowerFirst); end > at) return end;
        }
        return at;
    }
    return at;
}

std::size_t numbersEnd(const SplitRule& rule, std::string_view text, std::size_t at) {
    if (rule.digits > 0) return runEnd(text, at, isNumber, rule.digits);
    const std::size_t from = text[at] == ' ' ? at + 1 : at, end = runEnd(text, from, isNumber);
    return end > from ? end : at;
}

std::size_t othersEnd(const SplitRule& rule, std::string_view text, std::size_t at) {
    const std::size_t from = text[at] == ' ' && !rule.removesSpaces ? at + 1 : at;
    std::size_t end = runEnd(text, from, isOther);
    if (end == from) return at;
    const std::string_view tail = rule.tail;
    while (end < text.size() && tail.find(text[end]) != std::string_view::npos) ++end;
    return end;
}

// White space: through its last line end where lines are pieces; else all but the last character, which may belong to
// the word that follows.
std::size_t spacesEnd(const SplitRule& rule, std::string_view text, std::size_t at) {
    std::size_t end = at, lineEnd = at, last = at;
    for (std::size_t next = at; next < text.size(); end = next) {
        const std::size_t begin = next;
        const char32_t c = decodeUtf8(text, next);
        if (!isSpace(c)) break;
        last = begin;
        if (isLineEnd(c)) lineEnd = next;
    }
    if (rule.hasLines && lineEnd > at) return lineEnd;
    return end < text.size() && last > at && !rule.removesSpaces ? last : end;
}

}  // namespace

const SplitRule* findSplitRule(std::string_view pattern) {
    for (const SplitRule& r : rules)
        if (pattern == r.pattern) return &r;
    return nullptr;
}
const SplitRule& clipSplit() { return *findSplitRule(clipPattern); }
const SplitRule& gpt2Split() { return *findSplitRule(gpt2Pattern); }
const SplitRule& qwenSplit() { return *findSplitRule(qwenPattern); }

std::size_t pieceEnd(const SplitRule& rule, std::string_view text, std::size_t at) {
    if (rule.hasContractions)
        if (const std::size_t end = contractionEnd(rule, text, at); end > at) return end;
    for (const auto matcher : {lettersEnd, numbersEnd, othersEnd})
        if (const std::size_t end = matcher(rule, text, at); end > at) return end;
    return spacesEnd(rule, text, at);
}

}  // namespace meander
