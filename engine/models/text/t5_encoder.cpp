#include "engine/models/text/t5_encoder.h"

#include <algorithm>
#include <cmath>

#include "engine/models/text/text_common.h"
#include "engine/nn/ops.h"
#include "engine/nn/scored_attention.h"

namespace meander {

T5Config t5Config(const Json& j, const std::string& what, bool hasBiasPerLayer) {
    requireConfig(j, what);
    T5Config c;
    c.vocabulary = sizeIn(j, "vocab_size", c.vocabulary, 10'000'000, what);
    c.width = sizeIn(j, "d_model", c.width, 65536, what);
    c.layers = sizeIn(j, "num_layers", c.layers, 256, what);
    c.heads = sizeIn(j, "num_heads", c.heads, 1024, what);
    c.headWidth = sizeIn(j, "d_kv", c.headWidth, 4096, what);
    c.inner = sizeIn(j, "d_ff", c.inner, 1 << 20, what);
    c.buckets = sizeIn(j, "relative_attention_num_buckets", c.buckets, 4096, what);
    c.farthest = sizeIn(j, "relative_attention_max_distance", c.farthest, 1 << 20, what);
    c.eps = epsilonIn(j, "layer_norm_epsilon", 1e-6, what);
    c.hasBiasPerLayer = hasBiasPerLayer;
    if (c.buckets < 4 || c.buckets / 4 >= c.farthest)
        throw Failure("The buckets of distances in " + what
                      + " do not fit their largest distance. The file may be "
                        "damaged.");
    std::string activation = jsonText(j, "feed_forward_proj", "relu", what);
    if (activation.starts_with("gated-")) {
        c.isGated = true;
        activation.erase(0, 6);
    }
    // The published "gated-gelu" means the tanh form.
    if (c.isGated && activation == "gelu") activation = "gelu_new";
    c.activation = activationIn(Json{{"feed_forward_proj", activation}}, "feed_forward_proj", "", what);
    return c;
}

int t5Bucket(int distance, int buckets, int farthest) {
    const int half = buckets / 2, exact = half / 2, n = std::abs(distance), side = distance > 0 ? half : 0;
    if (n < exact) return side + n;
    const float far = std::log(float(n) / float(exact)) / std::log(float(farthest) / float(exact));
    return side + std::min(exact + int(far * float(half - exact)), half - 1);
}

T5Encoder::T5Encoder(const T5Config& c, NetworkBuilder& b)
    : m_config(c),
      m_backend(b.backend),
      m_tokens(b, b.source.has("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight", c.vocabulary,
               c.width) {
    const std::int64_t w = c.width, heads = std::int64_t(c.heads) * c.headWidth;
    for (int i = 0; i < c.layers; ++i) {
        const std::string name = "encoder.block." + std::to_string(i), attention = name + ".layer.0.SelfAttention",
                          feedForward = name + ".layer.1.DenseReluDense";
        Layer l;
        l.attentionNorm = b.table(name + ".layer.0.layer_norm.weight", {w});
        l.qkv = b.linearStack({{attention + ".q", heads}, {attention + ".k", heads}, {attention + ".v", heads}}, w,
                              false, b.compute);
        l.out = b.linear(attention + ".o", heads, w, false);
        if (i == 0 || c.hasBiasPerLayer) {
            const Shape s{c.buckets, c.heads};
            l.distances = b.source.read(attention + ".relative_attention_bias.weight", s).floats();
            b.parameters += s.count();
        }
        l.feedForwardNorm = b.table(name + ".layer.1.layer_norm.weight", {w});
        if (c.isGated) l.gate = b.linear(feedForward + ".wi_0", w, c.inner, false);
        l.up = b.linear(feedForward + (c.isGated ? ".wi_1" : ".wi"), w, c.inner, false);
        l.down = b.linear(feedForward + ".wo", c.inner, w, false);
        m_layers.push_back(std::move(l));
    }
    m_norm = b.table("encoder.final_layer_norm.weight", {w});
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

int T5Encoder::longest() const { return mostTextTokens; }

Tensor T5Encoder::bias(const Layer& layer, std::int64_t n, std::int64_t keys) const {
    const std::size_t size = std::size_t(n), heads = std::size_t(m_config.heads);
    std::vector<std::size_t> bucketOf(2 * size - 1);  // of key − query + n − 1
    for (std::size_t i = 0; i < bucketOf.size(); ++i)
        bucketOf[i] = std::size_t(t5Bucket(int(i) - int(n) + 1, m_config.buckets, m_config.farthest));
    std::vector<float> values;
    values.reserve(heads * size * std::size_t(keys));
    for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t query = 0; query < size; ++query)
            for (std::size_t key = 0; key < std::size_t(keys); ++key)
                values.push_back(layer.distances[bucketOf[key + size - 1 - query] * heads + h]);
    return upload(m_backend, HostTensor::fromFloats({m_config.heads, n, keys}, values));
}

TextFeatures T5Encoder::encode(std::span<const int> ids, const TextStates& wanted) const {
    return encodePadded(ids, std::int64_t(ids.size()), wanted);
}

TextFeatures T5Encoder::encodePadded(std::span<const int> ids, std::int64_t real, const TextStates& wanted) const {
    checkTokens(ids, longest(), m_config.vocabulary);
    const std::int64_t n = std::int64_t(ids.size());
    HiddenStates states(wanted, m_config.layers);
    const auto keep = [&](int layer, const Tensor& x) { states.add(layer, x.reshaped({1, n, m_config.width})); };
    Tensor x = m_tokens.rows(ids), bias;
    keep(0, x);
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        const Layer& l = m_layers[i];
        if (!l.distances.empty()) bias = this->bias(l, n, real);
        const auto [q, k, v] = nn::chunk<3>(nn::linear(nn::rmsNorm(x, l.attentionNorm, m_config.eps), l.qkv));
        const Tensor seen = nn::attend({.q = q,
                                        .k = k.slice(0, real),
                                        .v = v.slice(0, real),
                                        .heads = m_config.heads,
                                        .keyHeads = m_config.heads,
                                        .bias = bias});
        x = nn::linear(seen, l.out, {.onto = x});
        const Tensor h = nn::rmsNorm(x, l.feedForwardNorm, m_config.eps);
        const Tensor inner =
            m_config.isGated
                ? nn::linear(h, l.gate, {.activation = m_config.activation, .multiply = nn::linear(h, l.up)})
                : nn::linear(h, l.up, {.activation = m_config.activation});
        x = nn::linear(inner, l.down, {.onto = x});
        keep(int(i) + 1, x);
    }
    return {states.joined([&](const Tensor& t) { return nn::rmsNorm(t, m_norm, m_config.eps); }), {}};
}

namespace {

template <bool hasBiasPerLayer>
std::unique_ptr<TextEncoder> build(const Json& j, const std::string& what, NetworkBuilder& b) {
    return std::make_unique<T5Encoder>(t5Config(j, what, hasBiasPerLayer), b);
}
int describe(const Json& j, const std::string& what) {
    t5Config(j, what, false);
    return usualTextTokens;
}

}  // namespace

const TextEncoderKind& t5EncoderModel() {
    static const TextEncoderKind row{"T5EncoderModel", "T5", build<false>, describe};
    return row;
}
const TextEncoderKind& umt5EncoderModel() {
    static const TextEncoderKind row{"UMT5EncoderModel", "UMT5", build<true>, describe};
    return row;
}

}  // namespace meander
