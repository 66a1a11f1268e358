// Stable Diffusion XL (Podell et al. 2023): the penultimate states of CLIP-L and OpenCLIP-bigG side by side, without
// the final norm; the pooled vector of bigG; original size, crop and target size. The refiner has bigG alone, and an
// aesthetic score in place of the target size.
#include <algorithm>
#include <tuple>

#include "engine/models/text/conditioner_common.h"
#include "engine/nn/ops.h"

namespace meander {
namespace {

constexpr float goodScore = 6.0f, badScore = 2.5f;  // of the prompt and of the negative prompt

Conditions encode(const std::vector<TextStage>& text, const Prompt& prompt, std::vector<Token>& tokens) {
    const TextStates penultimate{{-std::max(prompt.clipSkip, 2)}, false};
    TextFeatures last = text.back().features(prompt, penultimate, &tokens);
    if (!last.pooled)
        throw Failure("The second text encoder of this model has no projection (text_projection), from which Stable "
                      "Diffusion XL takes the vector of the whole text. Its parts do not belong together.");
    Tensor states = last.states;
    if (text.size() > 1) {
        Tensor first = text[0].features(prompt, penultimate).states;
        std::tie(first, states) = ofEqualLength(first, states);
        states = nn::concat(first, states);
    }
    const float h = prompt.height > 0 ? float(prompt.height) : 1024, w = prompt.width > 0 ? float(prompt.width) : 1024;
    std::vector<float> sizes{h, w, 0, 0};
    if (text.size() > 1) sizes.insert(sizes.end(), {h, w});
    else sizes.push_back(prompt.isNegative ? badScore : goodScore);
    const Tensor numbers = upload(states.backend(), HostTensor::fromFloats({1, std::int64_t(sizes.size())}, sizes));
    return {{{condition::context, states.reshaped({1, states.shape()[0], states.shape()[1]})},
             {condition::pooled, last.pooled},
             {condition::size, numbers}}};
}

}  // namespace

const Conditioner& sdxlConditioner() {
    static const Conditioner row{"sdxl", "CLIP-L and OpenCLIP-bigG", 2, encode};
    return row;
}

}  // namespace meander
