#include "engine/models/architectures/unet.h"

#include <algorithm>
#include <stdexcept>

#include "engine/models/architectures/architecture.h"

namespace meander {

using nn::Activation;
using nn::Pass;

namespace {
constexpr const char* added = "added";  // embedding of pooled text and sizes
}

UNet::UNet(const UNetConfig& config, NetworkBuilder& b) : m_config(config), m_backend(b.backend), m_type(b.compute) {
    const int first = config.down.front().channels, wide = 4 * first;
    UNetLayout layout{b, config.normGroups, config.normEps, config.linearProjection};
    std::vector<int> skips{first};
    m_convIn = b.conv("conv_in", config.inChannels, first, 3, 1, 1, config.sampleHeight, config.sampleWidth);
    m_time1 = b.linearF32("time_embedding.linear_1", first, wide);
    m_time2 = b.linearF32("time_embedding.linear_2", wide, wide);
    if (config.guidanceWidth > 0)
        m_guidance = b.linearF32("time_embedding.cond_proj", config.guidanceWidth, first, false);
    if (config.addedWidth > 0) {
        m_added1 = b.linearF32("add_embedding.linear_1", config.addedWidth, wide);
        m_added2 = b.linearF32("add_embedding.linear_2", wide, wide);
    }
    buildDown(layout, skips);
    buildMiddle(layout);
    buildUp(layout, skips);
    listLevels();
    numberBlocks();
    m_normOut = b.norm("conv_norm_out", first);
    m_convOut = b.conv("conv_out", first, config.outChannels, 3, 1, 1, config.sampleHeight, config.sampleWidth);
    m_timeAll = b.linearStack(layout.time, wide, true, DType::F32);
    if (!layout.text.empty()) m_textAll = b.linearStack(layout.text, config.crossAttentionWidth, false, m_type);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

void UNet::buildDown(UNetLayout& layout, std::vector<int>& skips) {
    int in = m_config.down.front().channels;
    for (int i = 0; i < int(m_config.down.size()); ++i) {
        const UNetBlockConfig& c = m_config.down[std::size_t(i)];
        auto& stage = add<ResolutionStage>("down_blocks." + std::to_string(i));
        for (int j = 0; j < c.layers; ++j, in = c.channels) {
            const std::string n = std::to_string(j);
            stage.residual.push_back(&stage.add<ResidualBlock>("resnets." + n, layout, in, c.channels, grid(i)));
            if (c.attention)
                stage.attention.push_back(&stage.add<SpatialTransformer>("attentions." + n, layout, c.channels, c.heads,
                                                                         c.transformerLayers[std::size_t(j)], 1 << i));
            skips.push_back(c.channels);
        }
        if (i + 1 < int(m_config.down.size())) {
            stage.resample = layout.builder.conv(stage.at("downsamplers.0.conv"), c.channels, c.channels, 3, 2,
                                                 m_config.downsamplePadding, grid(i).height, grid(i).width);
            skips.push_back(c.channels);
        }
        m_down.push_back(&stage);
    }
}

void UNet::buildMiddle(UNetLayout& layout) {
    const int channels = m_config.down.back().channels, level = int(m_config.down.size()) - 1;
    auto& stage = add<ResolutionStage>("mid_block");
    const auto addResidual = [&](const char* name) {
        stage.residual.push_back(
            &stage.add<ResidualBlock>(name, layout, channels, channels, grid(level), m_config.midScale));
    };
    m_middle = &stage;
    addResidual("resnets.0");
    if (!m_config.midAttention) return;
    stage.attention.push_back(&stage.add<SpatialTransformer>("attentions.0", layout, channels, m_config.midHeads,
                                                             m_config.midTransformerLayers, 1 << level));
    addResidual("resnets.1");
}

void UNet::buildUp(UNetLayout& layout, std::vector<int>& skips) {
    const int levels = int(m_config.up.size()), first = m_config.down.front().channels;
    int in = m_config.up.front().channels;
    for (int i = 0; i < levels; ++i) {
        const UNetBlockConfig& c = m_config.up[std::size_t(i)];
        const int level = levels - 1 - i;
        auto& stage = add<ResolutionStage>("up_blocks." + std::to_string(i));
        for (int j = 0; j < c.layers + 1; ++j, in = c.channels) {
            if (skips.empty())
                throw Failure(
                    "The U-Net has fewer blocks on its way down than on its way up; its configuration is damaged.");
            const std::string n = std::to_string(j);
            stage.skips.push_back(
                &stage.add({nn::SiteKind::Skip, "resnets." + n, i, 1, 1 << level, 0, double(in) / first}));
            stage.residual.push_back(
                &stage.add<ResidualBlock>("resnets." + n, layout, in + skips.back(), c.channels, grid(level)));
            skips.pop_back();
            if (c.attention)
                stage.attention.push_back(&stage.add<SpatialTransformer>(
                    "attentions." + n, layout, c.channels, c.heads, c.transformerLayers[std::size_t(j)], 1 << level));
        }
        if (i + 1 < levels)
            stage.resample = layout.builder.conv(stage.at("upsamplers.0.conv"), c.channels, c.channels, 3, 1, 1,
                                                 2 * grid(level).height, 2 * grid(level).width);
        m_up.push_back(&stage);
    }
}

// silu(time embedding) through the projections of all residual blocks at once: (rows, Σ channels).
Tensor UNet::timeProjections(const DenoiserInput& in) const {
    Tensor waves = nn::timestepEmbedding(m_backend, in.times, m_config.down.front().channels, m_config.cosFirst,
                                         m_config.frequencyShift);
    if (m_guidance && !in.guidance.empty()) waves = withGuidance(waves, in.guidance);
    const Tensor hidden = nn::linear(waves, m_time1, {.activation = Activation::Silu});
    if (!m_added1) return nn::linear(nn::linear(hidden, m_time2, {.activation = Activation::Silu}), m_timeAll);
    const Tensor embedding = nn::add(nn::linear(hidden, m_time2), in.conditions.at(added));
    return nn::linear(nn::silu(embedding), m_timeAll);
}

// The pooled text and sinusoids of each size, projected (Podell et al. 2023).
Tensor UNet::addedEmbedding(const Conditions& raw) const {
    const std::vector<double> sizes = download(raw.at(condition::size)).toDoubles();
    const int waves = m_config.addedTimeWidth;
    const Tensor numbers = nn::timestepEmbedding(m_backend, sizes, waves, m_config.cosFirst, m_config.frequencyShift)
                               .reshaped({1, std::int64_t(sizes.size()) * waves});
    const Tensor all = nn::concat(raw.at(condition::pooled), numbers);
    if (all.shape()[1] != m_config.addedWidth)
        throw Failure("The text encoders and sizes give a vector of " + std::to_string(all.shape()[1])
                      + " numbers, but the U-Net expects " + std::to_string(m_config.addedWidth)
                      + ". The parts of this model do not belong together.");
    return nn::linear(nn::linear(all, m_added1, {.activation = Activation::Silu}), m_added2);
}

// Adds the embedding of its guidance scale w to the rows that have one: sinusoids of 1000 (w − 1), projected (Meng et
// al. 2023; Luo et al. 2023).
Tensor UNet::withGuidance(const Tensor& waves, std::span<const std::optional<double>> guidance) const {
    std::vector<double> scales(guidance.size()), weights(guidance.size()), ones(guidance.size(), 1.0);
    for (std::size_t r = 0; r < guidance.size(); ++r)
        if (guidance[r]) {
            scales[r] = 1000 * (*guidance[r] - 1);
            weights[r] = 1;
        }
    const Tensor values[] = {
        waves, nn::linear(nn::timestepEmbedding(m_backend, scales, m_config.guidanceWidth, false, 1), m_guidance)};
    const std::vector<double> factors[] = {ones, weights};
    return combineRows(values, factors);
}

Conditions UNet::prepare(const Conditions& raw) {
    const Tensor features = raw.at(condition::context);
    const std::int64_t tokens = features.shape()[1];
    Conditions prepared;
    if (!m_textAll) {
        prepared.tensors[condition::context] = Tensor(m_backend, {1, tokens, 1}, m_type);
    } else {
        if (features.shape()[2] != m_config.crossAttentionWidth)
            throw Failure("The text encoder gives " + std::to_string(features.shape()[2])
                          + " numbers per token, but the U-Net expects " + std::to_string(m_config.crossAttentionWidth)
                          + ". The parts of this model do not belong together.");
        prepared.tensors[condition::context] = nn::linear(features.converted(m_type), m_textAll);
    }
    if (m_added1) prepared.tensors[added] = addedEmbedding(raw);
    if (m_config.inChannels > m_config.outChannels)
        prepared.tensors[condition::image] = raw.at(condition::image).converted(DType::F32);
    return prepared;
}

Tensor UNet::forward(const DenoiserInput& in) {
    const Tensor x = in.conditions.has(condition::image) ? nn::concat(in.x, in.conditions.at(condition::image)) : in.x;
    const Tensor& context = in.conditions.at(condition::context);
    const Shape s = x.shape();
    const int factor = 1 << (m_config.down.size() - 1);
    if (s.rank() != 4 || s[3] != m_config.inChannels || std::int64_t(in.times.size()) != s[0] || context.rows() != s[0])
        throw std::invalid_argument("U-Net: the batch " + s.text() + " does not fit");
    if (s[1] % factor != 0 || s[2] % factor != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be halved often enough; both must be multiples of " + std::to_string(factor) + ".");
    const Pass pass({int(s[1]), int(s[2])}, {timeProjections(in)}, context, in.hooks);
    Tensor h = runTrunk(pass, m_trunk, nn::conv(x.converted(m_type), m_convIn));
    h = nn::groupNorm(h, m_normOut, m_config.normGroups, m_config.normEps, Activation::Silu);
    return nn::conv(h, m_convOut).converted(DType::F32);
}

void UNet::listLevels() {
    std::vector<Level> found{{}};  // the first skip connection is that of the first convolution
    for (const ResolutionStage* stage : m_down) {
        for (std::size_t j = 0; j < stage->residual.size(); ++j) found.push_back({.down = stage, .downLayer = j});
        if (stage->resample) found.push_back({.down = stage, .isResampled = true});
    }
    std::size_t level = found.size();
    for (const ResolutionStage* stage : m_up)
        for (std::size_t j = 0; j < stage->residual.size(); ++j) {
            Level& l = found[--level];
            l.up = stage;
            l.upLayer = j;
        }
    if (level != 0)
        throw Failure("The U-Net has more blocks on its way down than on its way up; its configuration is damaged.");
    for (const Level& l : found)
        m_trunk.sites.push_back(&add(trunkBelowSkip(int(m_trunk.sites.size()), l.up->skips[l.upLayer]->stride)));
    m_levels = std::move(found);
    m_trunk.down = [this](std::size_t i, const Pass& p, const Tensor& x) { return runDown(p, m_levels[i], x); };
    m_trunk.middle = [this](const Pass& p, const Tensor& x) { return runMiddle(p, x); };
    m_trunk.up = [this](std::size_t i, const Pass& p, Tensor x, Tensor skip) {
        return runUp(p, m_levels[i], std::move(x), std::move(skip));
    };
}

Tensor UNet::runDown(const Pass& pass, const Level& l, const Tensor& x) const {
    if (l.isResampled) return nn::conv(x, l.down->resample);
    const Tensor y = (*l.down->residual[l.downLayer])(pass, x);
    return l.down->attention.empty() ? y : (*l.down->attention[l.downLayer])(pass, y);
}

Tensor UNet::runMiddle(const Pass& pass, const Tensor& x) const {
    Tensor h = (*m_middle->residual[0])(pass, x);
    if (!m_config.midAttention) return h;
    h = (*m_middle->attention[0])(pass, h);
    return (*m_middle->residual[1])(pass, h);
}

Tensor UNet::runUp(const Pass& pass, const Level& l, Tensor x, Tensor skip) const {
    const Tensor joined = pass.join(*l.up->skips[l.upLayer], x, skip);
    x = skip = Tensor();  // give their memory to the block
    Tensor y = (*l.up->residual[l.upLayer])(pass, joined);
    if (!l.up->attention.empty()) y = (*l.up->attention[l.upLayer])(pass, y);
    const bool isLast = l.upLayer + 1 == l.up->residual.size();
    return isLast && l.up->resample ? nn::conv(nn::upsample2(y), l.up->resample) : y;
}

std::size_t UNet::bytesPerRow(int height, int width) const {
    return meander::bytesPerRow(m_config, height, width, sizeOf(m_type));
}

std::unique_ptr<UNet> makeRandomUNet(const UNetConfig& config, Backend& backend, DType type) {
    RandomWeights weights;
    NetworkBuilder builder(backend, weights, type);
    return std::make_unique<UNet>(config, builder);
}

namespace {

// Keys and values of all cross-attentions, per token.
std::int64_t textWidth(const UNetConfig& c) {
    std::int64_t width = 0;
    const auto add = [&](const UNetBlockConfig& b) {
        for (const int layers : b.attention ? b.transformerLayers : std::vector<int>())
            width += 2 * layers * b.channels;
    };
    for (const UNetBlockConfig& b : c.down) add(b);
    for (const UNetBlockConfig& b : c.up) add(b);
    return width + (c.midAttention ? 2 * c.midTransformerLayers * c.down.back().channels : 0);
}

// By the channels of the input beyond those of the state: as many are an image, one more is its mask.
ImageCondition imageConditionOf(const UNetConfig& c, const std::string& what) {
    const int more = c.inChannels - c.outChannels;
    if (more == 0) return ImageCondition::None;
    if (more == c.outChannels) return ImageCondition::Editing;
    if (more == c.outChannels + 1) return ImageCondition::Inpainting;
    throw Failure("The U-Net described in " + what + " has " + std::to_string(c.inChannels)
                  + " channels at its input and " + std::to_string(c.outChannels)
                  + " at its output. Meander knows models with as many, with an image (twice as many) or with an image "
                    "and a mask (one more).");
}

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    const UNetConfig c = unetConfig(config, what);
    info.imageCondition = imageConditionOf(c, what);
    describeUNet(c, info);
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<UNet>(unetConfig(config, what), builder);
}

}  // namespace

void describeUNet(const UNetConfig& c, ModelInfo& info) {
    info.state.shape = {c.sampleHeight, c.sampleWidth, c.outChannels};
    info.state.granule = 1 << (c.down.size() - 1);
    info.blocks = transformerBlocks(c);
    info.attention = crossAttentionsOf(info.blocks);
    info.bytesPerRow = bytesPerRow(c, c.sampleHeight, c.sampleWidth, sizeof(float));
    info.takesGuidance = c.guidanceWidth > 0;
    info.isUNet = true;
    info.trunks = int(c.down.size());  // the resamplers, and the first convolution
    for (const UNetBlockConfig& d : c.down) info.trunks += d.layers;
    info.contextWidth = textWidth(c);
}

const Architecture& unetArchitecture() {
    static const Architecture row{"UNet2DConditionModel", "U-Net with cross-attention", "clip", describe, build};
    return row;
}

}  // namespace meander
