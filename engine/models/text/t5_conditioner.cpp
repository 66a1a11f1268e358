// Families with T5: PixArt (Chen et al. 2023) and Chroma alone, Flux.1 with the vector of CLIP-L beside it.
#include "engine/models/text/conditioner_common.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

// PixArt lower-cases its captions, takes none but real tokens, and of these at most 300 (α: 120). Networks of 1024
// pixels are told the size of the image.
template <std::size_t most>
Conditions encodePixart(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    requireStages(text, 1, "PixArt");
    Prompt lower = prompt;
    lower.text.clear();
    for (std::size_t at = 0; at < prompt.text.size();) appendLowerCase(lower.text, decodeUtf8(prompt.text, at));
    const Tensor states = asRow(t5States(text[0], lower, most, Padding::None, tokens));
    const std::vector<float> size{prompt.height > 0 ? float(prompt.height) : 1024,
                                  prompt.width > 0 ? float(prompt.width) : 1024};
    return {{{condition::context, states},
             {condition::size, upload(states.backend(), HostTensor::fromFloats({1, 2}, size))}}};
}

// Flux.1: T5 with its padding, and CLIP-L's vector of the whole text without projection.
template <std::size_t length>
Conditions encodeFlux(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    requireStages(text, 2, "Flux.1");
    const TextFeatures clip = text[0].features(prompt, {});
    if (!clip.pooled)
        throw Failure("Flux.1 takes a CLIP text encoder before T5, but this model has another one. Its parts do not "
                      "belong together.");
    return {{{condition::context, asRow(t5States(text[1], prompt, length, Padding::Whole, tokens))},
             {condition::pooled, clip.pooled}}};
}

// Chroma: T5, and of its padding one token only.
Conditions encodeChroma(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    requireStages(text, 1, "Chroma");
    return {{{condition::context, asRow(t5States(text[0], prompt, 512, Padding::One, tokens))}}};
}

}  // namespace

const Conditioner& chromaConditioner() {
    static const Conditioner row{"chroma", "T5, 512 tokens", 1, encodeChroma};
    return row;
}
const Conditioner& t5Conditioner() {
    static const Conditioner row{"t5", "T5", 1, encodePixart<300>};
    return row;
}
const Conditioner& pixArtAlphaConditioner() {
    static const Conditioner row{"pixart_alpha", "T5, 120 tokens", 1, encodePixart<120>};
    return row;
}
const Conditioner& fluxConditioner() {
    static const Conditioner row{"flux", "CLIP-L and T5, 512 tokens", 2, encodeFlux<512>};
    return row;
}
const Conditioner& fluxSchnellConditioner() {
    static const Conditioner row{"flux_schnell", "CLIP-L and T5, 256 tokens", 2, encodeFlux<256>};
    return row;
}

}  // namespace meander
