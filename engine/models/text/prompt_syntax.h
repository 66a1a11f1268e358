// Prompts as other programs write them: text with weights, line-ups of 75 tokens, escapes.
//
//   A1111    (text) × 1.1, [text] ÷ 1.1, (text:1.3) × 1.3, all of them inside each other; BREAK begins a new chunk;
//            \( \) \[ \] \\ are themselves
//   ComfyUI  (text) × 1.1, (text:1.3) sets the weight to 1.3, whatever is around it; \( \) are themselves
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/models/prompt_dialect.h"
#include "engine/models/tokenizers/tokenizer.h"

namespace meander {

struct WeightedText {
    std::string text;
    double weight = 1;
    bool isBreak = false;  // no text: what follows begins a new chunk
    // Of an embedding of that name (text/embeddings.h): the vectors in place of its tokens, below each other.
    std::shared_ptr<const std::vector<float>> vectors = {};
    bool operator==(const WeightedText&) const = default;
};
// At least one piece. Brackets that do not match are read as each program reads them; nothing is refused.
std::vector<WeightedText> parsePrompt(std::string_view prompt, PromptDialect dialect);

// Tokens of one call of a CLIP text encoder: start, up to 75 of the prompt, end, padding; the weight of each.
struct PromptChunk {
    std::vector<Token> tokens;
    std::vector<float> weights;
    // What stands in place of the embedding of a token; empty: its own.
    std::vector<std::span<const float>> vectors;
};
// A long prompt in chunks, each as long as `tokenizer.length()`, which must not be 0; vectors have `width` numbers each
// and must outlive the chunks. A1111 moves what follows the last comma, where that is among the last 20 tokens, to the
// next chunk; ComfyUI moves a word of less than 8 tokens whole; plain prompts are cut.
std::vector<PromptChunk> promptChunks(const std::vector<WeightedText>& pieces, const Tokenizer& tokenizer,
                                      PromptDialect dialect, int width = 1);

}  // namespace meander
