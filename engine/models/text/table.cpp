// The table of text encoders, from list.inl: one file and one line each; and what they share.
#include <stdexcept>

#include "engine/models/text/text_encoder.h"
#include "engine/nn/ops.h"

namespace meander {

#define TEXT_ENCODER(name) const TextEncoderKind& name();
#include "engine/models/text/list.inl"
#undef TEXT_ENCODER

const std::vector<const TextEncoderKind*>& textEncoderKinds() {
    static const std::vector<const TextEncoderKind*> table = {
#define TEXT_ENCODER(name) &name(),
#include "engine/models/text/list.inl"
#undef TEXT_ENCODER
    };
    return table;
}

const TextEncoderKind* findTextEncoder(const std::string& className) {
    for (const TextEncoderKind* k : textEncoderKinds())
        if (className == k->className) return k;
    return nullptr;
}

TextFeatures TextEncoder::encode(std::span<const int> ids, const TextStates& wanted,
                                 std::span<const std::span<const float>> vectors) const {
    for (const auto& v : vectors)
        if (!v.empty())
            throw Failure(
                "The text encoder of this model takes no embeddings of textual inversion. Remove them from the "
                "prompt.");
    return encode(ids, wanted);
}

HiddenStates::HiddenStates(const TextStates& wanted, int layers) : m_wanted(wanted), m_states(wanted.layers.size()) {
    for (const int layer : wanted.layers) {
        const int counted = layer < 0 ? layers + 1 + layer : layer;
        if (counted < 0 || counted > layers)
            throw Failure("This model takes states of layer " + std::to_string(layer) + " of a text encoder that has "
                          + std::to_string(layers)
                          + " layers. Lower the CLIP skip of the recipe; without one, they do not belong together.");
        m_layers.push_back(counted);
    }
}

void HiddenStates::add(int layer, const Tensor& x) {
    for (std::size_t i = 0; i < m_layers.size(); ++i)
        if (m_layers[i] == layer) m_states[i] = x.clone();
}

Tensor HiddenStates::joined(const std::function<Tensor(const Tensor&)>& norm) const {
    Tensor all;
    for (const Tensor& s : m_states) {
        const Tensor one = m_wanted.isNormalised ? norm(s) : s;
        all = all ? nn::concat(all, one) : one;
    }
    return all.reshaped({all.shape()[1], all.shape()[2]});
}

}  // namespace meander
