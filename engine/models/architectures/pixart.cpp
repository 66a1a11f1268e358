#include "engine/models/architectures/pixart.h"

#include <algorithm>
#include <stdexcept>

#include "engine/models/architectures/architecture.h"
#include "engine/models/layers/positions.h"

namespace meander {

using nn::Activation;

namespace {

int sizeIn(const Json& j, const char* key, int fallback, int largest, const std::string& what) {
    const std::int64_t v = jsonInteger(j, key, fallback, what);
    if (v < 1 || v > largest)
        throw Failure("The entry '" + std::string(key) + "' of " + what + " is " + std::to_string(v)
                      + ", which is not possible. The file may be damaged.");
    return int(v);
}

void requireDefault(const Json& j, const char* key, const Json& usual, const std::string& what) {
    if (j.contains(key) && !j[key].is_null() && j[key] != usual)
        throw Failure("The transformer described in " + what + " cannot be used yet: its setting '" + std::string(key)
                      + "' is " + j[key].dump() + ", and Meander only knows " + usual.dump() + ".");
}

}  // namespace

PixArtConfig pixArtConfig(const Json& j, const std::string& what) {
    if (!j.is_object()) throw Failure("The file " + what + " does not describe a network.");
    requireDefault(j, "norm_type", "ada_norm_single", what);
    requireDefault(j, "activation_fn", "gelu-approximate", what);
    requireDefault(j, "attention_bias", true, what);
    requireDefault(j, "norm_elementwise_affine", false, what);
    requireDefault(j, "attention_type", "default", what);
    PixArtConfig c;
    c.heads = sizeIn(j, "num_attention_heads", c.heads, 1024, what);
    c.headWidth = sizeIn(j, "attention_head_dim", c.headWidth, 4096, what);
    c.layers = sizeIn(j, "num_layers", c.layers, 512, what);
    c.patch = sizeIn(j, "patch_size", c.patch, 64, what);
    c.inChannels = sizeIn(j, "in_channels", c.inChannels, 4096, what);
    c.outChannels = sizeIn(j, "out_channels", c.inChannels, 4096, what);
    c.sampleSize = sizeIn(j, "sample_size", 128, 8192, what);
    c.captionWidth = sizeIn(j, "caption_channels", 4096, 65536, what);
    c.interpolationScale = jsonReal(j, "interpolation_scale", std::max(c.sampleSize / 64, 1), what);
    c.takesSize = jsonBool(j, "use_additional_conditions", c.sampleSize == 128, what);  // as diffusers reads it
    if (c.width() % 4 != 0 || (c.takesSize && c.width() % 3 != 0) || c.width() > 65536 || c.sampleSize % c.patch != 0
        || !(c.interpolationScale > 0))
        throw Failure("The sizes in " + what + " do not fit together. The file may be damaged.");
    return c;
}

std::vector<TapSite> transformerBlocks(const PixArtConfig& c) {
    const int side = c.sampleSize / c.patch;
    std::vector<TapSite> blocks;
    for (int i = 0; i < c.layers; ++i)
        blocks.push_back({"transformer_blocks." + std::to_string(i), c.heads, side, side, side * side});
    return blocks;
}

// Tokens, their normalised copy, the attention output and the feed-forward.
std::size_t bytesPerRow(const PixArtConfig& c, int height, int width, std::size_t element) {
    return std::size_t(height / c.patch) * std::size_t(width / c.patch) * std::size_t(c.width()) * 7 * element;
}

PixArt::PixArt(const PixArtConfig& config, NetworkBuilder& b)
    : m_config(config), m_backend(b.backend), m_type(b.compute) {
    const std::int64_t w = config.width();
    const ModulatedBlockNames names{.qkv = {"attn1.to_q", "attn1.to_k", "attn1.to_v"},
                                    .attention = "attn1",
                                    .selfOut = "attn1.to_out.0",
                                    .query = "attn2.to_q",
                                    .crossAttention = "attn2",
                                    .crossOut = "attn2.to_out.0",
                                    .feedForward = "ff",
                                    .up = "ff.net.0.proj",
                                    .down = "ff.net.2",
                                    .table = "scale_shift_table"};
    m_patches = b.patchEmbedding("pos_embed.proj", config.inChannels, config.patch, w);
    m_time1 = b.linearF32("adaln_single.emb.timestep_embedder.linear_1", 256, w);
    m_time2 = b.linearF32("adaln_single.emb.timestep_embedder.linear_2", w, w);
    if (const std::int64_t third = w / 3; config.takesSize) {
        const auto read = [&](const char* name, std::int64_t in) {
            return b.linearF32("adaln_single.emb." + std::string(name), in, third);
        };
        m_resolution1 = read("resolution_embedder.linear_1", 256);
        m_resolution2 = read("resolution_embedder.linear_2", third);
        m_aspect1 = read("aspect_ratio_embedder.linear_1", 256);
        m_aspect2 = read("aspect_ratio_embedder.linear_2", third);
    }
    m_modulation = b.linearF32("adaln_single.linear", w, 6 * w);
    m_caption1 = b.linear("caption_projection.linear_1", config.captionWidth, w);
    m_caption2 = b.linear("caption_projection.linear_2", w, w);
    std::vector<NetworkBuilder::Part> text;
    for (int i = 0; i < config.layers; ++i) {
        const std::string name = "transformer_blocks." + std::to_string(i);
        m_blocks.push_back(&add<ModulatedBlock>(name, b, names, w, config.heads, config.patch, 0, 2 * w * i));
        m_trunk.sites.push_back(&add(trunkSite(i, config.patch)));
        text.emplace_back(name + ".attn2.to_k", w);
        text.emplace_back(name + ".attn2.to_v", w);
    }
    numberBlocks();
    m_trunk.run = [this](std::size_t i, const nn::Pass& p, const Tensor& x) { return (*m_blocks[i])(p, x); };
    m_trunk.start = [this](std::size_t i, const nn::Pass& p, const Tensor& x) { return m_blocks[i]->start(p, x); };
    m_textAll = b.linearStack(text, w, true, m_type);
    m_outputTable = b.table("scale_shift_table", {2, w});
    // A model with a learned variance has twice the channels; the second half is not read.
    const int kept = config.outChannels == 2 * config.inChannels ? config.inChannels : config.outChannels;
    m_output = b.patchProjection("proj_out", w, config.patch, config.outChannels, kept);
    m_config.outChannels = kept;
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

Conditions PixArt::prepare(const Conditions& raw) {
    const Tensor& features = raw.at(condition::context);
    if (features.shape()[2] != m_config.captionWidth)
        throw Failure("The text encoder gives " + std::to_string(features.shape()[2])
                      + " numbers per token, but the transformer expects " + std::to_string(m_config.captionWidth)
                      + ". The parts of this model do not belong together.");
    const Tensor hidden = nn::linear(features.converted(m_type), m_caption1, {.activation = Activation::GeluTanh});
    Conditions prepared{{{condition::context, nn::linear(nn::linear(hidden, m_caption2), m_textAll)}}};
    if (m_config.takesSize) prepared.tensors[condition::size] = sizeEmbedding(raw.at(condition::size));
    return prepared;
}

// Embeddings of height, width and aspect ratio behind each other (Chen et al. 2023, after SDXL's).
Tensor PixArt::sizeEmbedding(const Tensor& size) const {
    const std::vector<double> s = download(size).toDoubles();
    const auto embedded = [&](double value, const Linear& first, const Linear& second) {
        const Tensor waves = nn::timestepEmbedding(m_backend, {&value, 1}, 256, true, 0);
        return nn::linear(nn::linear(waves, first, {.activation = Activation::Silu}), second);
    };
    return nn::concat(
        nn::concat(embedded(s.at(0), m_resolution1, m_resolution2), embedded(s.at(1), m_resolution1, m_resolution2)),
        embedded(s[0] / s[1], m_aspect1, m_aspect2));
}

const Tensor& PixArt::positions(nn::Grid grid) {
    if (grid == m_positionsGrid) return m_positions;
    const double base = double(m_config.sampleSize) / m_config.patch / m_config.interpolationScale;
    const auto table = gridPositions(grid.height, grid.width, m_config.width(), base / grid.height, base / grid.width);
    m_positions =
        upload(m_backend, HostTensor::fromFloats({std::int64_t(grid.height) * grid.width, m_config.width()}, table))
            .converted(m_type);
    m_positionsGrid = grid;
    return m_positions;
}

// Patches (rows, tokens, width) with their positions.
Tensor PixArt::embedPatches(const Tensor& x) {
    const Tensor patches = nn::pixelUnshuffle(x.converted(m_type), m_config.patch);
    const Shape s = patches.shape();
    const Tensor tokens = nn::linear(patches, m_patches).reshaped({s[0], s[1] * s[2], m_config.width()});
    return nn::add(tokens, positions({int(s[1]), int(s[2])}));
}

Tensor PixArt::timeEmbedding(const DenoiserInput& in) const {
    const Tensor waves = nn::timestepEmbedding(m_backend, in.times, 256, true, 0),
                 time = nn::linear(nn::linear(waves, m_time1, {.activation = Activation::Silu}), m_time2);
    return m_config.takesSize ? nn::add(time, in.conditions.at(condition::size)) : time;
}

std::vector<Tensor> PixArt::modulations(const Tensor& embedding) const {
    const std::int64_t w = m_config.width();
    const Tensor all = nn::linear(nn::silu(embedding), m_modulation);
    std::vector<Tensor> parts;
    for (int i = 0; i < 6; ++i) parts.push_back(nn::columns(all, i * w, w));
    return parts;
}

Tensor PixArt::forward(const DenoiserInput& in) {
    const Tensor& x = in.x;
    const Tensor& context = in.conditions.at(condition::context);
    const Shape s = x.shape();
    const int p = m_config.patch;
    if (s.rank() != 4 || s[3] != m_config.inChannels || std::int64_t(in.times.size()) != s[0] || context.rows() != s[0])
        throw std::invalid_argument("PixArt: the batch " + s.text() + " does not fit");
    if (s[1] % p != 0 || s[2] % p != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be cut into patches of " + std::to_string(p) + ".");
    const Tensor embedding = timeEmbedding(in);
    const nn::Pass pass({int(s[1]), int(s[2])}, modulations(embedding), context, in.hooks);
    Tensor tokens = embedPatches(x);
    tokens = runTrunk(pass, m_trunk, tokens);
    const Tensor shift = nn::add(embedding, m_outputTable.slice(0, 1)),
                 scale = nn::add(embedding, m_outputTable.slice(1, 1));
    const Tensor patches = nn::linear(nn::modulatedNorm(tokens, shift, scale, 1e-6f), m_output);
    return nn::pixelShuffle(patches.reshaped({s[0], s[1] / p, s[2] / p, m_output->out}), p).converted(DType::F32);
}

std::size_t PixArt::bytesPerRow(int height, int width) const {
    return meander::bytesPerRow(m_config, height, width, sizeOf(m_type));
}

namespace {

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    const PixArtConfig c = pixArtConfig(config, what);
    info.state.shape = {c.sampleSize, c.sampleSize, c.inChannels};
    info.state.granule = c.patch;
    info.blocks = transformerBlocks(c);
    info.attention = crossAttentionsOf(info.blocks);
    info.trunks = c.layers;
    info.contextWidth = 2 * std::int64_t(c.width()) * c.layers;
    info.bytesPerRow = bytesPerRow(c, c.sampleSize, c.sampleSize, sizeof(float));
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<PixArt>(pixArtConfig(config, what), builder);
}

}  // namespace

const Architecture& pixArtArchitecture() {
    static const Architecture row{"PixArtTransformer2DModel", "Diffusion transformer with cross-attention", "t5",
                                  describe, build};
    return row;
}

}  // namespace meander
