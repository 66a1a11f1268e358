// Byte-pair encoding (Sennrich et al. 2016): symbols, and which neighbours merge into which, best first.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace meander {

class BytePairs {
public:
    struct Part {
        std::uint32_t symbol;
        std::size_t begin, end;  // in the text
    };

    // The number of a symbol, which is added where it is new.
    std::uint32_t symbol(const std::string& text);
    std::optional<std::uint32_t> find(const std::string& text) const;
    std::size_t count() const { return m_symbols.size(); }
    // Ranked in the order in which they are added.
    void addMerge(const std::string& left, const std::string& right);
    // A file merges.txt: a pair in each line, behind an optional version.
    void readMerges(std::string_view text);
    // Merges neighbours, the best pair first, of equal ones the leftmost, until none is left; n log n.
    void merge(std::vector<Part>& parts) const;

    // The character that GPT-2 writes a byte as: itself where it is printable Latin-1, else U+0100 + n for the n-th
    // other (Radford et al. 2019).
    static const std::string& byteSymbol(unsigned char byte);

private:
    struct Merge {
        int rank;
        std::uint32_t result;
    };
    std::unordered_map<std::string, std::uint32_t> m_symbols;
    std::unordered_map<std::uint64_t, Merge> m_merges;  // (left, right) → result
    int m_ranks = 0;
};

}  // namespace meander
