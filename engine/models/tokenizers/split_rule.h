// How byte-level tokenizers split a text into pieces before merging. Each rule stands for one of the published regular
// expressions and is matched by hand: linear in the text, whatever the text is.
#pragma once
#include <cstddef>
#include <string_view>

namespace meander {

struct SplitRule {
    enum class Letters {
        Plain,       // \p{L}+
        AfterSpace,  //  ?\p{L}+
        AfterOther,  // [^\r\n\p{L}\p{N}]?\p{L}+
        Cased,       // the same, split where upper case follows lower case ("camelCase"), with marks
    };
    const char* name;  // "Qwen"
    const char* pattern;
    Letters letters;
    bool hasContractions, foldsContractions;  // 's 't 're 've 'm 'll 'd, in any case
    int digits;                               // numbers in a piece; 0: all, behind an optional space
    const char* tail;                         // line ends that belong to the punctuation before them
    bool hasLines;                            // \s*[\r\n]+ is a piece
    bool removesSpaces;                       // white space is no piece, and joins none
};

// By its regular expression, as tokenizer.json holds it; null: not known.
const SplitRule* findSplitRule(std::string_view pattern);
const SplitRule& clipSplit();
const SplitRule& gpt2Split();
const SplitRule& qwenSplit();

// The end of the piece that begins at `at`, which must lie in the text.
std::size_t pieceEnd(const SplitRule& rule, std::string_view text, std::size_t at);

}  // namespace meander
