#include "engine/models/text/prompt_syntax.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace meander {
namespace {

constexpr double step = 1.1;  // of a bracket

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

std::string_view trimmed(std::string_view s) {
    while (!s.empty() && isBlank(s.front())) s.remove_prefix(1);
    while (!s.empty() && isBlank(s.back())) s.remove_suffix(1);
    return s;
}

std::optional<double> numberIn(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    return error == std::errc() && end == text.data() + text.size() && std::isfinite(v) ? std::optional(v)
                                                                                        : std::nullopt;
}

class A1111Parser {
public:
    explicit A1111Parser(std::string_view text) : m_text(text) {}

    std::vector<WeightedText> parse() {
        while (m_at < m_text.size()) next();
        for (const std::size_t from : m_round) multiply(from, step);
        for (const std::size_t from : m_square) multiply(from, 1 / step);
        return joined();
    }

private:
    void next() {
        const char c = m_text[m_at];
        if (c == '\\') {
            const bool isEscape =
                m_at + 1 < m_text.size() && std::string_view("()[]\\").find(m_text[m_at + 1]) != std::string_view::npos;
            add(isEscape ? m_text.substr(m_at + 1, 1) : std::string_view());
            m_at += isEscape ? 2 : 1;
            return;
        }
        if (c == ':' && weight()) return;
        ++m_at;
        if (c == '(') m_round.push_back(m_pieces.size());
        else if (c == '[') m_square.push_back(m_pieces.size());
        else if (c == ')' && !m_round.empty()) close(m_round, step);
        else if (c == ']' && !m_square.empty()) close(m_square, 1 / step);
        else {
            std::size_t end = m_at;
            if (std::string_view(":)]").find(c) == std::string_view::npos)
                end = std::min(m_text.find_first_of("\\()[]:", m_at), m_text.size());
            words(m_text.substr(m_at - 1, end - m_at + 1));
            m_at = end;
        }
    }

    // ":1.3)" closes the bracket; without one it is text.
    bool weight() {
        std::size_t end = m_at + 1;
        while (end < m_text.size() && isBlank(m_text[end])) ++end;
        if (end < m_text.size() && (m_text[end] == '+' || m_text[end] == '-')) ++end;
        const std::size_t digits = end;
        while (end < m_text.size() && (m_text[end] == '.' || (m_text[end] >= '0' && m_text[end] <= '9'))) ++end;
        if (end == digits) return false;
        const auto value = numberIn(m_text.substr(m_at + 1, end - m_at - 1));
        while (end < m_text.size() && isBlank(m_text[end])) ++end;
        if (!value || end == m_text.size() || m_text[end] != ')') return false;
        if (m_round.empty()) words(m_text.substr(m_at, end + 1 - m_at));
        else close(m_round, *value);
        m_at = end + 1;
        return true;
    }

    void close(std::vector<std::size_t>& open, double factor) {
        multiply(open.back(), factor);
        open.pop_back();
    }
    void multiply(std::size_t from, double factor) {
        for (std::size_t i = from; i < m_pieces.size(); ++i) m_pieces[i].weight *= factor;
    }
    void add(std::string_view text) { m_pieces.push_back({std::string(text), 1, false, {}}); }

    // Text between brackets, at each BREAK a break.
    void words(std::string_view text) {
        constexpr std::string_view word = "BREAK";
        const auto isWord = [](char c) {
            return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                   || static_cast<unsigned char>(c) >= 128;
        };
        std::size_t begin = 0;
        for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
            const std::size_t end = at + word.size();
            if ((at > 0 && isWord(text[at - 1])) || (end < text.size() && isWord(text[end]))) continue;
            std::size_t left = at, right = end;
            while (left > begin && isBlank(text[left - 1])) --left;
            while (right < text.size() && isBlank(text[right])) ++right;
            add(text.substr(begin, left - begin));
            m_pieces.push_back({"", 1, true, {}});
            begin = right;
            at = right - 1;
        }
        add(text.substr(begin));
    }

