#include "engine/models/architectures/unet_blocks.h"

namespace meander {

using nn::Activation;
using nn::Pass;
using nn::SiteKind;

ResidualBlock::ResidualBlock(std::string path, UNetLayout& layout, int in, int out, nn::Grid grid, float outputScale)
    : Module(std::move(path)),
      m_out(out),
      m_groups(layout.groups),
      m_eps(layout.eps),
      m_outputScale(outputScale),
      m_timeOffset(layout.timeWidth) {
    NetworkBuilder& b = layout.builder;
    m_norm1 = b.norm(at("norm1"), in);
    m_conv1 = b.conv(at("conv1"), in, out, 3, 1, 1, grid.height, grid.width);
    m_norm2 = b.norm(at("norm2"), out);
    m_conv2 = b.conv(at("conv2"), out, out, 3, 1, 1, grid.height, grid.width);
    if (in != out) m_shortcut = b.linear(at("conv_shortcut"), in, out, true, true);
    layout.time.emplace_back(at("time_emb_proj"), out);
    layout.timeWidth += out;
}

Tensor ResidualBlock::operator()(const Pass& pass, const Tensor& x) const {
    const Tensor time = nn::columns(pass.vectors(), m_timeOffset, m_out);
    Tensor h = nn::conv(nn::groupNorm(x, m_norm1, m_groups, m_eps, Activation::Silu), m_conv1, {.rowBias = time});
    h = nn::groupNorm(h, m_norm2, m_groups, m_eps, Activation::Silu);
    const Tensor residual = m_shortcut ? nn::linear(x, m_shortcut) : x;
    return nn::conv(h, m_conv2, {.residual = residual, .inPlace = bool(m_shortcut), .scale = 1.0f / m_outputScale});
}

TransformerBlock::TransformerBlock(std::string path, UNetLayout& layout, int channels, int heads, int stride)
    : Module(std::move(path)),
      m_block(add({SiteKind::Block, "", 0, heads, stride})),
      m_selfAttention(add({SiteKind::SelfAttention, "attn1", 0, heads, stride})),
      m_crossAttention(add({SiteKind::CrossAttention, "attn2", 0, heads, stride, layout.textWidth})),
      m_feedForward(add({SiteKind::FeedForward, "ff", 0, heads, stride})) {
    NetworkBuilder& b = layout.builder;
    const std::int64_t c = channels;
    m_norm1 = b.norm(at("norm1"), c);
    m_qkv = b.linearStack({{at("attn1.to_q"), c}, {at("attn1.to_k"), c}, {at("attn1.to_v"), c}}, c, false, b.compute);
    m_out1 = b.linear(at("attn1.to_out.0"), c, c);
    m_norm2 = b.norm(at("norm2"), c);
    m_query = b.linear(at("attn2.to_q"), c, c, false);
    m_out2 = b.linear(at("attn2.to_out.0"), c, c);
    m_norm3 = b.norm(at("norm3"), c);
    // GEGLU: the first half of the rows is the value, the second goes through gelu and multiplies it.
    m_value = b.linearRows(at("ff.net.0.proj"), c, 8 * c, 0, 4 * c);
    m_gate = b.linearRows(at("ff.net.0.proj"), c, 8 * c, 4 * c, 4 * c);
    m_down = b.linear(at("ff.net.2"), 4 * c, c);
    layout.text.emplace_back(at("attn2.to_k"), c);
    layout.text.emplace_back(at("attn2.to_v"), c);
    layout.textWidth += 2 * c;
}

Tensor TransformerBlock::operator()(const Pass& pass, const Tensor& x) const {
    constexpr float eps = 1e-5f;
    return pass.residual(m_block, x, [&](const Pass& pass, Tensor x) {
        x = pass.residual(m_selfAttention, x, [&](const Pass& p, const Tensor& x) {
            const auto [q, k, v] = nn::chunk<3>(nn::linear(nn::layerNorm(x, m_norm1, eps), m_qkv));
            return nn::linear(p.attend(m_selfAttention, q, k, v), m_out1, {.onto = x});
        });
        x = pass.residual(m_crossAttention, x, [&](const Pass& p, const Tensor& x) {
            const auto [k, v] = nn::chunk<2>(p.context(m_crossAttention, x.shape()[-1]));
            const Tensor q = nn::linear(nn::layerNorm(x, m_norm2, eps), m_query);
            return nn::linear(p.attend(m_crossAttention, q, k, v), m_out2, {.onto = x});
        });
        return pass.residual(m_feedForward, x, [&](const Pass&, const Tensor& x) {
            const Tensor h = nn::layerNorm(x, m_norm3, eps),
                         gate = nn::linear(h, m_gate, {.activation = Activation::GeluErf});
            return nn::linear(nn::linear(h, m_value, {.multiply = gate}), m_down, {.onto = x});
        });
    });
}

SpatialTransformer::SpatialTransformer(std::string path, UNetLayout& layout, int channels, int heads, int layers,
                                       int stride)
    : Module(std::move(path)), m_groups(layout.groups) {
    NetworkBuilder& b = layout.builder;
    m_norm = b.norm(at("norm"), channels);
    m_projectIn = b.linear(at("proj_in"), channels, channels, true, !layout.linearProjection);
    for (int i = 0; i < layers; ++i)
        m_blocks.push_back(
            &add<TransformerBlock>("transformer_blocks." + std::to_string(i), layout, channels, heads, stride));
    m_projectOut = b.linear(at("proj_out"), channels, channels, true, !layout.linearProjection);
}

Tensor SpatialTransformer::operator()(const Pass& pass, const Tensor& x) const {
    const Shape s = x.shape();
    const Tensor image = x.reshaped({s[0], s[1] * s[2], s[3]});
    Tensor tokens =
        nn::linear(nn::groupNorm(x, m_norm, m_groups, 1e-6f), m_projectIn).reshaped({s[0], s[1] * s[2], s[3]});
    for (const auto* block : m_blocks) tokens = (*block)(pass, tokens);
    return nn::linear(tokens, m_projectOut, {.onto = image}).reshaped(s);
}

}  // namespace meander
