#include "engine/models/layers/sandwich_block.h"

namespace meander {

using nn::Activation;
using nn::Pass;
using nn::SiteKind;

namespace {

// RMS norm of x (rows, n, c) with a gamma for each row, (rows, c), or one for all, (c).
Tensor norm(const Tensor& x, const Tensor& gamma, float eps) {
    if (gamma.shape().rank() == 1) return nn::rmsNorm(x, gamma, eps);
    const Tensor y(x.backend(), x.shape(), x.type());
    const std::int64_t c = x.shape()[-1];
    for (std::int64_t r = 0; r < x.rows(); ++r)
        x.backend().rmsNorm(x.slice(r, 1), gamma.slice(r, 1).reshaped({c}), eps, y.slice(r, 1));
    return y;
}

// (rows, n, heads, channels)
Tensor byHead(const Tensor& x, int heads) {
    const Shape s = x.shape();
    return x.reshaped({s[0], s[1], heads, s[2] / heads});
}

// Each head `times` times, one after the other.
Tensor repeatedHeads(const Tensor& x, int heads, int times) {
    if (times == 1) return x;
    const Shape s = x.shape();
    const std::int64_t d = s[2] / heads;
    const Tensor all(x.backend(), {s[0], s[1], heads, times, d}, x.type());
    const Tensor byTime = all.transposed(0, 3);  // (times, n, heads, rows, d)
    for (int i = 0; i < times; ++i)
        x.backend().copy(x.reshaped({s[0], s[1], heads, 1, d}), byTime.slice(i, 1).transposed(0, 3));
    return all.reshaped({s[0], s[1], s[2] * times});
}

void addTo(const Tensor& x, const Tensor& y) { x.backend().binary(kernels::Binary::Add, x, y, x); }

}  // namespace

SandwichBlock::SandwichBlock(std::string path, NetworkBuilder& b, const SandwichBlockStyle& s, SiteKind attention,
                             bool isModulated)
    : Module(std::move(path)),
      m_style(s),
      m_block(add({SiteKind::Block, "", 0, s.heads, s.patch})),
      m_attention(add({attention, "attention", 0, s.heads, s.patch})),
      m_feedForward(add({SiteKind::FeedForward, "feed_forward", 0, s.heads, s.patch})) {
    const std::int64_t w = s.width, keys = std::int64_t(s.keyHeads) * s.headWidth();
    const auto& n = s.names;
    if (isModulated) m_modulation = b.linear(at(n.modulation), s.vector, 4 * w);
    m_qkv = b.linearStack({{at(n.q), w}, {at(n.k), keys}, {at(n.v), keys}}, w, false, b.compute);
    m_queryNorm = b.table(at(n.queryNorm) + ".weight", {s.headWidth()});
    m_keyNorm = b.table(at(n.keyNorm) + ".weight", {s.headWidth()});
    m_out = b.linear(at(n.out), w, w, false);
    m_gate = b.linear(at(n.gate), w, s.inner, false);
    m_up = b.linear(at(n.up), w, s.inner, false);
    m_down = b.linear(at(n.down), s.inner, w, false);
    const std::string* names[] = {&n.attentionNorm, &n.attentionEndNorm, &n.feedForwardNorm, &n.feedForwardEndNorm};
    for (int i = 0; i < 4; ++i) m_norms[i] = b.table(at(*names[i]) + ".weight", {w});
}

// Of the four norms, per row: the weight times 1 + scale before a branch, times tanh(gate) behind it.
std::vector<Tensor> SandwichBlock::gammas(const Tensor& vector) const {
    if (!m_modulation) return {m_norms[0], m_norms[1], m_norms[2], m_norms[3]};
    const Tensor all = nn::linear(vector, m_modulation).converted(DType::F32);
    Backend& backend = all.backend();
    std::vector<Tensor> rows;
    for (int i = 0; i < 4; ++i) {
        Tensor factor = nn::columns(all, i * m_style.width, m_style.width);
        if (i % 2 == 1) backend.unary(kernels::Unary::Tanh, factor, factor);
        const Tensor gamma(backend, factor.shape());
        backend.binary(kernels::Binary::Mul, factor, m_norms[i], gamma);
        rows.push_back(i % 2 == 1 ? gamma : nn::add(gamma, m_norms[i]));
    }
    return rows;
}

Tensor SandwichBlock::attention(const Pass& p, const Tensor& h, const Rotary& rotary) const {
    const std::int64_t w = m_style.width, keys = std::int64_t(m_style.keyHeads) * m_style.headWidth();
    const Tensor qkv = nn::linear(h, m_qkv), q = qkv.columns(0, w), k = qkv.columns(w, keys),
                 v = qkv.columns(w + keys, keys);
    const auto prepare = [&](const Tensor& x, int heads, const Tensor& gamma) {
        const Tensor each = byHead(x, heads);
        x.backend().rmsNorm(each, gamma, m_style.headEps, each);
        rotary.turn(each);
    };
    prepare(q, m_style.heads, m_queryNorm);
    prepare(k, m_style.keyHeads, m_keyNorm);
    const int shared = m_style.heads / m_style.keyHeads;
    return nn::linear(p.attend(m_attention, q, repeatedHeads(k, m_style.keyHeads, shared),
                               repeatedHeads(v, m_style.keyHeads, shared)),
                      m_out);
}

Tensor SandwichBlock::start(const Pass& pass, const Tensor& x) const {
    return norm(x, gammas(pass.vectors(0)).front(), m_style.eps);
}

Tensor SandwichBlock::operator()(const Pass& pass, const Tensor& x, const Rotary& rotary) const {
    return pass.residual(m_block, x, [&](const Pass& outer, const Tensor& x) {
        const std::vector<Tensor> own = gammas(outer.vectors(0));
        // Gammas without rows are the same for any rows.
        const Pass pass = m_modulation ? outer.with(own) : outer;
        const auto gamma = [&](const Pass& p, std::size_t i) { return m_modulation ? p.vectors(i) : own[i]; };
        pass.residual(m_attention, x, [&](const Pass& p, const Tensor& x) {
            addTo(x, norm(attention(p, norm(x, gamma(p, 0), m_style.eps), rotary), gamma(p, 1), m_style.eps));
            return x;
        });
        return pass.residual(m_feedForward, x, [&](const Pass& p, const Tensor& x) {
            const Tensor h = norm(x, gamma(p, 2), m_style.eps);
            const Tensor inner =
                nn::linear(h, m_gate, {.activation = Activation::Silu, .multiply = nn::linear(h, m_up)});
            addTo(x, norm(nn::linear(inner, m_down), gamma(p, 3), m_style.eps));
            return x;
        });
    });
}

}  // namespace meander
