// The parts of Unicode that tokenizers need: decoding UTF-8, classes of characters, lower-casing, composition (NFC).
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace meander {

bool isLetter(char32_t c);       // \p{L}
bool isNumber(char32_t c);       // \p{N}
bool isSpace(char32_t c);        // \s
bool isMark(char32_t c);         // \p{M}
bool isLowerLetter(char32_t c);  // \p{Ll}
bool isUpperLetter(char32_t c);  // \p{Lu} and \p{Lt}
// One character; İ (U+0130), whose lower case is two characters, becomes i here (see appendLowerCase).
char32_t lowerCase(char32_t c);
// The full lower case of one character: of İ, i and a dot above (U+0307).
void appendLowerCase(std::string& text, char32_t c);
// Normalization Form C: decomposed canonically, marks in order, composed again ("e" + U+0301 → "é").
std::string composed(std::string_view text);

// The character at `at`, which moves behind it; a byte that is not UTF-8 gives U+FFFD and moves by one.
char32_t decodeUtf8(std::string_view text, std::size_t& at);
void appendUtf8(std::string& text, char32_t c);

}  // namespace meander
