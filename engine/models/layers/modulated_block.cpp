#include "engine/models/layers/modulated_block.h"

namespace meander {

using nn::Pass;
using nn::SiteKind;

ModulatedBlock::ModulatedBlock(std::string path, NetworkBuilder& b, const ModulatedBlockNames& names,
                               std::int64_t width, int heads, int patch, std::int64_t first, std::int64_t context)
    : Module(std::move(path)),
      m_width(width),
      m_first(first),
      m_secondEps(names.secondEps),
      m_block(add({SiteKind::Block, "", 0, heads, patch})),
      m_selfAttention(add({SiteKind::SelfAttention, names.attention, 0, heads, patch})),
      m_crossAttention(names.crossAttention.empty()
                           ? nullptr
                           : &add({SiteKind::CrossAttention, names.crossAttention, 0, heads, patch, context})),
      m_feedForward(add({SiteKind::FeedForward, names.feedForward, 0, heads, patch})) {
    std::vector<NetworkBuilder::Part> parts;
    for (const auto& name : names.qkv) parts.emplace_back(at(name), 3 * width / std::int64_t(names.qkv.size()));
    m_qkv = b.linearStack(parts, width, true, b.compute);
    m_selfOut = b.linear(at(names.selfOut), width, width);
    if (m_crossAttention) {
        m_query = b.linear(at(names.query), width, width);
        m_crossOut = b.linear(at(names.crossOut), width, width);
    }
    m_up = b.linear(at(names.up), width, 4 * width);
    m_down = b.linear(at(names.down), 4 * width, width);
    if (!names.table.empty()) m_table = b.table(at(names.table), {6, width});
}

Tensor ModulatedBlock::vector(const Pass& pass, int i) const {
    if (!m_table) return nn::columns(pass.vectors(), m_first + i * m_width, m_width);
    return nn::add(pass.vectors(std::size_t(i)), m_table.slice(i, 1));
}

Tensor ModulatedBlock::modulated(const Pass& pass, const Tensor& x, int i, float eps) const {
    return nn::modulatedNorm(x, vector(pass, i), vector(pass, i + 1), eps);
}

Tensor ModulatedBlock::operator()(const Pass& pass, const Tensor& x) const {
    return pass.residual(m_block, x, [&](const Pass& pass, Tensor x) {
        x = pass.residual(m_selfAttention, x, [&](const Pass& p, const Tensor& x) {
            const auto [q, k, v] = nn::chunk<3>(nn::linear(modulated(p, x, 0, 1e-6f), m_qkv));
            return nn::linear(p.attend(m_selfAttention, q, k, v), m_selfOut, {.gate = vector(p, 2), .onto = x});
        });
        if (m_crossAttention)
            x = pass.residual(*m_crossAttention, x, [&](const Pass& p, const Tensor& x) {
                const auto [k, v] = nn::chunk<2>(p.context(*m_crossAttention, m_width));
                return nn::linear(p.attend(*m_crossAttention, nn::linear(x, m_query), k, v), m_crossOut, {.onto = x});
            });
        return pass.residual(m_feedForward, x, [&](const Pass& p, const Tensor& x) {
            const Tensor h =
                nn::linear(modulated(p, x, 3, m_secondEps), m_up, {.activation = nn::Activation::GeluTanh});
            return nn::linear(h, m_down, {.gate = vector(p, 5), .onto = x});
        });
    });
}

}  // namespace meander
