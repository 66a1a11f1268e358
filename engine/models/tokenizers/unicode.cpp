#include "engine/models/tokenizers/unicode.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

namespace meander {
namespace {

struct CodeRange {
    char32_t first, last;
};
struct CaseRun {
    char32_t first, last, step;
};
struct LowerRun {
    char32_t first, last, step;
    std::int32_t difference;
};
struct ClassRun {
    char32_t first, last;
    std::uint8_t combiningClass;
};
struct Decomposition {
    char32_t character, first, second;  // second: 0 for a single character
    bool composes;
};

#include "engine/models/tokenizers/unicode_tables.inl"

template <class Row, std::size_t N> const Row* rowOf(const Row (&table)[N], char32_t c) {
    const Row* after =
        std::upper_bound(std::begin(table), std::end(table), c, [](char32_t v, const Row& r) { return v < r.first; });
    return after != std::begin(table) && c <= std::prev(after)->last ? std::prev(after) : nullptr;
}

// Runs of different steps may interleave, so an overlapping earlier run is looked at too.
template <class Row, std::size_t N> const Row* runOf(const Row (&table)[N], char32_t c) {
    const Row* after =
        std::upper_bound(std::begin(table), std::end(table), c, [](char32_t v, const Row& r) { return v < r.first; });
    for (int back = 1; back <= 3 && after - back >= std::begin(table); ++back) {
        const Row* r = after - back;
        if (c <= r->last && (c - r->first) % r->step == 0) return r;
    }
    return nullptr;
}

constexpr char32_t dottedI = 0x130, dotAbove = 0x307;

// Hangul syllables are computed (The Unicode Standard, section 3.12).
constexpr char32_t syllable = 0xAC00, lead = 0x1100, vowel = 0x1161, trail = 0x11A7;
constexpr char32_t vowels = 21, trails = 28, syllables = 11172, leads = 19;

int combiningClass(char32_t c) {
    const ClassRun* r = c < 0x300 ? nullptr : rowOf(combiningClasses, c);
    return r ? r->combiningClass : 0;
}

void decompose(char32_t c, std::u32string& out) {
    if (c < 0xC0) {
        out += c;
    } else if (c - syllable < syllables) {
        const char32_t i = c - syllable;
        out += lead + i / (vowels * trails);
        out += vowel + i % (vowels * trails) / trails;
        if (i % trails) out += trail + i % trails;
    } else {
        const auto* row = std::lower_bound(std::begin(decompositions), std::end(decompositions), c,
                                           [](const Decomposition& d, char32_t v) { return d.character < v; });
        if (row == std::end(decompositions) || row->character != c) {
            out += c;
            return;
        }
        decompose(row->first, out);
        if (row->second) decompose(row->second, out);
    }
}

// Characters by their parts.
const std::map<std::pair<char32_t, char32_t>, char32_t>& compositions() {
    static const auto table = [] {
        std::map<std::pair<char32_t, char32_t>, char32_t> t;
        for (const Decomposition& d : decompositions)
            if (d.composes) t[{d.first, d.second}] = d.character;
        return t;
    }();
    return table;
}

char32_t compose(char32_t a, char32_t b) {
    if (a - lead < leads && b - vowel < vowels) return syllable + ((a - lead) * vowels + (b - vowel)) * trails;
    if (a - syllable < syllables && (a - syllable) % trails == 0 && b > trail && b < trail + trails)
        return a + b - trail;
    const auto it = compositions().find({a, b});
    return it == compositions().end() ? 0 : it->second;
}

void orderMarks(std::u32string& s) {
    for (std::size_t from = 0; from < s.size();) {
        if (combiningClass(s[from]) == 0) {
            ++from;
            continue;
        }
        std::size_t to = from;
        while (to < s.size() && combiningClass(s[to]) != 0) ++to;
        std::stable_sort(s.begin() + std::ptrdiff_t(from), s.begin() + std::ptrdiff_t(to),
                         [](char32_t a, char32_t b) { return combiningClass(a) < combiningClass(b); });
        from = to;
    }
}

// Each mark joins the last starter unless a mark of the same or a higher class lies between.
std::u32string joined(const std::u32string& s) {
    std::u32string out;
    std::size_t starter = std::u32string::npos;
    int last = 0;
    for (const char32_t c : s) {
        const int k = combiningClass(c);
        const bool isAdjacent = starter != std::u32string::npos && starter + 1 == out.size();
        if (starter != std::u32string::npos && (isAdjacent || (last < k && last != 0)))
            if (const char32_t both = compose(out[starter], c)) {
                out[starter] = both;
                continue;
            }
        if (k == 0) starter = out.size();
        last = k;
        out += c;
    }
    return out;
}

}  // namespace

bool isLetter(char32_t c) { return rowOf(letters, c) != nullptr; }
bool isNumber(char32_t c) { return rowOf(numbers, c) != nullptr; }
bool isSpace(char32_t c) { return rowOf(spaces, c) != nullptr; }
bool isMark(char32_t c) { return c >= 0x300 && rowOf(marks, c) != nullptr; }
bool isLowerLetter(char32_t c) { return runOf(lowerLetters, c) != nullptr; }
bool isUpperLetter(char32_t c) { return runOf(upperLetters, c) != nullptr; }

char32_t lowerCase(char32_t c) {
    if (c == dottedI) return U'i';
    const LowerRun* r = runOf(lowerRuns, c);
    return r ? char32_t(std::int32_t(c) + r->difference) : c;
}

void appendLowerCase(std::string& text, char32_t c) {
    appendUtf8(text, lowerCase(c));
    if (c == dottedI) appendUtf8(text, dotAbove);
}

std::string composed(std::string_view text) {
    std::u32string decomposed;
    bool isPlain = true;  // nothing that a mark could change
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = decodeUtf8(text, at);
        isPlain = isPlain && c < 0x300;
        decompose(c, decomposed);
    }
    if (isPlain) return std::string(text);
    orderMarks(decomposed);
    std::string out;
    for (const char32_t c : joined(decomposed)) appendUtf8(out, c);
    return out;
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
