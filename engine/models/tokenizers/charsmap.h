// The normalisation table of a sentencepiece model: a double-array trie over UTF-8 prefixes and the texts that replace
// them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meander {

class Charsmap {
public:
    // Bytes in the trie (u32), the trie's units (u32 each), replacements that end with 0. Throws Failure with `what`.
    static Charsmap parse(std::string_view bytes, const std::string& what);
    static Charsmap parseBase64(std::string_view text, const std::string& what);
    // Replaces the longest known prefix again and again; characters without a rule stay.
    std::string apply(std::string_view text) const;

private:
    std::vector<std::uint32_t> m_units;
    std::string m_replacements;
};

}  // namespace meander
