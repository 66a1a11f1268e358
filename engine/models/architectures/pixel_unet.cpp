#include "engine/models/architectures/pixel_unet.h"

#include <stdexcept>

#include "engine/models/architectures/architecture.h"
#include "engine/models/architectures/transformer_config.h"

namespace meander {

using nn::Activation;

namespace {

[[noreturn]] void unsupported(const std::string& what, const std::string& why) {
    throw Failure("The U-Net described in " + what + " cannot be used yet: " + why + ".");
}

std::string numbered(const char* name, std::size_t i) { return name + std::to_string(i); }

// A row and a column of zeros below and to the right, for filters without padding.
Tensor paddedBelow(const Tensor& x) {
    const Shape s = x.shape();
    Tensor padded(x.backend(), {s[0], s[1] + 1, s[2] + 1, s[3]}, x.type());
    x.backend().fill(padded, 0);
    x.backend().copy(x, padded.view().slice(1, 0, s[1]).slice(2, 0, s[2]));
    return padded;
}

// The skip connections, and at the finest level a few tensors beside them.
std::size_t bytesOfRow(const PixelUNetConfig& c, int height, int width, std::size_t element) {
    std::size_t bytes = std::size_t(height) * std::size_t(width) * std::size_t(c.levels.front().channels) * 5;
    for (std::size_t i = 0; i < c.levels.size(); ++i)
        bytes += (std::size_t(height) >> i) * (std::size_t(width) >> i) * std::size_t(c.levels[i].channels)
                 * std::size_t(c.layers + 1);
    return bytes * element;
}

}  // namespace

PixelUNetConfig pixelUNetConfig(const Json& j, const std::string& what) {
    requireObject(j, what);
    for (const char* key : {"class_embed_type", "time_embedding_dim"})
        if (j.contains(key) && !j[key].is_null()) unsupported(what, "it has the setting '" + std::string(key) + "'");
    requireSetting(j, "time_embedding_type", "positional", what);
    requireSetting(j, "center_input_sample", false, what);
    PixelUNetConfig c;
    const std::vector<int> channels = extentsIn(j, "block_out_channels", {224, 448, 672, 896}, 1 << 14, what);
    const auto down = jsonTexts(j, "down_block_types",
                                {"DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"}, what),
               up = jsonTexts(j, "up_block_types", {"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"},
                              what);
    if (channels.empty() || channels.size() > 12 || down.size() != channels.size() || up.size() != channels.size())
        sizesDoNotFit(what);
    const bool downIsBlock = jsonText(j, "downsample_type", "conv", what) == "resnet",
               upIsBlock = jsonText(j, "upsample_type", "conv", what) == "resnet";
    c.headWidth = 0;
    if (j.contains("attention_head_dim") ? !j["attention_head_dim"].is_null() : true)
        c.headWidth = extentIn(j, "attention_head_dim", 8, 1 << 14, what);
    c.heads = int(jsonInteger(j, "attention_heads", 0, what));  // where they are as many at every level
    c.groups = extentIn(j, "norm_num_groups", 32, 4096, what);
    for (std::size_t i = 0; i < channels.size(); ++i) {
        const std::string &d = down[i], &u = up[channels.size() - 1 - i];
        for (const std::string& kind : {d, u})
            if (kind != "DownBlock2D" && kind != "AttnDownBlock2D" && kind != "ResnetDownsampleBlock2D"
                && kind != "UpBlock2D" && kind != "AttnUpBlock2D" && kind != "ResnetUpsampleBlock2D")
                unsupported(what, "it has blocks of the kind '" + kind + "'");
        const bool attends = d.starts_with("Attn"), attendsUp = u.starts_with("Attn");
        c.levels.push_back({channels[i], attends, attendsUp, d.starts_with("Resnet") || (attends && downIsBlock),
                            u.starts_with("Resnet") || (attendsUp && upIsBlock)});
        if (channels[i] < 1 || channels[i] % c.groups != 0
            || (attends && c.heads == 0 && c.headWidth > 0 && channels[i] % c.headWidth != 0)
            || (attends && c.heads > 0 && channels[i] % c.heads != 0))
            sizesDoNotFit(what);
    }
    c.inChannels = extentIn(j, "in_channels", 3, 4096, what);
    c.outChannels = extentIn(j, "out_channels", 3, 4096, what);
    const auto sizes = j.contains("sample_size") && j["sample_size"].is_array()
                           ? extentsIn(j, "sample_size", {64, 64}, 8192, what)
                           : std::vector<int>(2, extentIn(j, "sample_size", 64, 8192, what));
    c.height = sizes.front();
    c.width = sizes.back();
    c.layers = extentIn(j, "layers_per_block", 2, 64, what);
    c.downsamplePadding = int(jsonInteger(j, "downsample_padding", 1, what));
    if (j.contains("num_class_embeds") && !j["num_class_embeds"].is_null())
        c.classes = extentIn(j, "num_class_embeds", 1, 1 << 20, what);
    c.eps = float(jsonReal(j, "norm_eps", 1e-5, what));
    c.midScale = float(jsonReal(j, "mid_block_scale_factor", 1, what));
    c.hasMidAttention = jsonBool(j, "add_attention", true, what);
    c.cosFirst = jsonBool(j, "flip_sin_to_cos", true, what);
    c.frequencyShift = jsonReal(j, "freq_shift", 0, what);
    c.interleavesHeads = jsonBool(j, "interleaved_heads", false, what);  // of files of the authors of ADM
    const std::string shift = jsonText(j, "resnet_time_scale_shift", "default", what);
    if (shift != "default" && shift != "scale_shift") unsupported(what, "its time acts by '" + shift + "'");
    c.scales = shift == "scale_shift";
    // Where the time scales, diffusers leaves the norm of the middle attention out unless it is asked for.
    if (extentIn(j, "attn_norm_num_groups", c.scales && c.hasMidAttention ? 1 : c.groups, 4096, what) != c.groups)
        unsupported(what, "its middle attention has no norm, or one of other groups");
    const int factor = 1 << (channels.size() - 1);
    if (c.heads < 0 || c.downsamplePadding < 0 || c.downsamplePadding > 1 || c.height % factor != 0
        || c.width % factor != 0 || (c.outChannels != c.inChannels && c.outChannels != 2 * c.inChannels))
        sizesDoNotFit(what);
    return c;
}

PixelUNet::PixelUNet(const PixelUNetConfig& config, NetworkBuilder& b)
    : m_config(config), m_backend(b.backend), m_type(b.compute) {
    const int first = config.levels.front().channels, last = config.levels.back().channels, wide = config.timeWidth();
    const int level = int(config.levels.size()) - 1;
    PixelLayout layout{b,          config.groups, config.heads,           config.headWidth,
                       config.eps, config.scales, config.interleavesHeads};
    std::vector<int> skips{first};
    m_convIn = b.conv("conv_in", config.inChannels, first, 3, 1, 1, config.height, config.width);
    m_time1 = b.linearF32("time_embedding.linear_1", first, wide);
    m_time2 = b.linearF32("time_embedding.linear_2", wide, wide);
    if (config.classes > 0) m_classes = b.table("class_embedding.weight", {config.classes, wide});
    buildDown(layout, skips);
    auto& middle = add<PixelStage>("mid_block");
    for (const char* name : {"resnets.0", "resnets.1"})
        middle.residual.push_back(
            &middle.add<PixelBlock>(name, layout, last, last, grid(level), Resampling::None, config.midScale));
    if (config.hasMidAttention) middle.attention.push_back(&middle.add<PixelAttention>("attentions.0", layout, last));
    m_middle = &middle;
    buildUp(layout, skips);
    listLevels();
    m_normOut = b.norm("conv_norm_out", first);
    m_convOut = b.conv("conv_out", first, config.outChannels, 3, 1, 1, config.height, config.width);
    m_timeAll = b.linearStack(layout.time, wide, true, DType::F32);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

void PixelUNet::buildDown(PixelLayout& layout, std::vector<int>& skips) {
    int in = m_config.levels.front().channels;
    for (std::size_t i = 0; i < m_config.levels.size(); ++i) {
        const auto& c = m_config.levels[i];
        const int level = int(i), out = c.channels;
        auto& stage = add<PixelStage>(numbered("down_blocks.", i));
        for (int j = 0; j < m_config.layers; ++j, in = out) {
            stage.residual.push_back(
                &stage.add<PixelBlock>(numbered("resnets.", std::size_t(j)), layout, in, out, grid(level)));
            if (c.hasAttention)
                stage.attention.push_back(
                    &stage.add<PixelAttention>(numbered("attentions.", std::size_t(j)), layout, out));
            skips.push_back(out);
        }
        if (i + 1 < m_config.levels.size()) {
            if (c.downIsBlock)
                stage.block =
                    &stage.add<PixelBlock>("downsamplers.0", layout, out, out, grid(level + 1), Resampling::Halves);
            else
                stage.filter = layout.builder.conv(stage.at("downsamplers.0.conv"), out, out, 3, 2,
                                                   m_config.downsamplePadding, grid(level).height, grid(level).width);
            skips.push_back(out);
        }
        m_down.push_back(&stage);
    }
}

void PixelUNet::buildUp(PixelLayout& layout, std::vector<int>& skips) {
    const std::size_t levels = m_config.levels.size();
    int in = m_config.levels.back().channels;
    for (std::size_t i = 0; i < levels; ++i) {
        const int level = int(levels - 1 - i);
        const auto& c = m_config.levels[std::size_t(level)];
        const int out = c.channels;
        auto& stage = add<PixelStage>(numbered("up_blocks.", i));
        for (int j = 0; j < m_config.layers + 1; ++j, in = out) {
            stage.residual.push_back(&stage.add<PixelBlock>(numbered("resnets.", std::size_t(j)), layout,
                                                            in + skips.back(), out, grid(level)));
            skips.pop_back();
            if (c.hasAttentionUp)
                stage.attention.push_back(
                    &stage.add<PixelAttention>(numbered("attentions.", std::size_t(j)), layout, out));
        }
        if (level > 0) {
            if (c.upIsBlock)
                stage.block =
                    &stage.add<PixelBlock>("upsamplers.0", layout, out, out, grid(level - 1), Resampling::Doubles);
            else
                stage.filter = layout.builder.conv(stage.at("upsamplers.0.conv"), out, out, 3, 1, 1,
                                                   grid(level - 1).height, grid(level - 1).width);
        }
        m_up.push_back(&stage);
    }
}

void PixelUNet::listLevels() {
    m_levels.emplace_back();  // the first skip connection is that of the first convolution
    std::vector<int> strides{1};
    for (std::size_t i = 0; i < m_down.size(); ++i) {
        const std::size_t layers = m_down[i]->residual.size() + (i + 1 < m_down.size());
        for (std::size_t j = 0; j < layers; ++j) {
            m_levels.push_back({.down = m_down[i], .downLayer = j});
            strides.push_back(1 << (i + (j == m_down[i]->residual.size())));
        }
    }
    std::size_t level = m_levels.size();
    for (const PixelStage* stage : m_up)
        for (std::size_t j = 0; j < stage->residual.size(); ++j) {
            m_levels[--level].up = stage;
            m_levels[level].upLayer = j;
        }
    for (std::size_t i = 0; i < m_levels.size(); ++i) m_trunk.sites.push_back(&add(trunkBelowSkip(int(i), strides[i])));
    m_trunk.down = [this](std::size_t i, const nn::Pass& p, const Tensor& x) { return runDown(p, m_levels[i], x); };
    m_trunk.middle = [this](const nn::Pass& p, const Tensor& x) { return runMiddle(p, x); };
    m_trunk.up = [this](std::size_t i, const nn::Pass& p, Tensor x, Tensor skip) {
        return runUp(p, m_levels[i], std::move(x), std::move(skip));
    };
}

Conditions PixelUNet::prepare(const Conditions& raw) {
    if (!m_classes) return {};
    if (!raw.has(condition::label)) {
        const Tensor none(m_backend, {1, m_config.timeWidth()});
        m_backend.fill(none, 0);
        return {{{condition::label, none}}};
    }
    const int label[] = {int(download(raw.at(condition::label)).at(0))};
    if (label[0] < 0 || label[0] >= m_config.classes)
        throw Failure("The network has no class " + std::to_string(label[0]) + ".");
    return {{{condition::label, nn::embedding(label, m_classes)}}};
}

// silu(time + class) through the projections of all residual blocks at once: (rows, Σ).
Tensor PixelUNet::timeProjections(const DenoiserInput& in) const {
    const Tensor waves = nn::timestepEmbedding(m_backend, in.times, m_config.levels.front().channels, m_config.cosFirst,
                                               m_config.frequencyShift),
                 hidden = nn::linear(waves, m_time1, {.activation = Activation::Silu});
    const Tensor embedding = m_classes
                                 ? nn::linear(hidden, m_time2, {.onto = in.conditions.at(condition::label).clone()})
                                 : nn::linear(hidden, m_time2);
    return nn::linear(nn::silu(embedding), m_timeAll);
}

Tensor PixelUNet::halved(const Tensor& x, const PixelStage& stage, const nn::Pass& pass) const {
    if (stage.block) return (*stage.block)(pass, x);
    return nn::conv(m_config.downsamplePadding == 0 ? paddedBelow(x) : x, stage.filter);
}

static Tensor runLayer(const nn::Pass& pass, const PixelStage& stage, std::size_t j, const Tensor& x) {
    const Tensor y = (*stage.residual[j])(pass, x);
    return stage.attention.empty() ? y : (*stage.attention[j])(pass, y);
}

Tensor PixelUNet::runDown(const nn::Pass& pass, const Level& l, const Tensor& x) const {
    return l.downLayer < l.down->residual.size() ? runLayer(pass, *l.down, l.downLayer, x) : halved(x, *l.down, pass);
}

Tensor PixelUNet::runMiddle(const nn::Pass& pass, const Tensor& x) const {
    return (*m_middle->residual[1])(pass, runLayer(pass, *m_middle, 0, x));
}

Tensor PixelUNet::runUp(const nn::Pass& pass, const Level& l, Tensor x, Tensor skip) const {
    const Tensor joined = nn::concat(x, skip);
    x = skip = Tensor();  // give their memory to the block
    const Tensor y = runLayer(pass, *l.up, l.upLayer, joined);
    if (l.upLayer + 1 < l.up->residual.size()) return y;
    if (l.up->block) return (*l.up->block)(pass, y);
    return l.up->filter ? nn::conv(nn::upsample2(y), l.up->filter) : y;
}

Tensor PixelUNet::forward(const DenoiserInput& in) {
    const Shape s = in.x.shape();
    const int factor = 1 << (m_config.levels.size() - 1);
    if (s.rank() != 4 || s[3] != m_config.inChannels || std::int64_t(in.times.size()) != s[0]
        || (m_classes && in.conditions.at(condition::label).rows() != s[0]))
        throw std::invalid_argument("U-Net: the batch " + s.text() + " does not fit");
    if (s[1] % factor != 0 || s[2] % factor != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be halved often enough; both must be multiples of " + std::to_string(factor) + ".");
    const nn::Pass pass({int(s[1]), int(s[2])}, {timeProjections(in)}, {}, in.hooks);
    Tensor x = runTrunk(pass, m_trunk, nn::conv(in.x.converted(m_type), m_convIn));
    x = nn::conv(nn::groupNorm(x, m_normOut, m_config.groups, m_config.eps, Activation::Silu), m_convOut);
    if (m_config.outChannels > m_config.inChannels) x = nn::columns(x, 0, m_config.inChannels);  // without variances
    return x.converted(DType::F32);
}

std::size_t PixelUNet::bytesPerRow(int height, int width) const {
    return bytesOfRow(m_config, height, width, sizeOf(m_type));
}

namespace {

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    const PixelUNetConfig c = pixelUNetConfig(config, what);
    info.state.shape = {c.height, c.width, c.inChannels};
    info.state.granule = 1 << (c.levels.size() - 1);
    info.isUNet = true;
    info.trunks = int(c.levels.size()) * (c.layers + 1);  // the layers, the resamplers, and the first convolution
    info.bytesPerRow = bytesOfRow(c, c.height, c.width, sizeof(float));
    if (c.classes == 0) return;
    info.conditioning = ConditioningKind::Class;
    for (int i = 0; i < c.classes; ++i) info.classes.push_back(std::to_string(i));
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<PixelUNet>(pixelUNetConfig(config, what), builder);
}

}  // namespace

const Architecture& pixelUnetArchitecture() {
    static const Architecture row{"UNet2DModel", "U-Net of pixels", "", describe, build};
    return row;
}

}  // namespace meander
