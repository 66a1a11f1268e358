#include "engine/models/tokenizers/clip_bpe.h"

#include <algorithm>
#include <filesystem>

#include "engine/core/json.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

constexpr const char *startText = "<|startoftext|>", *endText = "<|endoftext|>";

// GPT-2's printable character for a byte: itself where it is printable Latin-1, else U+0100 + n for the n-th other.
std::string byteSymbol(int byte) {
    auto printable = [](int b) {
        return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
    };
    char32_t c = char32_t(byte);
    if (!printable(byte)) {
        c = 256;
        for (int b = 0; b < byte; ++b) c += !printable(b);
    }
    std::string text;
    appendUtf8(text, c);
    return text;
}

// End of the piece that CLIP's pattern matches at `at` (not a space).
std::size_t pieceEnd(std::string_view text, std::size_t at) {
    for (const char* s : {startText, endText})
        if (text.substr(at).starts_with(s)) return at + std::string_view(s).size();
    for (const char* s : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
        if (text.substr(at).starts_with(s)) return at + std::string_view(s).size();
    std::size_t end = at;
    const char32_t first = decodeUtf8(text, end);
    if (isNumber(first)) return end;
    const bool word = isLetter(first);
    for (std::size_t next = end; next < text.size(); end = next) {
        const char32_t c = decodeUtf8(text, next);
        if (word ? !isLetter(c) : isLetter(c) || isNumber(c) || isSpace(c)) break;
    }
    return end;
}

// A special token is written as a text or as an object with "content".
std::string specialText(const Json& config, const char* key, const std::string& fallback) {
    if (!config.is_object() || !config.contains(key)) return fallback;
    const Json& j = config[key];
    if (j.is_string()) return j.get<std::string>();
    return j.is_object() && j.contains("content") && j["content"].is_string() ? j["content"].get<std::string>()
                                                                              : fallback;
}

std::uint64_t pairKey(std::uint32_t left, std::uint32_t right) { return std::uint64_t(left) << 32 | right; }

}  // namespace

std::uint32_t ClipTokenizer::symbol(const std::string& text) {
    const auto [it, added] = m_symbols.emplace(text, std::uint32_t(m_symbols.size()));
    return it->second;
}

void ClipTokenizer::readMerges(std::string_view text) {
    text.remove_prefix(std::min(text.find('\n'), text.size()));  // "#version: 0.2"
    for (int rank = 0; !text.empty();) {
        text.remove_prefix(1);
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos || space == 0 || space + 1 == line.size()) continue;
        const std::string left(line.substr(0, space)), right(line.substr(space + 1));
        const std::uint32_t l = symbol(left), r = symbol(right);
        m_merges.emplace(pairKey(l, r), Merge{rank++, symbol(left + right)});
    }
}

Result<ClipTokenizer> ClipTokenizer::open(const std::string& folder) {
    namespace fs = std::filesystem;
    try {
        ClipTokenizer t;
        const std::string vocabPath = (fs::path(folder) / "vocab.json").string();
        auto text = readTextFile(vocabPath, std::size_t(64) << 20);
        if (!text) return text.error();
        auto vocab = parseSortedJson(*text, "'" + vocabPath + "'", {std::size_t(64) << 20, 2});
        if (!vocab) return vocab.error();
        auto merges = readTextFile((fs::path(folder) / "merges.txt").string(), std::size_t(64) << 20);
        if (!merges) return merges.error();
        if (!vocab->is_object())
            return Error{"The vocabulary '" + vocabPath + "' is not a list of tokens. Download it again."};

        Json config = Json::object();
        std::error_code error;
        const fs::path configPath = fs::path(folder) / "tokenizer_config.json";
        if (fs::exists(configPath, error)) {
            auto read = readJsonFile(configPath.string());
            if (!read) return read.error();
            config = std::move(*read);
        }
        // transformers writes 1e30 where a tokenizer has no limit of its own; the encoder reads 77 then.
        constexpr double most = 4096, usual = 77;
        const double length = jsonReal(config, "model_max_length", usual, "'" + configPath.string() + "'");
        if (!(length >= 2))
            return Error{"The entry 'model_max_length' of '" + configPath.string()
                         + "' must be at least 2, so that a prompt has room for its first and last token. The file may "
                           "be damaged."};
        t.m_length = int(length > 1e9 ? usual : std::min(length, most));
        t.readMerges(*merges);
        for (int b = 0; b < 256; ++b) {
            t.m_bytes[b] = t.symbol(byteSymbol(b));
            t.m_lastBytes[b] = t.symbol(byteSymbol(b) + "</w>");
        }
        auto idOf = [&](const std::string& token) {
            const auto it = vocab->find(token);
            if (it == vocab->end() || !it->is_number_unsigned() || it->get<std::uint64_t>() > 10'000'000)
                throw Failure("The vocabulary '" + vocabPath + "' has no proper entry '" + token
                              + "'. Download it again.");
            return it->get<int>();
        };
        t.m_start = idOf(startText);
        t.m_end = idOf(endText);
        t.m_padding = idOf(specialText(config, "pad_token", endText));
        t.m_unknown = t.m_end;
        t.m_ids.assign(t.m_symbols.size(), t.m_unknown);
        for (const auto& [token, id] : vocab->items()) {
            const auto it = t.m_symbols.find(token);
            if (it != t.m_symbols.end()) t.m_ids[it->second] = idOf(token);
            t.m_vocabularySize = std::max(t.m_vocabularySize, idOf(token) + 1);
        }
        return t;
    } catch (const Failure& f) {
        return Error{f.what()};
    }
}

