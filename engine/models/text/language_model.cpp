#include "engine/models/text/language_model.h"

#include <cmath>
#include <limits>

#include "engine/models/text/text_common.h"
#include "engine/nn/ops.h"
#include "engine/nn/scored_attention.h"

namespace meander {
namespace {

// Where the files of the several classes hold the language model.
std::string rootOf(const WeightSource& source) {
    for (const char* root : {"model.language_model.", "language_model.model.", "model.", "language_model.", ""})
        if (source.has(std::string(root) + "embed_tokens.weight")) return root;
    throw Failure("The file of the text encoder has no token embeddings (embed_tokens.weight). It may be of another "
                  "model.");
}

double ropeBaseIn(const Json& j, const std::string& what) {
    // transformers 5 writes rope_parameters, earlier ones rope_theta and rope_scaling.
    const Json rope = j.value("rope_parameters", j.value("rope_scaling", Json()));
    double base = jsonReal(j, "rope_theta", 10000, what);
    if (rope.is_object()) {
        base = jsonReal(rope, "rope_theta", base, what);
        const std::string type = jsonText(rope, "rope_type", jsonText(rope, "type", "default", what), what);
        // The positions of several axes ("mrope") are equal for a text.
        if (type != "default" && type != "mrope")
            throw Failure("The text encoder described in " + what + " scales its rotary positions by the rule '" + type
                          + "', which Meander does not know yet.");
    }
    if (!(base > 1 && base < 1e12))
        throw Failure("The base of the rotary positions in " + what + " is not possible. The file may be damaged.");
    return base;
}

}  // namespace

LanguageModelConfig languageModelConfig(const Json& json, const std::string& what, const LanguageModelSwitches& s) {
    requireConfig(json, what);
    const Json j = json.contains("text_config") ? json["text_config"] : json;
    requireConfig(j, what);
    LanguageModelConfig c;
    c.switches = s;
    c.vocabulary = sizeIn(j, "vocab_size", 0, 10'000'000, what);
    c.width = sizeIn(j, "hidden_size", 0, 65536, what);
    c.layers = sizeIn(j, "num_hidden_layers", 0, 256, what);
    c.heads = sizeIn(j, "num_attention_heads", 0, 1024, what);
    c.keyHeads = sizeIn(j, "num_key_value_heads", c.heads, 1024, what);
    c.headWidth = sizeIn(j, "head_dim", std::max(1, c.width / c.heads), 4096, what);
    c.inner = sizeIn(j, "intermediate_size", 0, 1 << 20, what);
    if (c.heads % c.keyHeads != 0 || c.headWidth % 2 != 0)
        throw Failure("In " + what + ", " + std::to_string(c.heads) + " heads of " + std::to_string(c.headWidth)
                      + " channels cannot share " + std::to_string(c.keyHeads) + " keys. The file may be damaged.");
    c.eps = epsilonIn(j, "rms_norm_eps", 1e-6, what);
    c.ropeBase = ropeBaseIn(j, what);
    c.activation = activationIn(j, s.activationKey, s.activation, what);
    const double scored = jsonReal(j, "query_pre_attn_scalar", c.headWidth, what);
    const double cap = jsonReal(j, "attn_logit_softcapping", 0, what);
    if (!(scored > 0) || !(cap >= 0))
        throw Failure("The scale or the soft cap of the attention in " + what
                      + " is not possible. The file may be "
                        "damaged.");
    c.scoreScale = float(1 / std::sqrt(scored));
    if (cap > 0) c.scoreCap = float(cap);
    if (jsonBool(j, "use_sliding_window", true, what) && j.contains("sliding_window") && !j["sliding_window"].is_null())
        c.window = sizeIn(j, "sliding_window", 4096, 1 << 24, what);
    return c;
}

Tensor LanguageModel::gamma(NetworkBuilder& b, const std::string& name, std::int64_t width) const {
    const Tensor read = b.table(name + ".weight", {width});
    if (!m_config.switches.addsOneToNorms) return read;
    return nn::add(read, b.constant({width}, std::vector<float>(std::size_t(width), 1.0f)));
}

LanguageModel::LanguageModel(const LanguageModelConfig& c, NetworkBuilder& b) : m_config(c), m_backend(b.backend) {
    const std::string root = rootOf(b.source);
    const LanguageModelSwitches& s = c.switches;
    const std::int64_t w = c.width, queries = std::int64_t(c.heads) * c.headWidth,
                       keys = std::int64_t(c.keyHeads) * c.headWidth;
    m_tokens = TokenTable(b, root + "embed_tokens.weight", c.vocabulary, w);
    for (int i = 0; i < c.layers; ++i) {
        const std::string name = root + "layers." + std::to_string(i) + ".", attention = name + "self_attn.";
        Layer l;
        l.attentionNorm = gamma(b, name + "input_layernorm", w);
        l.qkv =
            b.linearStack({{attention + "q_proj", queries}, {attention + "k_proj", keys}, {attention + "v_proj", keys}},
                          w, s.hasQkvBias, b.compute);
        l.out = b.linear(attention + "o_proj", queries, w, false);
        if (s.hasQkNorm) {
            l.queryNorm = gamma(b, attention + "q_norm", c.headWidth);
            l.keyNorm = gamma(b, attention + "k_norm", c.headWidth);
        }
        if (s.hasSandwichNorms) {
            l.attentionEndNorm = gamma(b, name + "post_attention_layernorm", w);
            l.feedForwardNorm = gamma(b, name + "pre_feedforward_layernorm", w);
            l.feedForwardEndNorm = gamma(b, name + "post_feedforward_layernorm", w);
        } else {
            l.feedForwardNorm = gamma(b, name + "post_attention_layernorm", w);
        }
        l.gate = b.linear(name + "mlp.gate_proj", w, c.inner, false);
        l.up = b.linear(name + "mlp.up_proj", w, c.inner, false);
        l.down = b.linear(name + "mlp.down_proj", c.inner, w, false);
        m_layers.push_back(std::move(l));
    }
    m_norm = gamma(b, root + "norm", w);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

int LanguageModel::longest() const { return mostTextTokens; }

struct LanguageModel::Call {
    std::int64_t n, first;  // tokens; padding before the text
    kernels::RopeArgs rope;
    Tensor cos, sin, mask, windowMask;
};

// (n, n): 0 where a token attends to a key, −inf elsewhere. Rows of tokens before `first` attend to nothing and are
// cleared afterwards.
Tensor LanguageModel::mask(std::int64_t n, std::int64_t first, std::int64_t count, bool isWindowed) const {
    constexpr float no = -std::numeric_limits<float>::infinity();
    std::vector<float> values;
    values.reserve(std::size_t(n * n));
    for (std::int64_t query = 0; query < n; ++query)
        for (std::int64_t key = 0; key < n; ++key) {
            const bool isSeen = key <= query && key >= first && key < first + count
                                && (!isWindowed || !m_config.window || query - key < *m_config.window);
            values.push_back(isSeen || query < first ? 0.0f : no);
        }
    return upload(m_backend, HostTensor::fromFloats({n, n}, values));
}

Tensor LanguageModel::norm(const Tensor& x, const Tensor& gamma) const { return nn::rmsNorm(x, gamma, m_config.eps); }

Tensor LanguageModel::attention(const Layer& l, const Call& call, const Tensor& h, bool isWindowed) const {
    const std::int64_t n = call.n, d = m_config.headWidth, queries = m_config.heads * d, keys = m_config.keyHeads * d;
    const Tensor qkv = nn::linear(h, l.qkv);
    const Tensor q = qkv.columns(0, queries), k = qkv.columns(queries, keys), v = qkv.columns(queries + keys, keys);
    const auto prepare = [&](const Tensor& x, std::int64_t heads, const Tensor& gamma) {
        const Tensor byHead = x.reshaped({1, n, heads, d});
        if (gamma) m_backend.rmsNorm(byHead, gamma, m_config.eps, byHead);
        m_backend.rope(byHead, call.rope, byHead);
    };
    prepare(q, m_config.heads, l.queryNorm);
    prepare(k, m_config.keyHeads, l.keyNorm);
    const Tensor y = nn::attend({.q = q,
                                 .k = k,
                                 .v = v,
                                 .heads = m_config.heads,
                                 .keyHeads = m_config.keyHeads,
                                 .scale = m_config.scoreScale,
                                 .cap = m_config.scoreCap,
                                 .bias = isWindowed ? call.windowMask : call.mask});
    if (call.first > 0) m_backend.fill(y.slice(0, call.first), 0);
    return y;
}

TextFeatures LanguageModel::encode(std::span<const int> ids, const TextStates& wanted) const {
    return encodePadded(ids, 0, std::int64_t(ids.size()), wanted);
}

TextFeatures LanguageModel::encodePadded(std::span<const int> ids, std::int64_t first, std::int64_t count,
                                         const TextStates& wanted) const {
    checkTokens(ids, longest(), m_config.vocabulary);
    const std::int64_t n = std::int64_t(ids.size()), pairs = m_config.headWidth / 2;
    std::vector<float> cosines, sines;
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t p = 0; p < pairs; ++p) {
            const double angle = double(i) * std::pow(m_config.ropeBase, -double(p) / double(pairs));
            cosines.push_back(float(std::cos(angle)));
            sines.push_back(float(std::sin(angle)));
        }
    Call call{.n = n, .first = first, .rope = {}, .cos = {}, .sin = {}, .mask = {}, .windowMask = {}};
    call.cos = upload(m_backend, HostTensor::fromFloats({n, pairs}, cosines));
    call.sin = upload(m_backend, HostTensor::fromFloats({n, pairs}, sines));
    call.rope = {call.cos, call.sin, kernels::RopePairing::HalfSplit, {}};
    call.mask = mask(n, first, count, false);
    call.windowMask = m_config.window && *m_config.window < n ? mask(n, first, count, true) : call.mask;

    HiddenStates states(wanted, m_config.layers);
    const auto keep = [&](int layer, const Tensor& x) {
        states.add(layer, x.converted(DType::F32).reshaped({1, n, m_config.width}));
    };
    Tensor x = m_tokens.rows(ids);
    if (m_config.switches.scalesEmbeddings) x = combine({{std::sqrt(double(m_config.width)), x}});
    keep(0, x);
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        const Layer& l = m_layers[i];
        const bool isWindowed = !m_config.switches.alternatesWindow || i % 2 == 0;
        const auto addTo = [&](const Tensor& h, const Linear& w, const Tensor& endNorm) {
            return endNorm ? nn::add(x, norm(nn::linear(h, w), endNorm)) : nn::linear(h, w, {.onto = x});
        };
        x = addTo(attention(l, call, norm(x, l.attentionNorm), isWindowed), l.out, l.attentionEndNorm);
        const Tensor h = norm(x, l.feedForwardNorm);
        x = addTo(nn::linear(h, l.gate, {.activation = m_config.activation, .multiply = nn::linear(h, l.up)}), l.down,
                  l.feedForwardEndNorm);
        keep(int(i) + 1, x);
    }
    return {states.joined([&](const Tensor& t) { return norm(t, m_norm); }), {}};
}

}  // namespace meander