    std::vector<WeightedText> joined() {
        std::vector<WeightedText> out;
        for (WeightedText& p : m_pieces) {
            if (p.isBreak) p.weight = 1;
            const bool joins = !out.empty() && !p.isBreak && !out.back().isBreak && out.back().weight == p.weight;
            if (joins) out.back().text += p.text;
            else if (p.isBreak || !p.text.empty()) out.push_back(std::move(p));
        }
        if (out.empty()) out.push_back({});
        return out;
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    std::vector<WeightedText> m_pieces;
    std::vector<std::size_t> m_round, m_square;  // pieces at which brackets were opened
};

// ComfyUI. Escaped brackets are hidden as bytes that no text has.
constexpr char hiddenOpen = '\x01', hiddenClose = '\x02';

std::string hidden(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = i + 1 < text.size() ? text[i + 1] : 0;
        if (text[i] == '\\' && (next == '(' || next == ')')) {
            out += next == '(' ? hiddenOpen : hiddenClose;
            ++i;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == hiddenOpen ? '(' : c == hiddenClose ? ')' : c;
    return out;
}

// Outermost brackets and what lies between them.
std::vector<std::string_view> groups(std::string_view text) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    int depth = 0;
    const auto finish = [&](std::size_t end) {
        if (end > begin) parts.push_back(text.substr(begin, end - begin));
        begin = end;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '(' && depth++ == 0) finish(i);
        if (text[i] == ')' && --depth == 0) finish(i + 1);
    }
    finish(text.size());
    return parts;
}

void appendGroups(std::string_view text, double weight, int depth, std::vector<WeightedText>& to) {
    constexpr int deepest = 1000;
    for (std::string_view part : groups(text)) {
        if (part.size() < 2 || part.front() != '(' || part.back() != ')' || depth > deepest) {
            to.push_back({shown(part), weight, false, {}});
            continue;
        }
        part = part.substr(1, part.size() - 2);
        double inner = weight * step;
        const std::size_t colon = part.rfind(':');
        if (colon != std::string_view::npos && colon > 0)
            if (const auto value = numberIn(part.substr(colon + 1))) {
                inner = *value;
                part = part.substr(0, colon);
            }
        appendGroups(part, inner, depth + 1, to);
    }
}

std::vector<WeightedText> parseComfy(std::string_view prompt) {
    std::vector<WeightedText> pieces;
    appendGroups(hidden(prompt), 1, 0, pieces);
    if (pieces.empty()) pieces.push_back({});
    return pieces;
}

// Fills chunks one after the other; `m_room` tokens of the prompt go into each.
class ChunkWriter {
public:
    explicit ChunkWriter(const Tokenizer& tokenizer) : m_empty(tokenizer.encode("")), m_room(m_empty.size() - 2) {}

