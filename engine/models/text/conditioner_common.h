// What several conditioners share: texts of a length, templates of chats.
#pragma once
#include <string>
#include <vector>

#include "engine/models/text/conditioner.h"

namespace meander {

std::vector<int> idsOf(const std::vector<Token>& tokens);
// (tokens, width) → (1, tokens, width)
Tensor asRow(const Tensor& states);
// Throws Failure when the model has another number of text encoders than `count`.
void requireStages(const std::vector<TextStage>& text, std::size_t count, const char* family);
// The token that a text of one special token becomes. Throws Failure where the vocabulary has none.
Token specialToken(const Tokenizer& tokenizer, const std::string& text);
// At most `most` tokens; the last one, which ends the text, stays.
std::vector<Token> cutBeforeEnd(std::vector<Token> tokens, std::size_t most);

// The states of two encoders with as many tokens each: where their vocabularies make another number of chunks, the last
// chunk of the shorter one is repeated.
std::pair<Tensor, Tensor> ofEqualLength(const Tensor& a, const Tensor& b);

// What stands behind the end of a text for T5, id 0: nothing; as much as is missing, which is attended to; one token,
// which is not.
enum class Padding : std::uint8_t { None, Whole, One };
// T5's states of a prompt in its dialect: the text and its end token, at most `most`, with padding. The tokens are
// written to `tokens`.
Tensor t5States(const TextStage& stage, const Prompt& prompt, std::size_t most, Padding kind,
                std::vector<Token>& tokens);

// A text between the fixed parts of a chat. Tokens outside it are special, ranges and words are those of the text.
struct ChatTemplate {
    std::string before, after;
    std::vector<Token> tokens(const Tokenizer& tokenizer, const std::string& text, std::size_t most) const;
};

}  // namespace meander
