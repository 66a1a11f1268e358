// The byte-level BPE of CLIP: vocab.json (symbol → id), merges.txt (pairs, best first) and tokenizer_config.json as
// transformers writes them. Text is composed (NFC), white-space-collapsed and lower-cased, split by CLIP's pattern
//   <|startoftext|> | <|endoftext|> | 's|'t|'re|'ve|'m|'ll|'d | letters+ | one number | other non-space+
// and every piece becomes bytes, the last with "</w>", merged by rank. Texts are padded with the folder's own token:
// CLIP-L's is <|endoftext|>, that of OpenCLIP-H and -bigG "!".
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/models/tokenizers/byte_pairs.h"
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
    void appendWord(std::vector<Token>& tokens, std::string_view normal, std::size_t begin, std::size_t end,
                    int word) const;
    Token special(int id, const char* text) const;

    BytePairs m_pairs;
    std::vector<int> m_ids;                                  // symbol number → id in the vocabulary, or unknown
    std::uint32_t m_bytes[256] = {}, m_lastBytes[256] = {};  // symbols of a byte, inside a word and at its end
    int m_start = 0, m_end = 0, m_padding = 0, m_unknown = 0, m_length = 77, m_vocabularySize = 0;
};

}  // namespace meander
