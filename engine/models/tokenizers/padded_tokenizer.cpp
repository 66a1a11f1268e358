// A vocabulary whose row is padded with another token than its files say: "folder#pad=0". Encoders share vocabularies
// and pad differently (CLIP-L with its end token, OpenCLIP with token 0).
#include <algorithm>
#include <charconv>

#include "engine/models/tokenizers/tokenizer.h"

namespace meander {
namespace {

constexpr std::string_view mark = "#pad=";

class PaddedTokenizer final : public Tokenizer {
public:
    PaddedTokenizer(std::unique_ptr<Tokenizer> inner, int padding) : m_inner(std::move(inner)), m_padding(padding) {
        const auto empty = m_inner->encode("");  // start, end, padding …
        if (empty.size() > 1) m_end = empty[1].id;
    }

    // What follows the first end token is padding.
    std::vector<Token> encode(std::string_view text) const override {
        std::vector<Token> tokens = m_inner->encode(text);
        auto end =
            std::find_if(tokens.begin(), tokens.end(), [&](const Token& t) { return t.special && t.id == m_end; });
        if (end == tokens.end()) return tokens;
        for (++end; end != tokens.end(); ++end) end->id = m_padding;
        return tokens;
    }
    std::string normalised(std::string_view text) const override { return m_inner->normalised(text); }
    int length() const override { return m_inner->length(); }
    int vocabularySize() const override { return m_inner->vocabularySize(); }

private:
    std::unique_ptr<Tokenizer> m_inner;
    int m_padding, m_end = -1;
};

}  // namespace

const TokenizerKind& paddedVocabulary() {
    static const TokenizerKind row{
        "a vocabulary with other padding", [](const std::string& path) { return path.find(mark) != std::string::npos; },
        [](const std::string& path) -> Result<std::unique_ptr<Tokenizer>> {
            const auto at = path.rfind(mark);
            int padding = 0;
            const char* end = path.data() + path.size();
            const auto read = std::from_chars(path.data() + at + mark.size(), end, padding);
            if (read.ec != std::errc() || read.ptr != end || padding < 0)
                return Error{"'" + path + "' names no token to pad with. Give its number."};
            auto inner = openTokenizer(path.substr(0, at));
            if (!inner) return inner.error();
            return std::unique_ptr<Tokenizer>(std::make_unique<PaddedTokenizer>(std::move(*inner), padding));
        }};
    return row;
}

}  // namespace meander
