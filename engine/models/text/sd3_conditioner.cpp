// Stable Diffusion 3 (Esser et al. 2024): the penultimate states of CLIP-L and OpenCLIP-bigG side by side, without the
// final norm, widened with zeros to those of T5, which follow along the sequence; the projected vectors of both CLIPs.
// Without T5, its states are zeros.
#include <algorithm>

#include "engine/models/text/conditioner_common.h"
#include "engine/nn/ops.h"

namespace meander {
namespace {

constexpr std::size_t t5Length = 256;  // as diffusers; the first implementation has 77
constexpr std::int64_t t5Width = 4096;

Tensor zeros(Backend& backend, Shape shape) {
    Tensor t(backend, shape);
    backend.fill(t, 0);
    return t;
}

Conditions encode(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    if (text.size() != 2) requireStages(text, 3, "Stable Diffusion 3");
    const TextStates penultimate{{-std::max(prompt.clipSkip, 2)}, false};
    const TextFeatures l = text[0].features(prompt, penultimate, &tokens), g = text[1].features(prompt, penultimate);
    if (!l.pooled || !g.pooled)
        throw Failure("Stable Diffusion 3 takes two CLIP text encoders before T5, but this model has others. Its parts "
                      "do not belong together.");
    Backend& backend = l.states.backend();
    Tensor end;
    std::vector<Token> more;
    if (text.size() == 3) {
        end = t5States(text[2], prompt, t5Length, Padding::Whole, more);
    } else {
        end = zeros(backend, {std::int64_t(t5Length), t5Width});
        Token none;
        none.text = "no T5";
        none.special = true;
        more.resize(t5Length, none);
    }
    // The words of T5 are counted behind those of CLIP.
    int words = 0;
    for (const Token& t : tokens) words = std::max(words, t.word + 1);
    for (Token& t : more)
        if (t.word >= 0) t.word += words;
    tokens.insert(tokens.end(), more.begin(), more.end());
    const auto [first, second] = ofEqualLength(l.states, g.states);
    const Tensor both = nn::concat(first, second);
    const std::int64_t wider = end.shape()[1] - both.shape()[1];
    if (wider < 0)
        throw Failure("The T5 text encoder of this model has narrower states than its CLIP text encoders. Its parts do "
                      "not belong together.");
    const Tensor begin = wider > 0 ? nn::concat(both, zeros(backend, both.shape().with(-1, wider))) : both;
    const std::vector<Tensor> parts{begin, end};
    return {{{condition::context, asRow(stackRows(parts))}, {condition::pooled, nn::concat(l.pooled, g.pooled)}}};
}

}  // namespace

const Conditioner& sd3Conditioner() {
    static const Conditioner row{"sd3", "CLIP-L, OpenCLIP-bigG and T5", 3, encode};
    return row;
}

}  // namespace meander
