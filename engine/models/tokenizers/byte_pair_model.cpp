#include <algorithm>
#include <cstdio>

#include "engine/models/tokenizers/piece_model.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {

std::string withSpaces(std::string_view text) {
    constexpr std::string_view mark = "\u2581";
    std::string plain;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t next = std::min(text.find(mark, at), text.size());
        plain.append(text.substr(at, next - at));
        if (next < text.size()) plain += ' ';
        at = next + mark.size();
    }
    return plain;
}

namespace {

std::string byteToken(unsigned char byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", unsigned(byte));
    return text;
}

}  // namespace

void BytePairModel::add(const std::string& token, int id) {
    const std::uint32_t symbol = pairs.symbol(isByteLevel ? token : withSpaces(token));
    if (symbol >= m_ids.size()) m_ids.resize(symbol + 1, -1);
    if (m_ids[symbol] < 0) m_ids[symbol] = id;
    m_size = std::max(m_size, id + 1);
}

void BytePairModel::finish() {
    for (int b = 0; b < 256; ++b) {
        const auto byte = static_cast<unsigned char>(b);
        if (!isByteLevel && !fallsBackToBytes) break;
        const std::string text = isByteLevel ? BytePairs::byteSymbol(byte) : byteToken(byte);
        m_bytes[b] = pairs.symbol(text);
        m_lastBytes[b] = pairs.symbol(isByteLevel ? text + wordEnd : text);
    }
    m_unknownSymbol = pairs.symbol("\1unknown");  // no text has it: no merge takes it
    m_ids.resize(pairs.count(), -1);
    if (unknown) m_ids[m_unknownSymbol] = *unknown;
}

std::optional<int> BytePairModel::idOf(const std::string& token) const {
    const auto symbol = pairs.find(token);
    return symbol && *symbol < m_ids.size() && m_ids[*symbol] >= 0 ? std::optional(m_ids[*symbol]) : std::nullopt;
}

void BytePairModel::appendUnknown(std::size_t begin, std::size_t end, std::vector<BytePairs::Part>& parts) const {
    if (joinsUnknown && !parts.empty() && parts.back().symbol == m_unknownSymbol) parts.back().end = end;
    else parts.push_back({m_unknownSymbol, begin, end});
}

void BytePairModel::appendCharacter(std::string_view text, std::size_t begin, std::size_t end, bool isLast,
                                    std::vector<BytePairs::Part>& parts) const {
    const std::string character(text.substr(begin, end - begin));
    const auto symbol = pairs.find(isLast ? character + wordEnd : character);
    if (symbol && m_ids[*symbol] >= 0) {
        parts.push_back({*symbol, begin, end});
        return;
    }
    bool hasBytes = fallsBackToBytes;
    for (const char c : character) hasBytes = hasBytes && m_ids[m_bytes[static_cast<unsigned char>(c)]] >= 0;
    if (!hasBytes) return appendUnknown(begin, end, parts);
    for (std::size_t i = begin; i < end; ++i) parts.push_back({m_bytes[static_cast<unsigned char>(text[i])], i, i + 1});
}

void BytePairModel::encode(std::string_view text, std::size_t begin, std::size_t end, std::vector<Piece>& to) const {
    std::vector<BytePairs::Part> parts;
    if (prefersWholePieces) {
        std::string whole;
        for (std::size_t i = begin; i < end; ++i)
            if (isByteLevel) whole += BytePairs::byteSymbol(static_cast<unsigned char>(text[i]));
            else whole += text[i];
        if (const auto id = idOf(whole)) return to.push_back({*id, begin, end});
    }
    if (isByteLevel) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            parts.push_back({i + 1 == end ? m_lastBytes[byte] : m_bytes[byte], i, i + 1});
        }
    } else {
        for (std::size_t at = begin; at < end;) {
            std::size_t next = at;
            decodeUtf8(text, next);
            appendCharacter(text, at, next, next >= end, parts);
            at = next;
        }
    }
    pairs.merge(parts);
    for (const auto& p : parts) {
        const int id = m_ids[p.symbol] >= 0 ? m_ids[p.symbol] : unknown.value_or(-1);
        if (id >= 0) to.push_back({id, p.begin, p.end});
    }
}

}  // namespace meander
