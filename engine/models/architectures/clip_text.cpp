#include "engine/models/architectures/clip_text.h"

#include <algorithm>
#include <cmath>

namespace meander {

using kernels::Activation;
using kernels::Epilogue;

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

ClipTextEncoder::ClipTextEncoder(const ClipTextConfig& config, NetworkBuilder& b)
    : m_config(config), m_backend(b.backend) {
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
    Backend& b = m_backend;
    const std::int64_t n = std::int64_t(ids.size()), w = m_config.width;
    if (n == 0 || n > m_config.positions)
        throw Failure("The text encoder reads up to " + std::to_string(m_config.positions) + " tokens, but got "
                      + std::to_string(n) + ".");
    std::vector<std::byte> raw(ids.size() * 4);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::int32_t id = ids[i];
        if (id < 0 || id >= m_config.vocabulary)
            throw Failure("The tokenizer knows the token " + std::to_string(id) + ", but the text encoder only "
                          + std::to_string(m_config.vocabulary) + " of them. They do not belong together.");
        std::copy_n(reinterpret_cast<const std::byte*>(&id), 4, raw.begin() + std::ptrdiff_t(4 * i));
    }
    const Tensor places = upload(b, HostTensor({n}, DType::I32, std::move(raw)));
    Tensor x(b, {n, w}), normed(b, {n, w}), attended(b, {n, w}), fused(b, {n, 3 * w}), inner(b, {n, m_config.inner});
    b.embedding(places, m_tokens, x);
    b.binary(kernels::Binary::Add, x, m_positions.slice(0, n), x);
    const View qkv = fused.view().reshaped({1, n, 3 * w});
    kernels::AttentionArgs a;
    a.q = qkv.columns(0, w);
    a.k = qkv.columns(w, w);
    a.v = qkv.columns(2 * w, w);
    a.heads = m_config.heads;
    a.scale = 1.0f / std::sqrt(float(w / m_config.heads));
    a.causal = true;
    Epilogue add, activate;
    add.residual = x;
    activate.activation = m_config.activation;
    const std::size_t used = m_layers.size() - std::size_t(std::clamp(skipLast, 0, int(m_layers.size()) - 1));
    for (std::size_t i = 0; i < used; ++i) {
        const Layer& l = m_layers[i];
        b.layerNorm(x, l.norm1.gamma, l.norm1.beta, m_config.eps, {}, {}, normed);
        b.linear(normed, *l.qkv, fused);
        b.attention(a, attended.view().reshaped({1, n, w}));
        b.linear(attended, *l.out, x, add);
        b.layerNorm(x, l.norm2.gamma, l.norm2.beta, m_config.eps, {}, {}, normed);
        b.linear(normed, *l.up, inner, activate);
        b.linear(inner, *l.down, x, add);
    }
    b.layerNorm(x, m_norm.gamma, m_norm.beta, m_config.eps, {}, {}, normed);
    return normed;
}

}  // namespace meander
