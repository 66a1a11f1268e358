#include "engine/models/architectures/unet_blocks.h"

#include <cmath>

namespace meander {

using kernels::Activation;
using kernels::Epilogue;

ResidualBlock::ResidualBlock(NetworkBuilder& b, const std::string& name, int in, int out, int groups, float eps,
                             float outputScale, int height, int width, SharedProjections& shared)
    : in(in), out(out), groups(groups), eps(eps), outputScale(outputScale), timeOffset(shared.timeWidth) {
    norm1 = b.norm(name + ".norm1", in);
    conv1 = b.conv(name + ".conv1", in, out, 3, 1, 1, height, width);
    norm2 = b.norm(name + ".norm2", out);
    conv2 = b.conv(name + ".conv2", out, out, 3, 1, 1, height, width);
    if (in != out) shortcut = b.linear(name + ".conv_shortcut", in, out, true, true);
    shared.time.emplace_back(name + ".time_emb_proj", out);
    shared.timeWidth += out;
}

Tensor ResidualBlock::operator()(const UNetPass& pass, const Tensor& x) const {
    Backend& b = pass.backend;
    const Shape s = x.shape(), outShape{s[0], s[1], s[2], out};
    Tensor time(b, {s[0], out});
    b.sliceLast(pass.time, timeOffset, time);
    Tensor hidden(b, outShape, pass.type);
    {
        Tensor normed(b, s, pass.type);
        b.groupNorm(x, norm1.gamma, norm1.beta, groups, eps, Activation::Silu, normed);
        Epilogue e;
        e.rowBias = time;
        b.conv2d(normed, *conv1, hidden, e);
    }
    Tensor normed(b, outShape, pass.type);
    b.groupNorm(hidden, norm2.gamma, norm2.beta, groups, eps, Activation::Silu, normed);
    Epilogue e;
    e.residualScale = 1.0f / outputScale;
    e.residual = x;
    if (shortcut) {
        // The shortcut is written where the sum will be; `hidden` is read no more.
        const std::int64_t pixels = s[0] * s[1] * s[2];
        b.linear(x.view().reshaped({pixels, in}), *shortcut, hidden.view().reshaped({pixels, out}));
        e.residual = hidden;
    }
    b.conv2d(normed, *conv2, hidden, e);
    return hidden;
}

TransformerBlock::TransformerBlock(NetworkBuilder& b, const std::string& name, int channels, int heads,
                                   SharedProjections& shared)
    : channels(channels), heads(heads), site(int(shared.sites.size())), textOffset(shared.textWidth) {
    const std::int64_t c = channels;
    norm1 = b.norm(name + ".norm1", c);
    qkv = b.linearStack({{name + ".attn1.to_q", c}, {name + ".attn1.to_k", c}, {name + ".attn1.to_v", c}}, c, false,
                        b.compute);
    out1 = b.linear(name + ".attn1.to_out.0", c, c);
    norm2 = b.norm(name + ".norm2", c);
    query = b.linear(name + ".attn2.to_q", c, c, false);
    out2 = b.linear(name + ".attn2.to_out.0", c, c);
    norm3 = b.norm(name + ".norm3", c);
    // GEGLU: the first half of the rows is the value, the second goes through gelu and multiplies it.
    value = b.linearRows(name + ".ff.net.0.proj", c, 8 * c, 0, 4 * c);
    gate = b.linearRows(name + ".ff.net.0.proj", c, 8 * c, 4 * c, 4 * c);
    down = b.linear(name + ".ff.net.2", 4 * c, c);
    shared.text.emplace_back(name + ".attn2.to_k", c);
    shared.text.emplace_back(name + ".attn2.to_v", c);
    shared.textWidth += 2 * c;
    shared.sites.push_back(name + ".attn2");
}

void TransformerBlock::operator()(const UNetPass& pass, Tensor& tokens, int height, int width) const {
    using Part = Intervention::Part;
    Backend& b = pass.backend;
    const std::int64_t rows = tokens.shape()[0], n = tokens.shape()[1], c = channels, all = rows * n;
    const View flat = tokens.view().reshaped({all, c});
    const SkippedRows block(tokens, pass.changes, site, Part::Block),
        attention(tokens, pass.changes, site, Part::Attention);
    Epilogue add;
    add.residual = flat;
    Tensor normed(b, {rows, n, c}, pass.type), attended(b, {rows, n, c}, pass.type);
    const View flatNormed = normed.view().reshaped({all, c}), flatAttended = attended.view().reshaped({all, c});
    {
        Tensor fused(b, {all, 3 * c}, pass.type);
        b.layerNorm(flat, norm1.gamma, norm1.beta, 1e-5f, {}, {}, flatNormed);
        b.linear(flatNormed, *qkv, fused);
        selfAttention(b, {fused.view().reshaped({rows, n, 3 * c}), heads, site, height, width}, attended, pass.changes,
                      pass.capture);
    }
    b.linear(flatAttended, *out1, flat, add);
    {
        Tensor queries(b, {rows, n, c}, pass.type);
        b.layerNorm(flat, norm2.gamma, norm2.beta, 1e-5f, {}, {}, flatNormed);
        b.linear(flatNormed, *query, queries.view().reshaped({all, c}));
        const View text = pass.text;
        kernels::AttentionArgs a;
        a.q = queries;
        a.k = text.columns(textOffset, c);
        a.v = text.columns(textOffset + c, c);
        a.heads = heads;
        a.scale = 1.0f / std::sqrt(float(c / heads));
        crossAttention(b, a, attended, pass.changes, textOffset, pass.capture, site);
    }
    b.linear(flatAttended, *out2, flat, add);
    attention.restore();
    const SkippedRows feedForward(tokens, pass.changes, site, Part::FeedForward);
    b.layerNorm(flat, norm3.gamma, norm3.beta, 1e-5f, {}, {}, flatNormed);
    Tensor gated(b, {all, 4 * c}, pass.type), wide(b, {all, 4 * c}, pass.type);
    Epilogue gelu, multiply;
    gelu.activation = Activation::GeluErf;
    b.linear(flatNormed, *gate, gated, gelu);
    multiply.multiply = gated;
    b.linear(flatNormed, *value, wide, multiply);
    b.linear(wide, *down, flat, add);
    feedForward.restore();
    block.restore();
}

SpatialTransformer::SpatialTransformer(NetworkBuilder& b, const std::string& name, int channels, int heads, int layers,
                                       int groups, bool linearProjection, SharedProjections& shared)
    : groups(groups) {
    norm = b.norm(name + ".norm", channels);
    projectIn = b.linear(name + ".proj_in", channels, channels, true, !linearProjection);
    for (int i = 0; i < layers; ++i)
        blocks.emplace_back(b, name + ".transformer_blocks." + std::to_string(i), channels, heads, shared);
    projectOut = b.linear(name + ".proj_out", channels, channels, true, !linearProjection);
}

Tensor SpatialTransformer::operator()(const UNetPass& pass, const Tensor& x) const {
    Backend& b = pass.backend;
    const Shape s = x.shape();
    const std::int64_t pixels = s[0] * s[1] * s[2], c = s[3];
    Tensor tokens(b, {s[0], s[1] * s[2], c}, pass.type);
    {
        Tensor normed(b, s, pass.type);
        b.groupNorm(x, norm.gamma, norm.beta, groups, 1e-6f, Activation::None, normed);
        b.linear(normed.view().reshaped({pixels, c}), *projectIn, tokens.view().reshaped({pixels, c}));
    }
    for (const auto& block : blocks) block(pass, tokens, int(s[1]), int(s[2]));
    Epilogue add;
    add.residual = x.view().reshaped({pixels, c});
    b.linear(tokens.view().reshaped({pixels, c}), *projectOut, add.residual, add);
    return x;
}

}  // namespace meander