std::string ClipTokenizer::normalForm(std::string_view given) {
    const std::string text = composed(given);
    std::string normal;
    bool gap = false;
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = decodeUtf8(text, at);
        if (isSpace(c) || c == 0) {
            gap = !normal.empty();
            continue;
        }
        if (gap) normal += ' ';
        gap = false;
        appendLowerCase(normal, c);
    }
    return normal;
}

Token ClipTokenizer::special(int id, const char* text) const {
    Token t;
    t.id = id;
    t.text = text;
    t.special = true;
    return t;
}

void ClipTokenizer::appendWord(std::vector<Token>& tokens, std::string_view normal, std::size_t begin, std::size_t end,
                               int word) const {
    struct Part {
        std::uint32_t symbol;
        std::size_t begin, end;
    };
    std::vector<Part> parts;
    for (std::size_t i = begin; i < end; ++i) {
        const auto byte = static_cast<unsigned char>(normal[i]);
        parts.push_back({i + 1 == end ? m_lastBytes[byte] : m_bytes[byte], i, i + 1});
    }
    while (parts.size() > 1) {
        const Merge* best = nullptr;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            const auto it = m_merges.find(pairKey(parts[i].symbol, parts[i + 1].symbol));
            if (it != m_merges.end() && (!best || it->second.rank < best->rank)) best = &it->second;
        }
        if (!best) break;
        // Every occurrence of the best pair, from the left.
        std::size_t kept = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            parts[kept] = parts[i];
            if (i + 1 < parts.size()) {
                const auto it = m_merges.find(pairKey(parts[i].symbol, parts[i + 1].symbol));
                if (it != m_merges.end() && &it->second == best)
                    parts[kept] = {best->result, parts[i].begin, parts[++i].end};
            }
            ++kept;
        }
        parts.resize(kept);
    }
    for (const auto& p : parts) {
        Token t;
        t.id = m_ids[p.symbol];
        t.text = std::string(normal.substr(p.begin, p.end - p.begin));
        t.word = word;
        t.begin = int(p.begin);
        t.end = int(p.end);
        tokens.push_back(std::move(t));
    }
}

std::vector<Token> ClipTokenizer::encode(std::string_view text) const {
    const std::string normal = normalised(text);
    std::vector<Token> tokens{special(m_start, startText)};
    int word = 0;
    for (std::size_t at = 0; at < normal.size() && tokens.size() < std::size_t(m_length);) {
        if (normal[at] == ' ') {
            ++at;
            continue;
        }
        const std::size_t end = pieceEnd(normal, at);
        const std::string_view piece = std::string_view(normal).substr(at, end - at);
        if (piece == startText || piece == endText)
            tokens.push_back(special(piece == startText ? m_start : m_end, piece == startText ? startText : endText));
        else appendWord(tokens, normal, at, end, word++);
        at = end;
    }
    if (tokens.size() > std::size_t(m_length) - 1) tokens.resize(std::size_t(m_length) - 1);
    tokens.push_back(special(m_end, endText));
    while (tokens.size() < std::size_t(m_length))
        tokens.push_back(special(m_padding, m_padding == m_end ? endText : "padding"));
    return tokens;
}

const TokenizerKind& clipBytePairs() {
    static const TokenizerKind row{
        "CLIP byte pairs (vocab.json and merges.txt)",
        [](const std::string& path) {
            std::error_code error;
            return std::filesystem::exists(std::filesystem::path(path) / "merges.txt", error);
        },
        [](const std::string& path) -> Result<std::unique_ptr<Tokenizer>> {
            auto t = ClipTokenizer::open(path);
            if (!t) return t.error();
            return std::unique_ptr<Tokenizer>(std::make_unique<ClipTokenizer>(std::move(*t)));
        }};
    return row;
}

}  // namespace meander
