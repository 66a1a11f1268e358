#include "engine/models/layers/joint_block.h"

namespace meander {

using nn::Activation;
using nn::Pass;
using nn::SiteKind;

namespace {

constexpr float eps = 1e-6f;

// Modulation: vector i of (rows, n · width).
Tensor part(const Tensor& vectors, int i, std::int64_t width) { return nn::columns(vectors, i * width, width); }
Tensor modulated(const Tensor& x, const Tensor& vectors, int shift, int scale) {
    const std::int64_t width = x.shape()[-1];
    return nn::modulatedNorm(x, part(vectors, shift, width), part(vectors, scale, width), eps);
}

// (rows, n, heads, channels)
Tensor byHead(const Tensor& x, int heads) {
    const Shape s = x.shape();
    return x.reshaped({s[0], s[1], heads, s[2] / heads});
}

void turn(const Rotary* rotary, const Tensor& q, const Tensor& k, int heads) {
    if (!rotary) return;
    rotary->turn(byHead(q, heads));
    rotary->turn(byHead(k, heads));
}

Tensor hidden(const Tensor& h, const Linear& gate, const Linear& up) {
    if (!gate) return nn::linear(h, up, {.activation = Activation::GeluTanh});
    return nn::linear(h, gate, {.activation = Activation::Silu, .multiply = nn::linear(h, up)});
}

// x += gate · (h Wᵀ + b); x may be the tokens of one stream among others.
void addTo(const Tensor& x, const Tensor& h, const Linear& w, const Tensor& gate) {
    if (x.view().isDense()) {
        nn::linear(h, w, {.gate = gate, .onto = x});
        return;
    }
    x.backend().binary(kernels::Binary::Add, x, nn::linear(h, w, {.gate = gate}), x);
}

Tensor imageOf(const Tensor& x, const JointTokens& t) { return nn::tokens(x, t.text, x.shape()[1] - t.text); }
Tensor textOf(const Tensor& x, const JointTokens& t) { return nn::tokens(x, 0, t.text); }

}  // namespace

JointBlock::JointBlock(std::string path, NetworkBuilder& b, const JointBlockStyle& style, const Kind& kind)
    : Module(std::move(path)),
      m_style(style),
      m_kind(kind),
      m_block(add({SiteKind::Block, "", 0, style.heads, style.patch})),
      m_attention(add({SiteKind::JointAttention, "attn", 0, style.heads, style.patch})),
      m_secondAttention(kind.hasSecondAttention ? &add({SiteKind::SelfAttention, "attn2", 0, style.heads, style.patch})
                                                : nullptr),
      m_feedForward(add({SiteKind::FeedForward, "ff", 0, style.heads, style.patch})) {
    m_image = read(b, kind.image, kind.hasSecondAttention ? 9 : 6, false);
    m_text = read(b, kind.text, kind.endsText ? 2 : 6, kind.endsText);
    if (kind.hasSecondAttention)
        m_second = read(b,
                        {.modulation = "",
                         .q = "attn2.to_q",
                         .k = "attn2.to_k",
                         .v = "attn2.to_v",
                         .queryNorm = "attn2.norm_q",
                         .keyNorm = "attn2.norm_k",
                         .out = "attn2.to_out.0",
                         .up = "",
                         .down = ""},
                        0, false);
}

// `vectors`: of the modulation. What ends has no output.
JointBlock::Stream JointBlock::read(NetworkBuilder& b, const StreamNames& names, int vectors, bool ends) const {
    const std::int64_t w = m_style.width(), inner = m_style.inner;
    Stream s;
    if (vectors > 0 && !m_style.sharesModulation)
        s.modulation = b.linear(at(names.modulation), w, vectors * w, m_style.hasBias);
    s.qkv = b.linearStack({{at(names.q), w}, {at(names.k), w}, {at(names.v), w}}, w, m_style.hasBias, b.compute);
    if (m_style.hasHeadNorms) {
        s.queryNorm = b.table(at(names.queryNorm) + ".weight", {m_style.headWidth});
        s.keyNorm = b.table(at(names.keyNorm) + ".weight", {m_style.headWidth});
    }
    if (ends) return s;
    s.out = b.linear(at(names.out), w, w, m_style.hasBias);
    if (names.up.empty()) return s;
    if (m_style.isGated) {
        s.gate = b.linearRows(at(names.up), w, 2 * inner, 0, inner, m_style.hasBias);
        s.up = b.linearRows(at(names.up), w, 2 * inner, inner, inner, m_style.hasBias);
    } else {
        s.up = b.linear(at(names.up), w, inner, m_style.hasBias);
    }
    s.down = b.linear(at(names.down), inner, w, m_style.hasBias);
    return s;
}

Tensor JointBlock::modulation(const Pass& pass, const Stream& s, std::size_t shared) const {
    return s.modulation ? nn::linear(pass.vectors(0), s.modulation) : pass.vectors(shared);
}

// q, k and v of a stream, behind each other in `to` (rows, tokens, 3 · width).
void JointBlock::project(const Stream& s, const Tensor& h, const Tensor& to) const {
    const Tensor qkv = nn::linear(h, s.qkv);
    Backend& backend = to.backend();
    if (!s.queryNorm) return backend.copy(qkv, to);
    const auto from = nn::chunk<3>(qkv), parts = nn::chunk<3>(to);
    backend.rmsNorm(byHead(from[0], m_style.heads), s.queryNorm, eps, byHead(parts[0], m_style.heads));
    backend.rmsNorm(byHead(from[1], m_style.heads), s.keyNorm, eps, byHead(parts[1], m_style.heads));
    backend.copy(from[2], parts[2]);
}

// Vectors of the pass, here and below: modulation of the image and of the text; normed image of the second attention.
Tensor JointBlock::attention(const Pass& p, const Tensor& x, const JointTokens& tokens) const {
    const Tensor image = imageOf(x, tokens), text = textOf(x, tokens);
    const Tensor qkv(x.backend(), x.shape().with(-1, 3 * m_style.width()), x.type());
    project(m_text, m_kind.endsText ? modulated(text, p.vectors(1), 1, 0) : modulated(text, p.vectors(1), 0, 1),
            textOf(qkv, tokens));
    project(m_image, modulated(image, p.vectors(0), 0, 1), imageOf(qkv, tokens));
    const auto [q, k, v] = nn::chunk<3>(qkv);
    turn(tokens.rotary, q, k, m_style.heads);
    const Tensor y = p.attend(m_attention, q, k, v);
    addTo(image, imageOf(y, tokens), m_image.out, part(p.vectors(0), 2, m_style.width()));
    if (!m_kind.endsText) addTo(text, textOf(y, tokens), m_text.out, part(p.vectors(1), 2, m_style.width()));
    return x;
}

Tensor JointBlock::secondAttention(const Pass& p, const Tensor& x, const JointTokens& tokens) const {
    const Tensor &h = p.vectors(2), qkv(x.backend(), h.shape().with(-1, 3 * m_style.width()), x.type());
    project(m_second, h, qkv);
    const auto [q, k, v] = nn::chunk<3>(qkv);
    addTo(imageOf(x, tokens), p.attend(*m_secondAttention, q, k, v), m_second.out,
          part(p.vectors(0), 8, m_style.width()));
    return x;
}

Tensor JointBlock::feedForward(const Pass& p, const Tensor& x, const JointTokens& tokens) const {
    const auto add = [&](const Tensor& stream, const Stream& s, const Tensor& vectors) {
        addTo(stream, hidden(modulated(stream, vectors, 3, 4), s.gate, s.up), s.down,
              part(vectors, 5, m_style.width()));
    };
    add(imageOf(x, tokens), m_image, p.vectors(0));
    if (!m_kind.endsText) add(textOf(x, tokens), m_text, p.vectors(1));
    return x;
}

Tensor JointBlock::start(const Pass& pass, const Tensor& x, const JointTokens& tokens) const {
    return modulated(imageOf(x, tokens), modulation(pass, m_image, 1), 0, 1);
}

Tensor JointBlock::operator()(const Pass& pass, const Tensor& x, const JointTokens& tokens) const {
    return pass.residual(m_block, x, [&](const Pass& outer, const Tensor& x) {
        std::vector<Tensor> vectors{modulation(outer, m_image, 1), modulation(outer, m_text, 2)};
        if (m_secondAttention) vectors.push_back(modulated(imageOf(x, tokens), vectors[0], 6, 7));
        const Pass pass = outer.with(std::move(vectors));
        pass.residual(m_attention, x, [&](const Pass& p, const Tensor& x) { return attention(p, x, tokens); });
        if (m_secondAttention)
            pass.residual(*m_secondAttention, x,
                          [&](const Pass& p, const Tensor& x) { return secondAttention(p, x, tokens); });
        return pass.residual(m_feedForward, x,
                             [&](const Pass& p, const Tensor& x) { return feedForward(p, x, tokens); });
    });
}

ParallelBlock::ParallelBlock(std::string path, NetworkBuilder& b, const JointBlockStyle& style, const Names& n)
    : Module(std::move(path)),
      m_style(style),
      m_block(add({SiteKind::Block, "", 0, style.heads, style.patch})),
      m_attention(add({SiteKind::JointAttention, "attn", 0, style.heads, style.patch})),
      m_feedForward(add({SiteKind::FeedForward, "ff", 0, style.heads, style.patch})) {
    const std::int64_t w = style.width(), inner = style.inner, up = (style.isGated ? 2 : 1) * inner;
    if (!style.sharesModulation) m_modulation = b.linear(at(n.modulation), w, 3 * w, style.hasBias);
    // The matrix of the feed-forward and the first of its rows.
    const std::string name = at(n.all.empty() ? n.up : n.all);
    const std::int64_t first = n.all.empty() ? 0 : 3 * w, rows = first + up;
    if (n.all.empty()) m_qkv = b.linearStack({{at(n.q), w}, {at(n.k), w}, {at(n.v), w}}, w, style.hasBias, b.compute);
    else m_qkv = b.linearRows(name, w, rows, 0, 3 * w, style.hasBias);
    if (style.isGated) m_gate = b.linearRows(name, w, rows, first, inner, style.hasBias);
    m_up = b.linearRows(name, w, rows, rows - inner, inner, style.hasBias);
    m_out = b.linearColumns(at(n.out), w + inner, w, 0, w, style.hasBias);
    m_down = b.linearColumns(at(n.out), w + inner, w, w, inner, false);
    m_queryNorm = b.table(at(n.queryNorm) + ".weight", {style.headWidth});
    m_keyNorm = b.table(at(n.keyNorm) + ".weight", {style.headWidth});
}

Tensor ParallelBlock::start(const Pass& pass, const Tensor& x, const JointTokens& tokens) const {
    const Tensor vectors = m_modulation ? nn::linear(pass.vectors(0), m_modulation) : pass.vectors(3);
    return modulated(imageOf(x, tokens), vectors, 0, 1);
}

Tensor ParallelBlock::operator()(const Pass& pass, const Tensor& x, const JointTokens& tokens) const {
    const int heads = m_style.heads;
    return pass.residual(m_block, x, [&](const Pass& outer, const Tensor& x) {
        const Tensor vectors = m_modulation ? nn::linear(outer.vectors(0), m_modulation) : outer.vectors(3);
        // Of the parts: the norm, which both start from, and the gate.
        const Pass pass = outer.with({modulated(x, vectors, 0, 1), part(vectors, 2, m_style.width())});
        pass.residual(m_attention, x, [&](const Pass& p, const Tensor& x) {
            const auto [q, k, v] = nn::chunk<3>(nn::linear(p.vectors(0), m_qkv));
            x.backend().rmsNorm(byHead(q, heads), m_queryNorm, eps, byHead(q, heads));
            x.backend().rmsNorm(byHead(k, heads), m_keyNorm, eps, byHead(k, heads));
            turn(tokens.rotary, q, k, heads);
            addTo(x, p.attend(m_attention, q, k, v), m_out, p.vectors(1));
            return x;
        });
        return pass.residual(m_feedForward, x, [&](const Pass& p, const Tensor& x) {
            addTo(x, hidden(p.vectors(0), m_gate, m_up), m_down, p.vectors(1));
            return x;
        });
    });
}

}  // namespace meander
