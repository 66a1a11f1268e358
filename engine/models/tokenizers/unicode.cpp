#include "engine/models/tokenizers/unicode.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace meander {
namespace {

struct CodeRange {
    char32_t first, last;
};
struct LowerRun {
    char32_t first, last, step;
    std::int32_t difference;
};

#include "engine/models/tokenizers/unicode_tables.inl"

template <class Row, std::size_t N> const Row* rowOf(const Row (&table)[N], char32_t c) {
    const Row* after =
        std::upper_bound(std::begin(table), std::end(table), c, [](char32_t v, const Row& r) { return v < r.first; });
    return after != std::begin(table) && c <= std::prev(after)->last ? std::prev(after) : nullptr;
}

}  // namespace

bool isLetter(char32_t c) { return rowOf(letters, c) != nullptr; }
bool isNumber(char32_t c) { return rowOf(numbers, c) != nullptr; }
bool isSpace(char32_t c) { return rowOf(spaces, c) != nullptr; }

char32_t lowerCase(char32_t c) {
    // Runs of different steps may interleave, so an overlapping earlier run is looked at too.
    const LowerRun* after = std::upper_bound(std::begin(lowerRuns), std::end(lowerRuns), c,
                                             [](char32_t v, const LowerRun& r) { return v < r.first; });
    for (int back = 1; back <= 3 && after - back >= std::begin(lowerRuns); ++back) {
        const LowerRun& r = *(after - back);
        if (c <= r.last && (c - r.first) % r.step == 0) return char32_t(std::int32_t(c) + r.difference);
    }
    return c;
}

char32_t decodeUtf8(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const std::uint32_t lead = byte(at);
    const int length = lead < 0x80                   ? 1
                       : lead >= 0xc2 && lead < 0xe0 ? 2
                       : lead >= 0xe0 && lead < 0xf0 ? 3
                       : lead >= 0xf0 && lead < 0xf5 ? 4
                                                     : 0;
    if (length == 1) return ++at, char32_t(lead);
    std::uint32_t c = length == 2 ? lead & 0x1f : length == 3 ? lead & 0x0f : lead & 0x07;
    bool valid = length > 0;
    for (int i = 1; valid && i < length; ++i) {
        valid = (byte(at + std::size_t(i)) & 0xc0) == 0x80;
        c = c << 6 | (byte(at + std::size_t(i)) & 0x3f);
    }
    const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    if (!valid || c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return ++at, U'\ufffd';
    at += std::size_t(length);
    return char32_t(c);
}

void appendUtf8(std::string& text, char32_t c) {
    const std::uint32_t v = c;
    if (v < 0x80) {
        text += char(v);
    } else if (v < 0x800) {
        text += {char(0xc0 | v >> 6), char(0x80 | (v & 0x3f))};
    } else if (v < 0x10000) {
        text += {char(0xe0 | v >> 12), char(0x80 | (v >> 6 & 0x3f)), char(0x80 | (v & 0x3f))};
    } else {
        text += {char(0xf0 | v >> 18), char(0x80 | (v >> 12 & 0x3f)), char(0x80 | (v >> 6 & 0x3f)),
                 char(0x80 | (v & 0x3f))};
    }
}

}  // namespace meander
