#include "engine/models/architectures/clip_text.h"

#include <algorithm>

#include "engine/nn/ops.h"

namespace meander {

using kernels::Activation;

namespace {

int sizeIn(const Json& j, const char* key, int fallback, int largest, const std::string& what) {
    const std::int64_t v = jsonInteger(j, key, fallback, what);
    if (v < 1 || v > largest)
        throw Failure("The entry '" + std::string(key) + "' of " + what + " is " + std::to_string(v)
                      + ", which is not possible. The file may be damaged.");
    return int(v);
}

}  // namespace

ClipTextConfig clipTextConfig(const Json& j, const std::string& what) {
    if (!j.is_object()) throw Failure("The file " + what + " does not describe a text encoder.");
    ClipTextConfig c;
    c.vocabulary = sizeIn(j, "vocab_size", c.vocabulary, 10'000'000, what);
    c.width = sizeIn(j, "hidden_size", c.width, 65536, what);
    c.layers = sizeIn(j, "num_hidden_layers", c.layers, 256, what);
    c.heads = sizeIn(j, "num_attention_heads", c.heads, 1024, what);
    c.inner = sizeIn(j, "intermediate_size", c.inner, 1 << 20, what);
    c.positions = sizeIn(j, "max_position_embeddings", c.positions, 65536, what);
    c.eps = float(jsonReal(j, "layer_norm_eps", 1e-5, what));
    if (!(c.eps > 0 && c.eps < 1))
        throw Failure("The entry 'layer_norm_eps' of " + what + " must lie between 0 and 1. The file may be damaged.");
    const std::string act = jsonText(j, "hidden_act", "quick_gelu", what);
    if (act == "gelu") c.activation = Activation::GeluErf;
    else if (act == "gelu_new" || act == "gelu_pytorch_tanh") c.activation = Activation::GeluTanh;
    else if (act != "quick_gelu")
        throw Failure("The text encoder described in " + what + " uses the activation '" + act
                      + "', which Meander does not know. It knows quick_gelu and gelu.");
    if (c.width % c.heads != 0)
        throw Failure("In " + what + ", " + std::to_string(c.width) + " channels cannot be split into "
                      + std::to_string(c.heads) + " heads. The file may be damaged.");
    return c;
}

ClipTextEncoder::ClipTextEncoder(const ClipTextConfig& config, NetworkBuilder& b) : m_config(config) {
    const std::int64_t w = config.width;
    const std::string root = b.source.has("text_model.final_layer_norm.weight") ? "text_model." : "";
    m_tokens = b.table(root + "embeddings.token_embedding.weight", {config.vocabulary, w});
    m_positions = b.table(root + "embeddings.position_embedding.weight", {config.positions, w});
    for (int i = 0; i < config.layers; ++i) {
        const std::string name = root + "encoder.layers." + std::to_string(i);
        Layer l;
        l.norm1 = b.norm(name + ".layer_norm1", w);
        l.qkv = b.linearStack(
            {{name + ".self_attn.q_proj", w}, {name + ".self_attn.k_proj", w}, {name + ".self_attn.v_proj", w}}, w,
            true, DType::F32);
        l.out = b.linear(name + ".self_attn.out_proj", w, w);
        l.norm2 = b.norm(name + ".layer_norm2", w);
        l.up = b.linear(name + ".mlp.fc1", w, config.inner);
        l.down = b.linear(name + ".mlp.fc2", config.inner, w);
        m_layers.push_back(std::move(l));
    }
    m_norm = b.norm(root + "final_layer_norm", w);
}

Tensor ClipTextEncoder::operator()(std::span<const int> ids, int skipLast) const {
    const std::int64_t n = std::int64_t(ids.size());
    if (n == 0 || n > m_config.positions)
        throw Failure("The text encoder reads up to " + std::to_string(m_config.positions) + " tokens, but got "
                      + std::to_string(n) + ".");
    for (const int id : ids)
        if (id < 0 || id >= m_config.vocabulary)
            throw Failure("The tokenizer knows the token " + std::to_string(id) + ", but the text encoder only "
                          + std::to_string(m_config.vocabulary) + " of them. They do not belong together.");
    Tensor x = nn::add(nn::embedding(ids, m_tokens), m_positions.slice(0, n)).reshaped({1, n, m_config.width});
    const std::size_t used = m_layers.size() - std::size_t(std::clamp(skipLast, 0, int(m_layers.size()) - 1));
    for (std::size_t i = 0; i < used; ++i) {
        const Layer& l = m_layers[i];
        const auto [q, k, v] = nn::chunk<3>(nn::linear(nn::layerNorm(x, l.norm1, m_config.eps), l.qkv));
        x = nn::linear(nn::attend({q, k, v, m_config.heads, true}), l.out, {.onto = x});
        const Tensor h = nn::layerNorm(x, l.norm2, m_config.eps);
        x = nn::linear(nn::linear(h, l.up, {.activation = m_config.activation}), l.down, {.onto = x});
    }
    return nn::layerNorm(x, m_norm, m_config.eps).reshaped({n, m_config.width});
}

}  // namespace meander
