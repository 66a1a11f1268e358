#include "engine/models/codecs/kl_blocks.h"

#include "engine/nn/ops.h"

namespace meander {
namespace {

using nn::Activation;

constexpr float eps = 1e-6f;
constexpr int cells = 64;  // expected along each side of a state, or of a tile of it

void normalise(Tensor& x, const Norm& n, int groups) {
    x.backend().groupNorm(x, n.gamma, n.beta, groups, eps, Activation::Silu, x);
}

// A row and a column of zeros below and to the right: with stride 2 and no other padding the filter then stands on
// pixels 2i, 2i + 1, 2i + 2.
Tensor paddedBelow(const Tensor& x) {
    const Shape s = x.shape();
    Tensor padded(x.backend(), {s[0], s[1] + 1, s[2] + 1, s[3]}, x.type());
    x.backend().fill(padded, 0);
    x.backend().copy(x, padded.view().slice(1, 0, s[1]).slice(2, 0, s[2]));
    return padded;
}

std::string numbered(const char* name, std::size_t i) { return name + std::to_string(i); }

}  // namespace

KlResidualBlock::KlResidualBlock(std::string path, NetworkBuilder& b, int groups, int in, int out, int extent)
    : Module(std::move(path)), m_groups(groups) {
    m_norm1 = b.norm(at("norm1"), in);
    m_conv1 = b.conv(at("conv1"), in, out, 3, 1, 1, extent, extent);
    m_norm2 = b.norm(at("norm2"), out);
    m_conv2 = b.conv(at("conv2"), out, out, 3, 1, 1, extent, extent);
    if (in != out) m_shortcut = b.linear(at("conv_shortcut"), in, out, true, true);
}

Tensor KlResidualBlock::operator()(Tensor x) const {
    const Tensor residual = m_shortcut ? nn::linear(x, m_shortcut) : x;
    if (m_shortcut) normalise(x, m_norm1, m_groups);
    else x = nn::groupNorm(x, m_norm1, m_groups, eps, Activation::Silu);
    x = nn::conv(x, m_conv1);
    normalise(x, m_norm2, m_groups);
    return nn::conv(x, m_conv2, {.residual = residual});
}

KlAttention::KlAttention(std::string path, NetworkBuilder& b, int groups, int channels)
    : Module(std::move(path)), m_groups(groups) {
    const std::int64_t c = channels;
    const bool isOld = !b.source.has(at("to_q.weight")) && b.source.has(at("query.weight"));
    const auto name = [&](const char* now, const char* old) { return at(isOld ? old : now); };
    m_norm = b.norm(at("group_norm"), c);
    m_qkv = b.linearStack({{name("to_q", "query"), c}, {name("to_k", "key"), c}, {name("to_v", "value"), c}}, c, true,
                          b.compute);
    m_out = b.linear(name("to_out.0", "proj_attn"), c, c);
}

Tensor KlAttention::operator()(Tensor x) const {
    const Shape s = x.shape(), tokens{s[0], s[1] * s[2], s[3]};
    const auto [q, k, v] = nn::chunk<3>(nn::linear(nn::groupNorm(x, m_norm, m_groups, eps).reshaped(tokens), m_qkv));
    return nn::linear(nn::attend({.q = q, .k = k, .v = v, .heads = 1, .causal = false, .probabilities = {}}), m_out,
                      {.onto = x.reshaped(tokens)})
        .reshaped(s);
}

KlMiddle::KlMiddle(std::string path, NetworkBuilder& b, const KlConfig& config, int channels)
    : Module(std::move(path)),
      m_first(&add<KlResidualBlock>("resnets.0", b, config.groups, channels, channels, cells)),
      m_second(&add<KlResidualBlock>("resnets.1", b, config.groups, channels, channels, cells)) {
    if (config.hasAttention) m_attention = &add<KlAttention>("attentions.0", b, config.groups, channels);
}

Tensor KlMiddle::operator()(Tensor x) const {
    x = (*m_first)(std::move(x));
    if (m_attention) x = (*m_attention)(std::move(x));
    return (*m_second)(std::move(x));
}

KlEncoder::KlEncoder(std::string path, NetworkBuilder& b, const KlConfig& config)
    : Module(std::move(path)), m_groups(config.groups) {
    int in = config.encoder.front(), extent = cells * config.scale();
    m_convIn = b.conv(at("conv_in"), 3, in, 3, 1, 1, extent, extent);
    for (std::size_t i = 0; i < config.encoder.size(); ++i) {
        const std::string block = numbered("down_blocks.", i);
        Level level;
        for (int j = 0; j < config.layers; ++j, in = config.encoder[i])
            level.blocks.push_back(&add<KlResidualBlock>(block + numbered(".resnets.", std::size_t(j)), b, m_groups, in,
                                                         config.encoder[i], extent));
        if (i + 1 < config.encoder.size())
            level.downsample = b.conv(at(block + ".downsamplers.0.conv"), in, in, 3, 2, 0, extent + 1, extent + 1);
        extent /= 2;
        m_levels.push_back(std::move(level));
    }
    m_middle = &add<KlMiddle>("mid_block", b, config, in);
    m_normOut = b.norm(at("conv_norm_out"), in);
    m_convOut = b.conv(at("conv_out"), in, 2 * config.latentChannels, 3, 1, 1, cells, cells);
}

Tensor KlEncoder::fine(Tensor x) const {
    x = nn::conv(x, m_convIn);
    for (const Level& level : m_levels) {
        for (const auto* block : level.blocks) x = (*block)(std::move(x));
        if (!level.downsample) continue;
        x = paddedBelow(x);
        x = nn::conv(x, level.downsample);
    }
    return x;
}

Tensor KlEncoder::coarse(Tensor x) const {
    x = (*m_middle)(std::move(x));
    normalise(x, m_normOut, m_groups);
    return nn::conv(x, m_convOut);
}

KlDecoder::KlDecoder(std::string path, NetworkBuilder& b, const KlConfig& config)
    : Module(std::move(path)), m_groups(config.groups) {
    int in = config.decoder.back(), extent = cells;
    m_convIn = b.conv(at("conv_in"), config.latentChannels, in, 3, 1, 1, cells, cells);
    m_middle = &add<KlMiddle>("mid_block", b, config, in);
    const std::size_t levels = config.decoder.size();
    for (std::size_t i = 0; i < levels; ++i) {
        const int out = config.decoder[levels - 1 - i];
        const std::string block = numbered("up_blocks.", i);
        Level level;
        for (int j = 0; j < config.layers + 1; ++j, in = out)
            level.blocks.push_back(
                &add<KlResidualBlock>(block + numbered(".resnets.", std::size_t(j)), b, m_groups, in, out, extent));
        if (i + 1 < levels) {
            extent *= 2;
            level.upsample = b.conv(at(block + ".upsamplers.0.conv"), out, out, 3, 1, 1, extent, extent);
        }
        m_levels.push_back(std::move(level));
    }
    m_normOut = b.norm(at("conv_norm_out"), in);
    m_convOut = b.conv(at("conv_out"), in, 3, 3, 1, 1, extent, extent);
}

Tensor KlDecoder::coarse(const Tensor& latents) const { return (*m_middle)(nn::conv(latents, m_convIn)); }

Tensor KlDecoder::fine(Tensor x) const {
    for (const Level& level : m_levels) {
        for (const auto* block : level.blocks) x = (*block)(std::move(x));
        if (!level.upsample) continue;
        x = nn::upsample2(x);
        x = nn::conv(x, level.upsample);
    }
    normalise(x, m_normOut, m_groups);
    return nn::conv(x, m_convOut);
}

}  // namespace meander
