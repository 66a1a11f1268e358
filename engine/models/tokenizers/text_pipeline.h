// A tokenizer as steps: special tokens are found in the text, what lies between them is normalised and split, each
// piece goes through a model, and the tokens that the encoder expects are put around them.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/models/tokenizers/piece_model.h"
#include "engine/models/tokenizers/tokenizer.h"

namespace meander {

// A token that is found in the text itself.
struct AddedToken {
    std::string text;
    int id = 0;
    bool isWord = false;                         // only between characters that are no letters or numbers
    bool takesLeft = false, takesRight = false;  // with the white space beside it
};

class AddedTokens {
public:
    void add(AddedToken token);
    // The token at `at`, the longest; null: none.
    const AddedToken* at(std::string_view text, std::size_t at) const;
    const AddedToken* find(const std::string& text) const;
    int vocabularySize() const { return m_size; }

private:
    std::vector<AddedToken> m_byFirst[256];  // longest first
    int m_size = 0;
};

class TextPipeline final : public Tokenizer {
public:
    // `isFirst`: the segment begins the text.
    using Normalise = std::function<std::string(std::string segment, bool isFirst)>;
    using Ranges = std::vector<std::pair<std::size_t, std::size_t>>;
    // Appends the pieces of text[begin, end).
    using Split = std::function<void(std::string_view text, std::size_t begin, std::size_t end, Ranges& to)>;
    struct Special {
        int id;
        std::string text;
    };

    std::vector<Token> encode(std::string_view text) const override;
    std::string normalised(std::string_view text) const override;
    int length() const override { return fixedLength; }
    int vocabularySize() const override;

    AddedTokens added;
    std::vector<Normalise> normalise;
    std::vector<Split> splits;
    std::unique_ptr<PieceModel> model;
    std::vector<Special> before, after;  // around the text
    int fixedLength = 0;                 // 0: as many tokens as the text has
    Special padding{0, "padding"};

private:
    void encodeSegment(const std::string& segment, std::string& normal, std::vector<Token>& tokens, int& word) const;
    std::string run(std::string_view text, std::vector<Token>& tokens) const;
};

// Steps that several tokenizers share.
TextPipeline::Split splitBy(const struct SplitRule& rule);
// Before each space ("▁" in the words of sentencepiece).
void splitBeforeSpaces(std::string_view text, std::size_t begin, std::size_t end, TextPipeline::Ranges& to);
// At white space, which belongs to no piece.
void splitAtSpaces(std::string_view text, std::size_t begin, std::size_t end, TextPipeline::Ranges& to);

}  // namespace meander
