#include "engine/models/prompt_dialect.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace meander {
namespace {

constexpr std::string_view blanks = " \t\n\r\v\f";

std::string_view trimmed(std::string_view s) {
    const std::size_t first = s.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view()
                                           : s.substr(first, s.find_last_not_of(blanks) + 1 - first);
}

std::optional<double> numberIn(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    return error == std::errc() && end == text.data() + text.size() && std::isfinite(v) ? std::optional(v)
                                                                                        : std::nullopt;
}

// Reads a prompt for one step: text outside brackets as it is, of what a bracket holds the text of that step.
class StepReader {
public:
    StepReader(std::string_view text, int step, int steps) : m_text(text), m_step(step), m_steps(steps) {}

    std::string read() {
        std::string out;
        while (m_at < m_text.size()) {
            const std::size_t before = m_at;
            if (const auto part = bracket(0)) {
                out += *part;
            } else {
                m_at = before;
                out += take();
            }
        }
        return out;
    }

private:
    static constexpr int deepest = 100;

    // One character, or an escaped one with its backslash.
    std::string_view take() {
        const std::size_t length = m_text[m_at] == '\\' && m_at + 1 < m_text.size() ? 2 : 1;
        const std::string_view s = m_text.substr(m_at, length);
        m_at += length;
        return s;
    }

    // (…) and […] that are closed; nothing where none begins or where it has no end.
    std::optional<std::string> bracket(int depth) {
        const char open = m_text[m_at];
        if ((open != '(' && open != '[') || depth > deepest) return {};
        ++m_at;
        return open == '(' ? emphasis(depth) : square(depth);
    }

    std::optional<std::string> emphasis(int depth) {
        std::string inside;
        int colons = 0;
        while (m_at < m_text.size()) {
            const char c = m_text[m_at];
            if (c == ')') {
                ++m_at;
                return "(" + inside + ")";
            }
            if (!append(inside, depth) && (c != ':' || ++colons > 1)) return {};
            if (c == ':') inside += take();
        }
        return {};
    }

    // Parts between colons or bars.
    std::optional<std::string> square(int depth) {
        std::vector<std::string> parts(1);
        char separator = 0;
        while (m_at < m_text.size()) {
            const char c = m_text[m_at];
            if (c == ']') {
                ++m_at;
                return chosen(parts, separator);
            }
            if (append(parts.back(), depth)) continue;
            if ((c != ':' && c != '|') || (separator && separator != c)) return {};
            separator = c;
            parts.emplace_back();
            ++m_at;
        }
        return {};
    }

    // The next bracket or character of a part; false before what ends or separates parts.
    bool append(std::string& to, int depth) {
        const char c = m_text[m_at];
        if (c == '(' || c == '[') {
            const std::size_t before = m_at;
            const auto part = bracket(depth + 1);
            if (!part) m_at = before;
            else to += *part;
            return part.has_value();
        }
        if (std::string_view(":|)]").find(c) != std::string_view::npos) return false;
        to += take();
        return true;
    }

    std::optional<std::string> chosen(const std::vector<std::string>& parts, char separator) const {
        if (parts.size() == 1) return "[" + parts[0] + "]";
        if (separator == '|') return parts[std::size_t(m_step) % parts.size()];
        const auto when = parts.size() <= 3 ? numberIn(parts.back()) : std::nullopt;
        if (!when) return {};
        const bool isShare = parts.back().find('.') != std::string::npos;
        const double last = std::floor(isShare ? *when * m_steps : *when);  // step of the first text, counted from 1
        const std::string& after = parts[parts.size() - 2];
        if (m_step + 1 > last) return after;
        return parts.size() == 3 ? parts.front() : std::string();
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    int m_step, m_steps;
};

bool isWordCharacter(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || static_cast<unsigned char>(c) >= 128;
}

// "a cat :1.2"
JoinedPrompt weighted(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon != std::string_view::npos)
        if (const auto weight = numberIn(text.substr(colon + 1))) {
            std::string_view before = text.substr(0, colon);
            while (!before.empty() && blanks.find(before.back()) != std::string_view::npos) before.remove_suffix(1);
            return {std::string(before), *weight};
        }
    return {std::string(text), 1};
}

}  // namespace

const std::vector<PromptDialectInfo>& promptDialects() {
    static const std::vector<PromptDialectInfo> table{
        {PromptDialect::Plain, "plain", "plain text", "Every character is text; a prompt that is too long is cut."},
        {PromptDialect::A1111, "a1111", "A1111",
         "(word), (word:1.3), [word], BREAK, AND, [from:to:0.5], [a|b], \\(; weights keep the mean of the states. Long "
         "prompts are read in chunks."},
        {PromptDialect::A1111NoNorm, "a1111_no_norm", "A1111, emphasis without norm",
         "As A1111, without keeping the mean of the states."},
        {PromptDialect::ComfyUi, "comfyui", "ComfyUI",
         "(word), (word:1.3), \\(; a weight moves a state away from that of the empty prompt. Long prompts are read in "
         "chunks."},
    };
    return table;
}

PromptDialect promptDialect(std::string_view id) {
    for (const auto& d : promptDialects())
        if (id == d.id) return d.dialect;
    return PromptDialect::Plain;
}

std::string promptAt(std::string_view prompt, PromptDialect dialect, int step, int steps) {
    if (!isA1111(dialect)) return std::string(prompt);
    return StepReader(prompt, step, steps).read();
}

std::vector<JoinedPrompt> joinedPrompts(std::string_view prompt, PromptDialect dialect) {
    if (!isA1111(dialect)) return {{std::string(prompt), 1}};
    constexpr std::string_view word = "AND";
    std::vector<JoinedPrompt> parts;
    std::size_t begin = 0;
    for (std::size_t at = prompt.find(word); at != std::string_view::npos; at = prompt.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at > 0 && isWordCharacter(prompt[at - 1])) || (end < prompt.size() && isWordCharacter(prompt[end])))
            continue;
        parts.push_back(weighted(prompt.substr(begin, at - begin)));
        begin = end;
    }
    parts.push_back(weighted(prompt.substr(begin)));
    return parts;
}

bool isJoined(const std::vector<JoinedPrompt>& prompts) { return prompts.size() > 1 || prompts.front().weight != 1; }

}  // namespace meander
