// The table of conditioners, from conditioners.inl: one file and one line each.
#include "engine/models/text/conditioner.h"

namespace meander {

#define CONDITIONER(name) const Conditioner& name();
#include "engine/models/text/conditioners.inl"
#undef CONDITIONER

const std::vector<const Conditioner*>& conditioners() {
    static const std::vector<const Conditioner*> table = {
#define CONDITIONER(name) &name(),
#include "engine/models/text/conditioners.inl"
#undef CONDITIONER
    };
    return table;
}

const Conditioner* findConditioner(const std::string& id) {
    for (const Conditioner* c : conditioners())
        if (id == c->id) return c;
    return nullptr;
}

TextFeatures TextStage::features(const std::string& text, const TextStates& states, std::vector<Token>* shown) const {
    const std::vector<Token> tokens = tokenizer->encode(text);
    std::vector<int> ids;
    for (const Token& t : tokens) ids.push_back(t.id);
    if (shown) shown->insert(shown->end(), tokens.begin(), tokens.end());
    return encoder->encode(ids, states);
}

}  // namespace meander
