// The table of tokenizers, from list.inl: one file and one line each.
#include "engine/models/tokenizers/tokenizer.h"

namespace meander {

#define TOKENIZER(name) const TokenizerKind& name();
#include "engine/models/tokenizers/list.inl"
#undef TOKENIZER

const std::vector<const TokenizerKind*>& tokenizerKinds() {
    static const std::vector<const TokenizerKind*> table = {
#define TOKENIZER(name) &name(),
#include "engine/models/tokenizers/list.inl"
#undef TOKENIZER
    };
    return table;
}

Result<std::unique_ptr<Tokenizer>> openTokenizer(const std::string& path) {
    std::string names;
    for (const TokenizerKind* k : tokenizerKinds()) {
        if (k->recognises(path)) return k->open(path);
        names.append(names.empty() ? "" : ", ").append(k->name);
    }
    return Error{"'" + path + "' holds no vocabulary that Meander can read. It reads: " + names + ".", {}};
}

}  // namespace meander
