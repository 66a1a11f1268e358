// One CLIP text encoder, its last states, or those of a layer before, through the final norm (Stable Diffusion 1, 2).
#include "engine/models/text/conditioner.h"

namespace meander {
namespace {

Conditions encode(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    const Tensor states = text[0].features(prompt, {{-prompt.clipSkip}}, &tokens).states;
    return {{{condition::context, states.reshaped({1, states.shape()[0], states.shape()[1]})}}};
}

}  // namespace

const Conditioner& clipConditioner() {
    static const Conditioner row{"clip", "CLIP text encoder", 1, encode};
    return row;
}

}  // namespace meander
