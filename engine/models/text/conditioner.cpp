// The table of conditioners, from conditioners.inl: one file and one line each.
#include "engine/models/text/conditioner.h"

#include "engine/models/text/conditioner_common.h"
#include "engine/models/text/emphasis.h"
#include "engine/models/text/prompt_syntax.h"

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

TextFeatures TextStage::features(const Prompt& prompt, const TextStates& states, std::vector<Token>* shown) const {
    const auto show = [&](const std::vector<Token>& tokens) {
        if (shown) shown->insert(shown->end(), tokens.begin(), tokens.end());
    };
    if (prompt.dialect == PromptDialect::Plain) {
        const std::vector<Token> tokens = tokenizer->encode(prompt.text);
        show(tokens);
        return encoder->encode(idsOf(tokens), states);
    }
    const auto empty = [&] { return encoder->encode(idsOf(tokenizer->encode("")), states).states; };
    TextFeatures all;
    std::vector<Tensor> parts;
    auto pieces = parsePrompt(prompt.text, prompt.dialect);
    if (embeddings) pieces = withEmbeddings(pieces, *embeddings, encoder->width(), prompt.dialect);
    for (const PromptChunk& c : promptChunks(pieces, *tokenizer, prompt.dialect, encoder->width())) {
        show(c.tokens);
        const TextFeatures f = encoder->encode(idsOf(c.tokens), states, c.vectors);
        if (!all.pooled) all.pooled = f.pooled;
        parts.push_back(emphasised(f.states, c.weights, prompt.dialect, empty));
    }
    all.states = stackRows(parts);
    return all;
}

}  // namespace meander
