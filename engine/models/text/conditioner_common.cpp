#include "engine/models/text/conditioner_common.h"

#include <algorithm>

namespace meander {

std::vector<int> idsOf(const std::vector<Token>& tokens) {
    std::vector<int> ids;
    for (const Token& t : tokens) ids.push_back(t.id);
    return ids;
}

Tensor asRow(const Tensor& states) { return states.reshaped({1, states.shape()[0], states.shape()[1]}); }

void requireStages(const std::vector<TextStage>& text, std::size_t count, const char* family) {
    if (text.size() != count)
        throw Failure(std::string(family) + " takes " + std::to_string(count) + " text encoders, but this model has "
                      + std::to_string(text.size()) + ". Put the missing ones beside it.");
}

Token specialToken(const Tokenizer& tokenizer, const std::string& text) {
    for (const Token& t : tokenizer.encode(text))
        if (t.special && t.text == text) return t;
    throw Failure("The tokenizer of this model has no token '" + text
                  + "', which its texts are written with. It may belong to another model.");
}

std::vector<Token> cutBeforeEnd(std::vector<Token> tokens, std::size_t most) {
    if (tokens.size() > most) tokens.erase(tokens.begin() + std::ptrdiff_t(most) - 1, tokens.end() - 1);
    return tokens;
}

std::vector<Token> t5Tokens(const Tokenizer& tokenizer, const std::string& text, std::size_t most, bool isPadded) {
    std::vector<Token> tokens = cutBeforeEnd(tokenizer.encode(text), most);
    Token padding;
    padding.text = "padding";
    padding.special = true;
    if (isPadded) tokens.resize(most, padding);
    return tokens;
}

std::vector<Token> ChatTemplate::tokens(const Tokenizer& tokenizer, const std::string& text, std::size_t most) const {
    std::vector<Token> tokens = tokenizer.encode(before + text + after);
    if (tokens.size() > most) tokens.resize(most);
    const int first = int(before.size()), end = first + int(tokenizer.normalised(text).size());
    int firstWord = -1;
    for (Token& t : tokens) {
        t.special = t.special || t.end <= first || t.begin >= end;
        if (t.special) {
            t.word = -1;
            t.begin = t.end = 0;
            continue;
        }
        if (firstWord < 0) firstWord = t.word;
        t.word -= firstWord;
        t.begin = std::max(t.begin, first) - first;
        t.end = std::min(t.end, end) - first;
    }
    return tokens;
}

}  // namespace meander
