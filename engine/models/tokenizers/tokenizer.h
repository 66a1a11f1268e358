// Tokenizers: text → tokens with ids. The table: a new one is a file with `const TokenizerKind& name()` and a line in
// list.inl.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/models/conditions.h"

namespace meander {

class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    // All tokens of a text with the special ones that its model expects; a tokenizer of a fixed length cuts the text
    // and pads to it. Token ranges refer to `normalised(text)`.
    virtual std::vector<Token> encode(std::string_view text) const = 0;
    virtual std::string normalised(std::string_view text) const = 0;
    virtual int length() const = 0;  // tokens that it always makes; 0: as many as the text has
    virtual int vocabularySize() const = 0;
};

struct TokenizerKind {
    const char* name;  // "CLIP byte-pair encoding"
    // Does the folder (or file) hold a vocabulary of this kind? Looks at names of files and, where these do not tell,
    // at their first part.
    bool (*recognises)(const std::string& path);
    Result<std::unique_ptr<Tokenizer>> (*open)(const std::string& path);
};

const std::vector<const TokenizerKind*>& tokenizerKinds();
// The first kind that recognises the folder or file.
Result<std::unique_ptr<Tokenizer>> openTokenizer(const std::string& path);

}  // namespace meander
