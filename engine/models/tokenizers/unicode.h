// The little of Unicode that tokenizers need: decoding UTF-8, classes of characters, simple lower-casing.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace meander {

bool isLetter(char32_t c);  // \p{L}
bool isNumber(char32_t c);  // \p{N}
bool isSpace(char32_t c);   // \s
char32_t lowerCase(char32_t c);

// The character at `at`, which moves behind it; a byte that is not UTF-8 gives U+FFFD and moves by one.
char32_t decodeUtf8(std::string_view text, std::size_t& at);
void appendUtf8(std::string& text, char32_t c);

}  // namespace meander
