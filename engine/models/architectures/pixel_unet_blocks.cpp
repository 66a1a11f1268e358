#include "engine/models/architectures/pixel_unet_blocks.h"

namespace meander {

using nn::Activation;
using nn::Pass;

namespace {

Tensor resampled(const Tensor& x, Resampling how) {
    if (how == Resampling::None) return x;
    if (how == Resampling::Doubles) return nn::upsample2(x);
    const Shape s = x.shape();
    Tensor y(x.backend(), {s[0], s[1] / 2, s[2] / 2, s[3]}, x.type());
    x.backend().downsampleMean2(x, y);
    return y;
}

// h · (1 + scale) + shift, in place, with the halves of (rows, 2c).
void modulate(const Tensor& h, const Tensor& scaleAndShift) {
    const auto [scale, shift] = nn::chunk<2>(scaleAndShift);
    const std::int64_t c = h.shape()[-1];
    Backend& b = h.backend();
    for (std::int64_t r = 0; r < h.rows(); ++r) {
        const Tensor row = h.slice(r, 1), scaled(b, row.shape(), h.type());
        b.binary(kernels::Binary::Mul, row, scale.slice(r, 1).clone().reshaped({c}), scaled);
        b.binary(kernels::Binary::Add, row, scaled, row);
        b.binary(kernels::Binary::Add, row, shift.slice(r, 1).clone().reshaped({c}), row);
    }
}

}  // namespace

PixelBlock::PixelBlock(std::string path, PixelLayout& layout, int in, int out, nn::Grid grid, Resampling resampling,
                       float outputScale)
    : Module(std::move(path)),
      m_out(out),
      m_groups(layout.groups),
      m_eps(layout.eps),
      m_outputScale(outputScale),
      m_scales(layout.scales),
      m_resampling(resampling),
      m_timeOffset(layout.timeWidth) {
    NetworkBuilder& b = layout.builder;
    m_norm1 = b.norm(at("norm1"), in);
    m_conv1 = b.conv(at("conv1"), in, out, 3, 1, 1, grid.height, grid.width);
    m_norm2 = b.norm(at("norm2"), out);
    m_conv2 = b.conv(at("conv2"), out, out, 3, 1, 1, grid.height, grid.width);
    if (in != out) m_shortcut = b.linear(at("conv_shortcut"), in, out, true, true);
    layout.time.emplace_back(at("time_emb_proj"), m_scales ? 2 * out : out);
    layout.timeWidth += layout.time.back().second;
}

Tensor PixelBlock::operator()(const Pass& pass, const Tensor& input) const {
    const Tensor x = resampled(input, m_resampling);
    Tensor h = resampled(nn::groupNorm(input, m_norm1, m_groups, m_eps, Activation::Silu), m_resampling);
    if (m_scales) {
        h = nn::groupNorm(nn::conv(h, m_conv1), m_norm2, m_groups, m_eps);
        modulate(h, nn::columns(pass.vectors(), m_timeOffset, 2 * m_out).converted(h.type()));
        h = nn::silu(h);
    } else {
        h = nn::conv(h, m_conv1, {.rowBias = nn::columns(pass.vectors(), m_timeOffset, m_out)});
        h = nn::groupNorm(h, m_norm2, m_groups, m_eps, Activation::Silu);
    }
    const Tensor residual = m_shortcut ? nn::linear(x, m_shortcut) : x;
    return nn::conv(h, m_conv2, {.residual = residual, .inPlace = bool(m_shortcut), .scale = 1.0f / m_outputScale});
}

PixelAttention::PixelAttention(std::string path, PixelLayout& layout, int channels)
    : Module(std::move(path)),
      m_groups(layout.groups),
      m_heads(layout.heads > 0       ? layout.heads
              : layout.headWidth > 0 ? channels / layout.headWidth
                                     : 1),
      m_eps(layout.eps) {
    NetworkBuilder& b = layout.builder;
    const std::int64_t c = channels, width = c / m_heads;
    m_norm = b.norm(at("group_norm"), c);
    if (layout.interleavesHeads) {
        std::vector<std::int64_t> order;  // all of q, then of k, then of v
        for (std::int64_t part = 0; part < 3; ++part)
            for (std::int64_t head = 0; head < m_heads; ++head)
                for (std::int64_t i = 0; i < width; ++i) order.push_back((3 * head + part) * width + i);
        m_qkv = b.linearInOrder(at("to_qkv"), c, order);
    } else {
        m_qkv = b.linearStack({{at("to_q"), c}, {at("to_k"), c}, {at("to_v"), c}}, c, true, b.compute);
    }
    m_out = b.linear(at("to_out.0"), c, c);
}

Tensor PixelAttention::operator()(const Pass&, const Tensor& x) const {
    const Shape s = x.shape(), tokens{s[0], s[1] * s[2], s[3]};
    const auto [q, k, v] = nn::chunk<3>(nn::linear(nn::groupNorm(x, m_norm, m_groups, m_eps).reshaped(tokens), m_qkv));
    const Tensor y = nn::attend({.q = q, .k = k, .v = v, .heads = m_heads, .causal = false, .probabilities = {}});
    return nn::linear(y, m_out, {.onto = x.reshaped(tokens)}).reshaped(s);
}

}  // namespace meander
