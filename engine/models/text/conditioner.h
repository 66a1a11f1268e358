// Conditioners: how a family puts its text encoders together. The table: a new one is a file with
// `const Conditioner& name()` and a line in list of conditioners (conditioners.inl).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/models/conditions.h"
#include "engine/models/model.h"
#include "engine/models/text/embeddings.h"
#include "engine/models/text/text_encoder.h"
#include "engine/models/tokenizers/tokenizer.h"

namespace meander {

// One text encoder with its tokenizer.
struct TextStage {
    std::shared_ptr<const Tokenizer> tokenizer;
    std::unique_ptr<TextEncoder> encoder;
    std::shared_ptr<const EmbeddingFolder> embeddings = {};  // null: none

    // The states of a prompt in its dialect, which a tokenizer of a fixed length reads in chunks, one below the other;
    // pooled: that of the first chunk. The tokens are appended to `shown` where that is given.
    TextFeatures features(const Prompt& prompt, const TextStates& states, std::vector<Token>* shown = nullptr) const;
};

struct Conditioner {
    const char* id;         // "clip"
    const char* name;       // as shown: "CLIP text encoder"
    std::size_t mostTexts;  // text encoders that it takes, the last ones of them where fewer are there
    // Raw conditions of one prompt; `tokens` becomes those that the attention sees.
    Conditions (*encode)(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens);
};

const std::vector<const Conditioner*>& conditioners();
const Conditioner* findConditioner(const std::string& id);

}  // namespace meander
