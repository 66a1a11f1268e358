// What of a prompt a text model never reads.
#pragma once
#include <string>
#include <string_view>

#include "engine/models/model.h"

namespace meander {

struct PromptFit {
    int tokens = 0;        // that the model reads, start and end included
    std::string lastRead;  // the last words read, "red circle above"
    int ignoredWords = 0;  // after them; 0: the prompt fits
};

// The tokens of a prompt as its tokenizer makes them; empty for a model without one, and where the vocabulary cannot be
// read.
std::vector<Token> tokensOf(const ModelInfo& model, std::string_view prompt);
// A model without a tokenizer, or one whose vocabulary cannot be read (loading the model says why), ignores nothing.
// Any thread; vocabularies are kept.
PromptFit fitPrompt(const ModelInfo& model, std::string_view prompt);

}  // namespace meander
