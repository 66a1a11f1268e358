// T5EncoderModel (Raffel et al. 2020, version 1.1) and UMT5EncoderModel (Chung et al. 2023) of transformers: RMS norms,
// gated feed-forward, attention without 1/√d and with a learned bias per distance of two tokens, which all layers share
// (T5) or each has of its own (UMT5). Always F32: the feed-forward overflows half precision.
#pragma once
#include <vector>

#include "engine/models/layers/token_table.h"
#include "engine/models/text/text_encoder.h"

namespace meander {

struct T5Config {
    int vocabulary = 32128, width = 512, layers = 6, heads = 8, headWidth = 64, inner = 2048;
    int buckets = 32, farthest = 128;  // of distances; all beyond `farthest` share the last bucket
    float eps = 1e-6f;
    kernels::Activation activation = kernels::Activation::Relu;
    bool isGated = false;
    bool hasBiasPerLayer = false;
};
// Throws Failure.
T5Config t5Config(const Json& json, const std::string& what, bool hasBiasPerLayer);

// The bucket of a distance (key − query): half of them for each direction, of these half exact and half logarithmic up
// to `farthest`.
int t5Bucket(int distance, int buckets, int farthest);

class T5Encoder final : public TextEncoder {
public:
    // The builder must compute in F32.
    T5Encoder(const T5Config& config, NetworkBuilder& builder);

    // All tokens attend to all others, padding included; no pooled vector.
    TextFeatures encode(std::span<const int> ids, const TextStates& wanted) const override;
    // No token attends to those from `real` on, which pad the text.
    TextFeatures encodePadded(std::span<const int> ids, std::int64_t real, const TextStates& wanted) const;
    int width() const override { return m_config.width; }
    int longest() const override;

private:
    struct Layer {
        Tensor attentionNorm, feedForwardNorm;
        Linear qkv, out, gate, up, down;
        std::vector<float> distances;  // (buckets, heads); empty: those of the first layer
    };
    // Of n queries and the first `keys` of as many tokens: (heads, n, keys).
    Tensor bias(const Layer& layer, std::int64_t n, std::int64_t keys) const;

    T5Config m_config;
    Backend& m_backend;
    TokenTable m_tokens;
    std::vector<Layer> m_layers;
    Tensor m_norm;
};

}  // namespace meander
