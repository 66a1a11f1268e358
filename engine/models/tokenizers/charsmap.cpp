#include "engine/models/tokenizers/charsmap.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/core/result.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

std::uint32_t littleEndian(std::string_view b) {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < 4; ++i) v |= std::uint32_t(static_cast<unsigned char>(b[i])) << (8 * i);
    return v;
}

constexpr std::size_t longestReplacement = 256;  // bytes; the longest of Unicode's compatibility forms has 33

// A unit of the trie (Darts-clone): a label with the offset of its children, or a value.
constexpr std::uint32_t labelOf(std::uint32_t unit) { return unit & 0x800000ffu; }
constexpr bool hasValue(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
constexpr std::uint32_t valueOf(std::uint32_t unit) { return unit & 0x7fffffffu; }
constexpr std::uint32_t offsetOf(std::uint32_t unit) { return unit >> 10 << (unit >> 6 & 8); }

}  // namespace

Charsmap Charsmap::parse(std::string_view bytes, const std::string& what) {
    Charsmap map;
    if (bytes.empty()) return map;
    const std::size_t size = bytes.size() < 4 ? bytes.size() : littleEndian(bytes);
    if (bytes.size() < 4 || size > bytes.size() - 4 || size % 4 != 0)
        throw Failure("The normalisation table of " + what + " is damaged. Download it again.");
    for (std::size_t i = 0; i < size; i += 4) map.m_units.push_back(littleEndian(bytes.substr(4 + i)));
    map.m_replacements = bytes.substr(4 + size);
    return map;
}

Charsmap Charsmap::parseBase64(std::string_view text, const std::string& what) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text.substr(0, text.find('='))) {
        const std::size_t digit = digits.find(c);
        if (digit == std::string_view::npos)
            throw Failure("The normalisation table of " + what + " is damaged. Download it again.");
        bits = bits << 6 | std::uint32_t(digit);
        if ((count += 6) >= 8) bytes += char(bits >> (count -= 8) & 255);
    }
    return parse(bytes, what);
}

std::string Charsmap::apply(std::string_view text) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::optional<std::size_t> replacement;
        std::size_t length = 0;
        std::uint32_t node = m_units.empty() ? 0 : offsetOf(m_units[0]);
        for (std::size_t i = at; i < text.size() && !m_units.empty(); ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            node ^= byte;
            if (node >= m_units.size() || labelOf(m_units[node]) != byte) break;
            const std::uint32_t unit = m_units[node];
            node ^= offsetOf(unit);
            if (!hasValue(unit)) continue;
            if (node >= m_units.size()) break;
            replacement = valueOf(m_units[node]);
            length = i + 1 - at;
        }
        if (replacement && *replacement < m_replacements.size()) {
            const std::size_t end = std::min(m_replacements.find('\0', *replacement), m_replacements.size());
            out.append(m_replacements, *replacement, std::min(end - *replacement, longestReplacement));
            at += length;
        } else {
            appendUtf8(out, decodeUtf8(text, at));
        }
    }
    return out;
}

}  // namespace meander
