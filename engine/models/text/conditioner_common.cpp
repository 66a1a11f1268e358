#include "engine/models/text/conditioner_common.h"

#include <algorithm>

#include "engine/models/text/emphasis.h"
#include "engine/models/text/prompt_syntax.h"
#include "engine/models/text/t5_encoder.h"

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

std::pair<Tensor, Tensor> ofEqualLength(const Tensor& a, const Tensor& b) {
    const auto continued = [](const Tensor& t, std::int64_t rows) {
        std::vector<Tensor> parts{t};
        for (std::int64_t n = t.rows(); n < rows;) {
            const std::int64_t more = std::min(rows - n, t.rows());
            parts.push_back(t.slice(t.rows() - more, more));
            n += more;
        }
        return parts.size() == 1 ? t : stackRows(parts);
    };
    const std::int64_t rows = std::max(a.rows(), b.rows());
    return {continued(a, rows), continued(b, rows)};
}

Tensor t5States(const TextStage& stage, const Prompt& prompt, std::size_t most, Padding kind,
                std::vector<Token>& tokens) {
    Token padding;
    padding.text = "padding";
    padding.special = true;
    const auto padded = [&](std::vector<Token> t) {
        t = cutBeforeEnd(std::move(t), most);
        if (kind == Padding::Whole) t.resize(most, padding);
        if (kind == Padding::One && t.size() < most) t.push_back(padding);
        return t;
    };
    const auto statesOf = [&](const std::vector<Token>& t) {
        if (kind != Padding::One) return stage.encoder->encode(idsOf(t), {}).states;
        const auto* t5 = dynamic_cast<const T5Encoder*>(stage.encoder.get());
        if (!t5)
            throw Failure("This family takes T5 as text encoder, but this model has another one. Its parts do not "
                          "belong together.");
        const auto real = std::count_if(t.begin(), t.end(), [&](const Token& k) { return k.text != padding.text; });
        return t5->encodePadded(idsOf(t), real, {}).states;
    };
    const auto pieces = parsePrompt(prompt.text, prompt.dialect);
    if (pieces.size() == 1 && pieces[0].weight == 1) {
        tokens = padded(stage.tokenizer->encode(pieces[0].text));
        return statesOf(tokens);
    }
    // Piece by piece, with the end of the text behind the last.
    std::vector<Token> end = stage.tokenizer->encode("");
    std::vector<float> weights;
    tokens.clear();
    int words = 0;
    for (const WeightedText& p : pieces) {
        const int first = words;
        for (Token& t : stage.tokenizer->encode(p.text)) {
            if (t.special) continue;
            t.word += first;
            words = std::max(words, t.word + 1);
            tokens.push_back(std::move(t));
            weights.push_back(float(p.weight));
        }
    }
    tokens.insert(tokens.end(), end.begin(), end.end());
    tokens = padded(std::move(tokens));
    weights.resize(std::min(weights.size(), tokens.size() - 1));
    weights.resize(tokens.size(), 1.0f);
    const auto empty = [&] {
        end.resize(tokens.size(), padding);
        return statesOf(end);
    };
    return emphasised(statesOf(tokens), weights, prompt.dialect, empty);
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
