#include "engine/models/tokenizers/clip_bpe.h"

#include <algorithm>
#include <filesystem>

#include "engine/core/json.h"
#include "engine/models/tokenizers/split_rule.h"
#include "engine/models/tokenizers/tokenizer_files.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

constexpr const char *startText = "<|startoftext|>", *endText = "<|endoftext|>";

// By the class that the folder names, else by marks of the ends of words, which only CLIP's merges have. What cannot be
// read is left to open(), which says why.
bool isClip(const std::string& folder) {
    if (!hasFile(folder, "vocab.json") || !hasFile(folder, "merges.txt")) return false;
    try {
        if (const std::string name = tokenizerClass(folder); !name.empty()) return name.starts_with("CLIP");
        return textOf((std::filesystem::path(folder) / "merges.txt").string()).find("</w>") != std::string::npos;
    } catch (const Failure&) {
        return true;
    }
}

}  // namespace

Result<ClipTokenizer> ClipTokenizer::open(const std::string& folder) {
    namespace fs = std::filesystem;
    try {
        ClipTokenizer t;
        const std::string vocabPath = (fs::path(folder) / "vocab.json").string();
        const auto vocab = jsonOf(vocabPath, 2);
        if (!vocab.is_object())
            return Error{"The vocabulary '" + vocabPath + "' is not a list of tokens. Download it again.", {}};
        const std::string configPath = (fs::path(folder) / "tokenizer_config.json").string();
        Json config = Json::object();
        if (hasFile(folder, "tokenizer_config.json")) {
            auto read = readJsonFile(configPath);
            if (!read) return read.error();
            config = std::move(*read);
        }
        // transformers writes 1e30 where a tokenizer has no limit of its own; the encoder reads 77 then.
        constexpr double most = 4096, usual = 77;
        const double length = jsonReal(config, "model_max_length", usual, "'" + configPath + "'");
        if (!(length >= 2))
            return Error{"The entry 'model_max_length' of '" + configPath
                         + "' must be at least 2, so that a prompt has room for its first and last token. The file may "
                           "be damaged."};
        t.m_length = int(length > 1e9 ? usual : std::min(length, most));
        t.m_pairs.readMerges(textOf((fs::path(folder) / "merges.txt").string()));
        for (int b = 0; b < 256; ++b) {
            const std::string& symbol = BytePairs::byteSymbol(static_cast<unsigned char>(b));
            t.m_bytes[b] = t.m_pairs.symbol(symbol);
            t.m_lastBytes[b] = t.m_pairs.symbol(symbol + "</w>");
        }
        auto idOf = [&](const std::string& token) {
            const auto it = vocab.find(token);
            if (it == vocab.end())
                throw Failure("The vocabulary '" + vocabPath + "' has no entry '" + token + "'. Download it again.");
            return idIn(*it, "'" + vocabPath + "'");
        };
        t.m_start = idOf(startText);
        t.m_end = idOf(endText);
        t.m_padding = idOf(roleToken(folder, "pad_token").value_or(endText));
        t.m_unknown = t.m_end;
        t.m_ids.assign(t.m_pairs.count(), t.m_unknown);
        for (const auto& [token, id] : vocab.items()) {
            if (const auto symbol = t.m_pairs.find(token)) t.m_ids[*symbol] = idIn(id, "'" + vocabPath + "'");
            t.m_vocabularySize = std::max(t.m_vocabularySize, idIn(id, "'" + vocabPath + "'") + 1);
        }
        return t;
    } catch (const Failure& f) {
        return Error{f.what(), {}};
    }
}

std::string ClipTokenizer::normalForm(std::string_view given) {
    const std::string text = composed(given);
    std::string normal;
    bool gap = false;
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = decodeUtf8(text, at);
        if (isSpace(c)) {
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
    std::vector<BytePairs::Part> parts;
    for (std::size_t i = begin; i < end; ++i) {
        const auto byte = static_cast<unsigned char>(normal[i]);
        parts.push_back({i + 1 == end ? m_lastBytes[byte] : m_bytes[byte], i, i + 1});
    }
    m_pairs.merge(parts);
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
        const std::string_view rest = std::string_view(normal).substr(at);
        if (rest.starts_with(startText) || rest.starts_with(endText)) {
            const bool isStart = rest.starts_with(startText);
            tokens.push_back(special(isStart ? m_start : m_end, isStart ? startText : endText));
            at += tokens.back().text.size();
        } else {
            const std::size_t end = pieceEnd(clipSplit(), normal, at);
            appendWord(tokens, normal, at, end, word++);
            at = end;
        }
    }
    if (tokens.size() > std::size_t(m_length) - 1) tokens.resize(std::size_t(m_length) - 1);
    tokens.push_back(special(m_end, endText));
    while (tokens.size() < std::size_t(m_length))
        tokens.push_back(special(m_padding, m_padding == m_end ? endText : "padding"));
    return tokens;
}

const TokenizerKind& clipBytePairs() {
    static const TokenizerKind row{"CLIP byte pairs (vocab.json and merges.txt)", isClip,
                                   [](const std::string& path) -> Result<std::unique_ptr<Tokenizer>> {
                                       auto t = ClipTokenizer::open(path);
                                       if (!t) return t.error();
                                       return std::unique_ptr<Tokenizer>(
                                           std::make_unique<ClipTokenizer>(std::move(*t)));
                                   }};
    return row;
}

}  // namespace meander
