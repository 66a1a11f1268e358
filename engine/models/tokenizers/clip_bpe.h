// The byte-level BPE of CLIP: vocab.json (symbol → id), merges.txt (pairs, best first) and tokenizer_config.json as
// transformers writes them. Text is composed (NFC), white-space-collapsed and lower-cased, split by CLIP's pattern
//   <|startoftext|> | <|endoftext|> | 's|'t|'re|'ve|'m|'ll|'d | letters+ | one number | other non-space+
// and every piece becomes bytes, the last with "</w>", merged by rank.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/models/tokenizers/tokenizer.h"

namespace meander {

class ClipTokenizer final : public Tokenizer {
public:
    static Result<ClipTokenizer> open(const std::string& folder);

    // Composed, collapsed and lower-cased.
    static std::string normalForm(std::string_view text);
    std::string normalised(std::string_view text) const override { return normalForm(text); }
    // Exactly `length()` tokens: start, the words as far as they fit, end, padding.
    std::vector<Token> encode(std::string_view text) const override;
    int length() const override { return m_length; }
    int vocabularySize() const override { return m_vocabularySize; }

private:
    struct Merge {
        int rank;
        std::uint32_t result;
    };
    std::uint32_t symbol(const std::string& text);
    void readMerges(std::string_view text);
    void appendWord(std::vector<Token>& tokens, std::string_view normal, std::size_t begin, std::size_t end,
                    int word) const;
    Token special(int id, const char* text) const;

    std::unordered_map<std::string, std::uint32_t> m_symbols;  // symbol text → number
    std::vector<int> m_ids;                                    // symbol number → id in the vocabulary, or unknown
    std::unordered_map<std::uint64_t, Merge> m_merges;         // (left, right) → result
    std::uint32_t m_bytes[256] = {}, m_lastBytes[256] = {};    // symbols of a byte, inside a word and at its end
    int m_start = 0, m_end = 0, m_padding = 0, m_unknown = 0, m_length = 77, m_vocabularySize = 0;
};

}  // namespace meander
