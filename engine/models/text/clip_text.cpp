#include "engine/models/text/clip_text.h"

#include <algorithm>

#include "engine/models/text/text_common.h"
#include "engine/nn/ops.h"

namespace meander {

ClipTextConfig clipTextConfig(const Json& j, const std::string& what) {
    requireConfig(j, what);
    ClipTextConfig c;
    c.vocabulary = sizeIn(j, "vocab_size", c.vocabulary, 10'000'000, what);
    c.width = sizeIn(j, "hidden_size", c.width, 65536, what);
    c.layers = sizeIn(j, "num_hidden_layers", c.layers, 256, what);
    c.heads = sizeIn(j, "num_attention_heads", c.heads, 1024, what);
    c.inner = sizeIn(j, "intermediate_size", c.inner, 1 << 20, what);
    c.positions = sizeIn(j, "max_position_embeddings", c.positions, 65536, what);
    c.eps = epsilonIn(j, "layer_norm_eps", 1e-5, what);
    c.activation = activationIn(j, "hidden_act", "quick_gelu", what);
    if (const auto classes = jsonTexts(j, "architectures", {}, what);
        !classes.empty() && classes.front() == "CLIPTextModelWithProjection")
        c.projection = sizeIn(j, "projection_dim", 512, 65536, what);
    // Written as 2 by mistake before the end token was looked up.
    if (const int end = int(std::clamp<std::int64_t>(jsonInteger(j, "eos_token_id", 2, what), 0, 1 << 30)); end != 2)
        c.end = end;
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
    if (config.projection > 0) m_projection = b.linear("text_projection", w, config.projection, false);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

Tensor ClipTextEncoder::pooled(std::span<const int> ids, const Tensor& last) const {
    const auto end =
        m_config.end ? std::find(ids.begin(), ids.end(), *m_config.end) : std::max_element(ids.begin(), ids.end());
    const Tensor state = nn::layerNorm(last, m_norm, m_config.eps)
                             .reshaped({last.shape()[1], last.shape()[2]})
                             .slice(end == ids.end() ? 0 : end - ids.begin(), 1);
    return m_projection ? nn::linear(state, m_projection) : state;
}

TextFeatures ClipTextEncoder::encode(std::span<const int> ids, const TextStates& wanted) const {
    return encode(ids, wanted, {});
}

TextFeatures ClipTextEncoder::encode(std::span<const int> ids, const TextStates& wanted,
                                     std::span<const std::span<const float>> vectors) const {
    checkTokens(ids, m_config.positions, m_config.vocabulary);
    const std::int64_t n = std::int64_t(ids.size());
    Tensor tokens = nn::embedding(ids, m_tokens);
    if (std::any_of(vectors.begin(), vectors.end(), [](const auto& v) { return !v.empty(); })) {
        std::vector<float> rows = download(tokens.converted(DType::F32)).toFloats();
        for (std::size_t i = 0; i < vectors.size(); ++i)
            if (!vectors[i].empty())
                std::copy(vectors[i].begin(), vectors[i].end(), rows.begin() + std::ptrdiff_t(i) * m_config.width);
        tokens = upload(tokens.backend(), HostTensor::fromFloats({n, m_config.width}, rows)).converted(tokens.type());
    }
    Tensor x = nn::add(tokens, m_positions.slice(0, n)).reshaped({1, n, m_config.width});
    HiddenStates states(wanted, m_config.layers);
    states.add(0, x);
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        const Layer& l = m_layers[i];
        const auto [q, k, v] = nn::chunk<3>(nn::linear(nn::layerNorm(x, l.norm1, m_config.eps), l.qkv));
        x = nn::linear(nn::attend({q, k, v, m_config.heads, true}), l.out, {.onto = x});
        const Tensor h = nn::layerNorm(x, l.norm2, m_config.eps);
        x = nn::linear(nn::linear(h, l.up, {.activation = m_config.activation}), l.down, {.onto = x});
        states.add(int(i) + 1, x);
    }
    const auto finish = [&](const Tensor& t) { return nn::layerNorm(t, m_norm, m_config.eps); };
    return {states.joined(finish), pooled(ids, x)};
}

const TextEncoderKind& clipTextModel() {
    static const TextEncoderKind row{
        "CLIPTextModel", "CLIP",
        [](const Json& j, const std::string& what, NetworkBuilder& b) -> std::unique_ptr<TextEncoder> {
            return std::make_unique<ClipTextEncoder>(clipTextConfig(j, what), b);
        },
        [](const Json& j, const std::string& what) { return clipTextConfig(j, what).positions; }};
    return row;
}

const TextEncoderKind& clipTextModelWithProjection() {
    static const TextEncoderKind row{"CLIPTextModelWithProjection", "CLIP with projection", clipTextModel().build,
                                     clipTextModel().describe};
    return row;
}

}  // namespace meander
