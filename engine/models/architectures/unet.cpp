#include "engine/models/architectures/unet.h"

#include <algorithm>
#include <stdexcept>

#include "engine/models/layers/free_u.h"

namespace meander {

using kernels::Activation;
using kernels::Epilogue;

UNet::UNet(const UNetConfig& config, NetworkBuilder& b) : m_config(config), m_backend(b.backend), m_type(b.compute) {
    const int first = config.down.front().channels, wide = 4 * first;
    SharedProjections shared;
    std::vector<int> skips{first};
    m_convIn = b.conv("conv_in", config.inChannels, first, 3, 1, 1, config.sampleHeight, config.sampleWidth);
    m_time1 = b.linearF32("time_embedding.linear_1", first, wide);
    m_time2 = b.linearF32("time_embedding.linear_2", wide, wide);
    if (config.guidanceWidth > 0)
        m_guidance = b.linearF32("time_embedding.cond_proj", config.guidanceWidth, first, false);
    buildDown(b, shared, skips);
    buildMiddle(b, shared);
    buildUp(b, shared, skips);
    m_normOut = b.norm("conv_norm_out", first);
    m_convOut = b.conv("conv_out", first, config.outChannels, 3, 1, 1, config.sampleHeight, config.sampleWidth);
    m_timeAll = b.linearStack(shared.time, wide, true, DType::F32);
    m_timeWidth = shared.timeWidth;
    m_textWidth = shared.textWidth;
    if (!shared.text.empty()) m_textAll = b.linearStack(shared.text, config.crossAttentionWidth, false, m_type);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

void UNet::buildDown(NetworkBuilder& b, SharedProjections& shared, std::vector<int>& skips) {
    int in = m_config.down.front().channels, height = m_config.sampleHeight, width = m_config.sampleWidth;
    for (std::size_t i = 0; i < m_config.down.size(); ++i) {
        const UNetBlockConfig& c = m_config.down[i];
        const std::string name = "down_blocks." + std::to_string(i);
        ResolutionStage level;
        for (int j = 0; j < c.layers; ++j, in = c.channels) {
            level.residual.emplace_back(b, name + ".resnets." + std::to_string(j), in, c.channels, m_config.normGroups,
                                        m_config.normEps, 1.0f, height, width, shared);
            if (c.attention)
                level.attention.emplace_back(b, name + ".attentions." + std::to_string(j), c.channels, c.heads,
                                             c.transformerLayers, m_config.normGroups, m_config.linearProjection,
                                             shared);
            skips.push_back(c.channels);
        }
        while (m_sites.size() < shared.sites.size()) m_sites.push_back({shared.sites[m_sites.size()], c.heads, int(i)});
        if (i + 1 < m_config.down.size()) {
            level.resample = b.conv(name + ".downsamplers.0.conv", c.channels, c.channels, 3, 2,
                                    m_config.downsamplePadding, height, width);
            skips.push_back(c.channels);
            height /= 2;
            width /= 2;
        }
        m_down.push_back(std::move(level));
    }
}

void UNet::buildMiddle(NetworkBuilder& b, SharedProjections& shared) {
    const int channels = m_config.down.back().channels, levels = int(m_config.down.size());
    const int height = m_config.sampleHeight >> (levels - 1), width = m_config.sampleWidth >> (levels - 1);
    m_middleResidual.emplace_back(b, "mid_block.resnets.0", channels, channels, m_config.normGroups, m_config.normEps,
                                  m_config.midScale, height, width, shared);
    m_middleAttention.emplace_back(b, "mid_block.attentions.0", channels, m_config.midHeads,
                                   m_config.midTransformerLayers, m_config.normGroups, m_config.linearProjection,
                                   shared);
    m_middleResidual.emplace_back(b, "mid_block.resnets.1", channels, channels, m_config.normGroups, m_config.normEps,
                                  m_config.midScale, height, width, shared);
    while (m_sites.size() < shared.sites.size())
        m_sites.push_back({shared.sites[m_sites.size()], m_config.midHeads, levels - 1});
}

void UNet::buildUp(NetworkBuilder& b, SharedProjections& shared, std::vector<int>& skips) {
    const int levels = int(m_config.up.size());
    int in = m_config.up.front().channels;
    for (int i = 0; i < levels; ++i) {
        const UNetBlockConfig& c = m_config.up[std::size_t(i)];
        const std::string name = "up_blocks." + std::to_string(i);
        const int down = levels - 1 - i, height = m_config.sampleHeight >> down, width = m_config.sampleWidth >> down;
        ResolutionStage level;
        for (int j = 0; j < c.layers + 1; ++j, in = c.channels) {
            if (skips.empty())
                throw Failure(
                    "The U-Net has fewer blocks on its way down than on its way up; its configuration is damaged.");
            level.residual.emplace_back(b, name + ".resnets." + std::to_string(j), in + skips.back(), c.channels,
                                        m_config.normGroups, m_config.normEps, 1.0f, height, width, shared);
            skips.pop_back();
            if (c.attention)
                level.attention.emplace_back(b, name + ".attentions." + std::to_string(j), c.channels, c.heads,
                                             c.transformerLayers, m_config.normGroups, m_config.linearProjection,
                                             shared);
        }
        while (m_sites.size() < shared.sites.size()) m_sites.push_back({shared.sites[m_sites.size()], c.heads, down});
        if (i + 1 < levels)
            level.resample =
                b.conv(name + ".upsamplers.0.conv", c.channels, c.channels, 3, 1, 1, 2 * height, 2 * width);
        m_up.push_back(std::move(level));
    }
}

// silu(time embedding) through the projections of all residual blocks at once: (rows, Σ channels).
Tensor UNet::timeProjections(std::span<const double> times, const RowInterventions* changes) const {
    const std::int64_t rows = std::int64_t(times.size()), first = m_config.down.front().channels;
    Tensor waves(m_backend, {rows, first}), hidden(m_backend, {rows, 4 * first}),
        embedding(m_backend, {rows, 4 * first}), all(m_backend, {rows, m_timeWidth});
    m_backend.timestepEmbedding(times, int(first), m_config.cosFirst, m_config.frequencyShift, 10000, waves);
    if (m_guidance && changes) waves = withGuidance(waves, *changes);
    Epilogue silu;
    silu.activation = Activation::Silu;
    m_backend.linear(waves, *m_time1, hidden, silu);
    m_backend.linear(hidden, *m_time2, embedding, silu);
    m_backend.linear(embedding, *m_timeAll, all);
    return all;
}

// Adds what the network makes of its guidance scale w to the rows that are told one: sinusoids of 1000 (w − 1),
// projected (Meng et al. 2023; Luo et al. 2023).
Tensor UNet::withGuidance(const Tensor& waves, const RowInterventions& changes) const {
    const std::int64_t rows = waves.rows();
    std::vector<double> scales(static_cast<std::size_t>(rows)), told(scales.size()), ones(scales.size(), 1.0);
    for (std::int64_t r = 0; r < rows; ++r)
        if (const auto w = changes.guidance(r)) {
            scales[std::size_t(r)] = 1000 * (*w - 1);
            told[std::size_t(r)] = 1;
        }
    Tensor sinusoids(m_backend, {rows, m_config.guidanceWidth}), projected(m_backend, waves.shape());
    m_backend.timestepEmbedding(scales, m_config.guidanceWidth, false, 1, 10000, sinusoids);
    m_backend.linear(sinusoids, *m_guidance, projected);
    const Tensor values[] = {waves, projected};
    const std::vector<double> factors[] = {ones, told};
    return combineRows(values, factors);
}

Tensor UNet::prepareText(const Tensor& features) {
    if (!m_textAll) return Tensor(m_backend, {1, features.shape()[0], 1}, m_type);
    if (features.shape()[1] != m_config.crossAttentionWidth)
        throw Failure("The text encoder gives " + std::to_string(features.shape()[1])
                      + " numbers per token, but the U-Net expects " + std::to_string(m_config.crossAttentionWidth)
                      + ". The parts of this model do not belong together.");
    Tensor all(m_backend, {features.shape()[0], m_textWidth}, m_type);
    m_backend.linear(features.converted(m_type), *m_textAll, all);
    return all.reshaped({1, features.shape()[0], m_textWidth});
}

Tensor UNet::forward(const Tensor& x, std::span<const double> times, const Tensor& text, AttentionCapture* capture,
                     const RowInterventions* changes) {
    const Shape s = x.shape();
    const int factor = 1 << (m_config.down.size() - 1);
    if (s.rank() != 4 || s[3] != m_config.inChannels || std::int64_t(times.size()) != s[0] || text.rows() != s[0])
        throw std::invalid_argument("U-Net: the batch " + s.text() + " does not fit");
    if (s[1] % factor != 0 || s[2] % factor != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be halved often enough; both must be multiples of " + std::to_string(factor) + ".");
    const Tensor time = timeProjections(times, changes);
    const UNetPass pass{m_backend, m_type, time, text, capture, changes};
    Tensor hidden(m_backend, {s[0], s[1], s[2], m_config.down.front().channels}, m_type);
    m_backend.conv2d(x.converted(m_type), *m_convIn, hidden);
    std::vector<Tensor> skips{hidden};
    runDown(pass, hidden, skips);
    hidden = m_middleResidual[0](pass, hidden);
    hidden = m_middleAttention[0](pass, hidden);
    hidden = m_middleResidual[1](pass, hidden);
    runUp(pass, hidden, skips);
    Tensor normed(m_backend, hidden.shape(), m_type), out(m_backend, {s[0], s[1], s[2], m_config.outChannels}, m_type);
    m_backend.groupNorm(hidden, m_normOut.gamma, m_normOut.beta, m_config.normGroups, m_config.normEps,
                        Activation::Silu, normed);
    m_backend.conv2d(normed, *m_convOut, out);
    return out.converted(DType::F32);
}

void UNet::runDown(const UNetPass& pass, Tensor& x, std::vector<Tensor>& skips) const {
    for (const ResolutionStage& level : m_down) {
        for (std::size_t j = 0; j < level.residual.size(); ++j) {
            x = level.residual[j](pass, x);
            if (!level.attention.empty()) x = level.attention[j](pass, x);
            skips.push_back(x);
        }
        if (!level.resample) continue;
        Tensor smaller(pass.backend, {x.shape()[0], x.shape()[1] / 2, x.shape()[2] / 2, x.shape()[3]}, pass.type);
        pass.backend.conv2d(x, *level.resample, smaller);
        x = smaller;
        skips.push_back(x);
    }
}

void UNet::runUp(const UNetPass& pass, Tensor& x, std::vector<Tensor>& skips) const {
    for (const ResolutionStage& level : m_up) {
        for (std::size_t j = 0; j < level.residual.size(); ++j) {
            if (pass.changes)
                freeU(*pass.changes, {int(&level - m_up.data()), double(x.shape()[3]) / m_config.down.front().channels},
                      x, skips.back());
            Tensor joined(pass.backend,
                          {x.shape()[0], x.shape()[1], x.shape()[2], x.shape()[3] + skips.back().shape()[3]},
                          pass.type);
            pass.backend.concatLast(x, skips.back(), joined);
            skips.pop_back();
            x = Tensor();  // gives its memory to the block
            x = level.residual[j](pass, joined);
            if (!level.attention.empty()) x = level.attention[j](pass, x);
        }
        if (!level.resample) continue;
        Tensor larger(pass.backend, {x.shape()[0], 2 * x.shape()[1], 2 * x.shape()[2], x.shape()[3]}, pass.type);
        pass.backend.upsampleNearest2(x, larger);
        x = Tensor(pass.backend, larger.shape(), pass.type);
        pass.backend.conv2d(larger, *level.resample, x);
    }
}

std::vector<TapSite> UNet::sites(int height, int width, int tokens) const {
    std::vector<TapSite> sites;
    for (const auto& s : m_sites) sites.push_back({s.path, s.heads, height >> s.level, width >> s.level, tokens});
    return sites;
}

std::size_t UNet::bytesPerRow(int height, int width) const {
    return meander::bytesPerRow(m_config, height, width, sizeOf(m_type));
}

std::unique_ptr<UNet> makeRandomUNet(const UNetConfig& config, Backend& backend, DType type) {
    RandomWeights weights;
    NetworkBuilder builder(backend, weights, type);
    return std::make_unique<UNet>(config, builder);
}

}  // namespace meander
