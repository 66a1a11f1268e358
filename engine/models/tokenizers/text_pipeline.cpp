#include "engine/models/tokenizers/text_pipeline.h"

#include <algorithm>

#include "engine/models/tokenizers/split_rule.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

// Of a normalised text, which rules of a hostile file could multiply. No encoder reads as much.
constexpr std::size_t mostBytes = std::size_t(1) << 20;

bool isWordCharacter(char32_t c) { return isLetter(c) || isNumber(c) || isMark(c) || c == '_'; }

// Begin of the character before `at`.
std::size_t previousCharacter(std::string_view text, std::size_t at) {
    while (at > 0 && (static_cast<unsigned char>(text[--at]) & 0xc0) == 0x80) {}
    return at;
}

Token specialToken(const TextPipeline::Special& s) {
    Token t;
    t.id = s.id;
    t.text = s.text;
    t.special = true;
    return t;
}

}  // namespace

void AddedTokens::add(AddedToken token) {
    if (token.text.empty()) return;
    m_size = std::max(m_size, token.id + 1);
    auto& list = m_byFirst[static_cast<unsigned char>(token.text.front())];
    const auto place =
        std::find_if(list.begin(), list.end(), [&](const AddedToken& t) { return t.text.size() < token.text.size(); });
    list.insert(place, std::move(token));
}

const AddedToken* AddedTokens::at(std::string_view text, std::size_t at) const {
    for (const AddedToken& t : m_byFirst[static_cast<unsigned char>(text[at])]) {
        if (!text.substr(at).starts_with(t.text)) continue;
        std::size_t left = previousCharacter(text, at), right = at + t.text.size();
        if (t.isWord && at > 0 && isWordCharacter(decodeUtf8(text, left))) continue;
        if (t.isWord && right < text.size() && isWordCharacter(decodeUtf8(text, right))) continue;
        return &t;
    }
    return nullptr;
}

const AddedToken* AddedTokens::find(const std::string& text) const {
    if (text.empty()) return nullptr;
    for (const AddedToken& t : m_byFirst[static_cast<unsigned char>(text.front())])
        if (t.text == text) return &t;
    return nullptr;
}

int TextPipeline::vocabularySize() const { return std::max(model->vocabularySize(), added.vocabularySize()); }

void TextPipeline::encodeSegment(const std::string& segment, std::string& normal, std::vector<Token>& tokens,
                                 int& word) const {
    const std::size_t from = normal.size();
    normal += segment;
    Ranges ranges{{from, normal.size()}};
    for (const Split& split : splits) {
        Ranges next;
        for (const auto& [begin, end] : ranges) split(normal, begin, end, next);
        ranges = std::move(next);
    }
    for (const auto& [begin, end] : ranges) {
        if (begin == end) continue;
        std::vector<Piece> pieces;
        model->encode(normal, begin, end, pieces);
        for (const Piece& p : pieces) {
            if (p.begin > begin && normal[p.begin] == ' ') ++word;
            Token t;
            t.id = p.id;
            t.text = normal.substr(p.begin, p.end - p.begin);
            t.word = word;
            t.begin = int(p.begin);
            t.end = int(p.end);
            tokens.push_back(std::move(t));
        }
        ++word;
    }
}

std::string TextPipeline::run(std::string_view text, std::vector<Token>& tokens) const {
    std::string normal;
    int word = 0;
    const auto finishSegment = [&](std::size_t begin, std::size_t end) {
        if (begin >= end) return;
        std::string segment(text.substr(begin, end - begin));
        for (const Normalise& n : normalise) {
            segment = n(std::move(segment), begin == 0);
            if (segment.size() > mostBytes) segment.resize(mostBytes);
        }
        encodeSegment(segment, normal, tokens, word);
    };
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const AddedToken* t = added.at(text, at);
        if (!t) {
            ++at;
            continue;
        }
        std::size_t end = at, next = at + t->text.size();
        while (t->takesLeft && end > begin) {
            std::size_t c = previousCharacter(text, end);
            const std::size_t left = c;
            if (!isSpace(decodeUtf8(text, c))) break;
            end = left;
        }
        for (std::size_t c = next; t->takesRight && c < text.size() && isSpace(decodeUtf8(text, c));) next = c;
        finishSegment(begin, end);
        tokens.push_back(specialToken({t->id, t->text}));
        tokens.back().begin = int(normal.size());
        normal += t->text;
        tokens.back().end = int(normal.size());
        begin = at = next;
    }
    finishSegment(begin, text.size());
    return normal;
}

std::vector<Token> TextPipeline::encode(std::string_view text) const {
    std::vector<Token> tokens;
    for (const Special& s : before) tokens.push_back(specialToken(s));
    run(text, tokens);
    if (fixedLength > 0) {
        const std::size_t room = std::size_t(fixedLength) - std::min(std::size_t(fixedLength), after.size());
        if (tokens.size() > room) tokens.resize(room);
    }
    for (const Special& s : after) tokens.push_back(specialToken(s));
    while (tokens.size() < std::size_t(fixedLength)) tokens.push_back(specialToken(padding));
    return tokens;
}

std::string TextPipeline::normalised(std::string_view text) const {
    std::vector<Token> tokens;
    return run(text, tokens);
}

TextPipeline::Split splitBy(const SplitRule& rule) {
    return [&rule](std::string_view text, std::size_t begin, std::size_t end, TextPipeline::Ranges& to) {
        const std::string_view part = text.substr(0, end);
        for (std::size_t at = begin; at < end;) {
            const std::size_t next = pieceEnd(rule, part, at);
            std::size_t first = at;
            if (!rule.removesSpaces || !isSpace(decodeUtf8(part, first))) to.emplace_back(at, next);
            at = next;
        }
    };
}

void splitBeforeSpaces(std::string_view text, std::size_t begin, std::size_t end, TextPipeline::Ranges& to) {
    while (begin < end) {
        const std::size_t next = std::min(text.find(' ', begin + 1), end);
        to.emplace_back(begin, next);
        begin = next;
    }
}

void splitAtSpaces(std::string_view text, std::size_t begin, std::size_t end, TextPipeline::Ranges& to) {
    std::size_t word = begin;
    for (std::size_t at = begin; at < end;) {
        std::size_t next = at;
        if (isSpace(decodeUtf8(text, next))) {
            if (word < at) to.emplace_back(word, at);
            word = next;
        }
        at = next;
    }
    if (word < end) to.emplace_back(word, end);
}

}  // namespace meander
