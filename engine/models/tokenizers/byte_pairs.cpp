#include "engine/models/tokenizers/byte_pairs.h"

#include <algorithm>
#include <array>
#include <queue>

#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

std::uint64_t pairKey(std::uint32_t left, std::uint32_t right) { return std::uint64_t(left) << 32 | right; }

std::array<std::string, 256> byteSymbols() {
    std::array<std::string, 256> symbols;
    char32_t other = 256;
    for (int b = 0; b < 256; ++b) {
        const bool isPrintable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
        appendUtf8(symbols[std::size_t(b)], isPrintable ? char32_t(b) : other++);
    }
    return symbols;
}

}  // namespace

const std::string& BytePairs::byteSymbol(unsigned char byte) {
    static const std::array<std::string, 256> symbols = byteSymbols();
    return symbols[byte];
}

std::uint32_t BytePairs::symbol(const std::string& text) {
    return m_symbols.emplace(text, std::uint32_t(m_symbols.size())).first->second;
}

std::optional<std::uint32_t> BytePairs::find(const std::string& text) const {
    const auto it = m_symbols.find(text);
    return it == m_symbols.end() ? std::nullopt : std::optional(it->second);
}

void BytePairs::addMerge(const std::string& left, const std::string& right) {
    const std::uint32_t l = symbol(left), r = symbol(right);
    m_merges.emplace(pairKey(l, r), Merge{m_ranks++, symbol(left + right)});
}

void BytePairs::readMerges(std::string_view text) {
    if (text.starts_with("#version")) text.remove_prefix(std::min(text.find('\n'), text.size()));
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos || space == 0 || space + 1 == line.size()) continue;
        addMerge(std::string(line.substr(0, space)), std::string(line.substr(space + 1)));
    }
}

void BytePairs::merge(std::vector<Part>& parts) const {
    struct Candidate {
        int rank;
        std::size_t left, right;
        std::uint32_t leftSymbol, rightSymbol, result;
        bool operator<(const Candidate& o) const { return rank != o.rank ? rank > o.rank : left > o.left; }
    };
    const std::size_t none = parts.size();
    std::vector<std::size_t> next(parts.size()), previous(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        next[i] = i + 1;
        previous[i] = i == 0 ? none : i - 1;
    }
    std::vector<bool> isGone(parts.size(), false);
    std::priority_queue<Candidate> candidates;
    const auto offer = [&](std::size_t left, std::size_t right) {
        if (left >= none || right >= none) return;
        const auto it = m_merges.find(pairKey(parts[left].symbol, parts[right].symbol));
        if (it != m_merges.end())
            candidates.push({it->second.rank, left, right, parts[left].symbol, parts[right].symbol, it->second.result});
    };
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) offer(i, i + 1);
    while (!candidates.empty()) {
        const Candidate c = candidates.top();
        candidates.pop();
        if (isGone[c.left] || isGone[c.right] || next[c.left] != c.right || parts[c.left].symbol != c.leftSymbol
            || parts[c.right].symbol != c.rightSymbol)
            continue;
        parts[c.left] = {c.result, parts[c.left].begin, parts[c.right].end};
        isGone[c.right] = true;
        next[c.left] = next[c.right];
        if (next[c.left] < none) previous[next[c.left]] = c.left;
        offer(previous[c.left], c.left);
        offer(c.left, next[c.left]);
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (!isGone[i]) parts[kept++] = parts[i];
    parts.resize(kept);
}

}  // namespace meander