    bool isFull() const { return m_tokens.size() >= m_room; }
    std::size_t left() const { return m_room - m_tokens.size(); }
    void add(const Token& t, double weight, std::span<const float> vector = {}) {
        if (isFull()) finish();
        m_tokens.push_back(t);
        m_weights.push_back(float(weight));
        m_vectors.push_back(vector);
        if (t.text == ",") m_comma = m_tokens.size();
    }
    // What follows the last comma goes to the next chunk, where it is no more than `most` tokens.
    void finishAtComma(std::size_t most) {
        if (m_comma == 0 || m_tokens.size() + 1 - m_comma > most) return finish();
        const std::vector<Token> tokens(m_tokens.begin() + std::ptrdiff_t(m_comma), m_tokens.end());
        const std::vector<float> weights(m_weights.begin() + std::ptrdiff_t(m_comma), m_weights.end());
        const std::vector<std::span<const float>> vectors(m_vectors.begin() + std::ptrdiff_t(m_comma), m_vectors.end());
        m_tokens.resize(m_comma);
        m_weights.resize(m_comma);
        m_vectors.resize(m_comma);
        finish();
        m_tokens = tokens;
        m_weights = weights;
        m_vectors = vectors;
    }
    void finish() {
        PromptChunk c{m_empty, std::vector<float>(m_empty.size(), 1.0f), {}};
        c.vectors.resize(m_empty.size());
        const Token end = m_empty[1];
        for (std::size_t i = 0; i < m_tokens.size(); ++i) {
            c.tokens[i + 1] = m_tokens[i];
            c.weights[i + 1] = m_weights[i];
            c.vectors[i + 1] = m_vectors[i];
        }
        c.tokens[m_tokens.size() + 1] = end;
        m_chunks.push_back(std::move(c));
        m_tokens.clear();
        m_weights.clear();
        m_vectors.clear();
        m_comma = 0;
    }
    std::vector<PromptChunk> chunks() {
        if (!m_tokens.empty() || m_chunks.empty()) finish();
        return std::move(m_chunks);
    }

private:
    const std::vector<Token> m_empty;  // start, end, padding
    const std::size_t m_room;
    std::vector<Token> m_tokens;
    std::vector<float> m_weights;
    std::vector<std::span<const float>> m_vectors;
    std::size_t m_comma = 0;  // tokens up to the last comma, it included; 0: none
    std::vector<PromptChunk> m_chunks;
};

// The tokens of each word between white space: no token of CLIP crosses it, and a word alone is never cut.
std::vector<std::vector<Token>> tokensOfWords(std::string_view text, const Tokenizer& tokenizer) {
    std::vector<std::vector<Token>> words;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && !isBlank(text[end])) ++end;
        std::vector<Token> word;
        const auto tokens = tokenizer.encode(text.substr(at, end - at));
        for (const Token& t : tokens)
            if (!t.special) word.push_back(t);
        if (!word.empty()) words.push_back(std::move(word));
        at = end;
        while (at < text.size() && isBlank(text[at])) ++at;
    }
    return words;
}

}  // namespace

std::vector<WeightedText> parsePrompt(std::string_view prompt, PromptDialect dialect) {
    switch (dialect) {
    case PromptDialect::A1111:
    case PromptDialect::A1111NoNorm: return A1111Parser(prompt).parse();
    case PromptDialect::ComfyUi: return parseComfy(prompt);
    case PromptDialect::Plain: break;
    }
    return {{std::string(prompt), 1, false, {}}};
}

std::vector<PromptChunk> promptChunks(const std::vector<WeightedText>& pieces, const Tokenizer& tokenizer,
                                      PromptDialect dialect, int width) {
    constexpr std::size_t commaRange = 20, largeWord = 8;
    ChunkWriter writer(tokenizer);
    int word = 0;
    for (const WeightedText& p : pieces) {
        if (p.isBreak) {
            writer.finish();
            continue;
        }
        if (p.vectors) {
            const std::size_t count = p.vectors->size() / std::size_t(width);
            if (count > writer.left() && count < std::size_t(tokenizer.length()) - 2) writer.finish();
            Token t;
            t.text = p.text;
            t.word = word++;
            for (std::size_t i = 0; i < count; ++i)
                writer.add(t, p.weight, std::span(*p.vectors).subspan(i * std::size_t(width), std::size_t(width)));
            continue;
        }
        for (auto& tokens : tokensOfWords(p.text, tokenizer)) {
            const bool isWhole = dialect == PromptDialect::ComfyUi && tokens.size() < largeWord;
            if (isWhole && tokens.size() > writer.left()) writer.finish();
            const int first = word;
            for (Token& t : tokens) {
                t.word += first;
                word = t.word + 1;
                if (isA1111(dialect) && writer.isFull() && t.text != ",") writer.finishAtComma(commaRange);
                writer.add(t, p.weight);
            }
        }
    }
    std::vector<PromptChunk> chunks = writer.chunks();
    if (dialect == PromptDialect::Plain) chunks.resize(1);
    return chunks;
}

}  // namespace meander
