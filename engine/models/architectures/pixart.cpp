#include "engine/models/architectures/pixart.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "engine/models/layers/positions.h"

namespace meander {

using kernels::Activation;
using kernels::Binary;
using kernels::Epilogue;

namespace {

constexpr float eps = 1e-6f;

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
    // diffusers adds size and aspect embeddings to the time when they are not switched off and the sample size is 128.
    if (jsonBool(j, "use_additional_conditions", c.sampleSize == 128, what))
        throw Failure("The transformer described in " + what
                      + " is conditioned on size and aspect ratio, which Meander cannot do yet.");
    if (c.width() % 4 != 0 || c.width() > 65536 || c.sampleSize % c.patch != 0 || !(c.interpolationScale > 0))
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
    m_patches = b.patchEmbedding("pos_embed.proj", config.inChannels, config.patch, w);
    m_time1 = b.linearF32("adaln_single.emb.timestep_embedder.linear_1", 256, w);
    m_time2 = b.linearF32("adaln_single.emb.timestep_embedder.linear_2", w, w);
    m_modulation = b.linearF32("adaln_single.linear", w, 6 * w);
    m_caption1 = b.linear("caption_projection.linear_1", config.captionWidth, w);
    m_caption2 = b.linear("caption_projection.linear_2", w, w);
    std::vector<NetworkBuilder::Part> text;
    for (int i = 0; i < config.layers; ++i) {
        const std::string name = "transformer_blocks." + std::to_string(i);
        Block k;
        k.attention.qkv = b.linearStack(
            {{name + ".attn1.to_q", w}, {name + ".attn1.to_k", w}, {name + ".attn1.to_v", w}}, w, true, m_type);
        k.attention.out = b.linear(name + ".attn1.to_out.0", w, w);
        k.query = b.linear(name + ".attn2.to_q", w, w);
        k.out = b.linear(name + ".attn2.to_out.0", w, w);
        k.feedForward.up = b.linear(name + ".ff.net.0.proj", w, 4 * w);
        k.feedForward.down = b.linear(name + ".ff.net.2", 4 * w, w);
        k.table = b.table(name + ".scale_shift_table", {6, w});
        m_blocks.push_back(std::move(k));
        text.emplace_back(name + ".attn2.to_k", w);
        text.emplace_back(name + ".attn2.to_v", w);
    }
    m_textAll = b.linearStack(text, w, true, m_type);
    m_outputTable = b.table("scale_shift_table", {2, w});
    // A model with a learned variance has twice the channels; the second half is not read.
    const int kept = config.outChannels == 2 * config.inChannels ? config.inChannels : config.outChannels;
    m_output = b.patchProjection("proj_out", w, config.patch, config.outChannels, kept);
    m_config.outChannels = kept;
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

Tensor PixArt::prepareText(const Tensor& features) {
    const std::int64_t n = features.shape()[0], w = m_config.width();
    if (features.shape()[1] != m_config.captionWidth)
        throw Failure("The text encoder gives " + std::to_string(features.shape()[1])
                      + " numbers per token, but the transformer expects " + std::to_string(m_config.captionWidth)
                      + ". The parts of this model do not belong together.");
    Tensor hidden(m_backend, {n, w}, m_type), caption(m_backend, {n, w}, m_type),
        all(m_backend, {n, 2 * w * m_config.layers}, m_type);
    Epilogue gelu;
    gelu.activation = Activation::GeluTanh;
    m_backend.linear(features.converted(m_type), *m_caption1, hidden, gelu);
    m_backend.linear(hidden, *m_caption2, caption);
    m_backend.linear(caption, *m_textAll, all);
    return all.reshaped({1, n, 2 * w * m_config.layers});
}

const Tensor& PixArt::positions(int height, int width) {
    if (height == m_positionsHeight && width == m_positionsWidth) return m_positions;
    const double base = double(m_config.sampleSize) / m_config.patch / m_config.interpolationScale;
    const auto table = gridPositions(height, width, m_config.width(), base / height, base / width);
    m_positions = upload(m_backend, HostTensor::fromFloats({std::int64_t(height) * width, m_config.width()}, table))
                      .converted(m_type);
    m_positionsHeight = height;
    m_positionsWidth = width;
    return m_positions;
}

// Patches (rows, tokens, width) with their positions.
Tensor PixArt::embedPatches(const Tensor& x) {
    const int p = m_config.patch, h = int(x.shape()[1]) / p, w = int(x.shape()[2]) / p;
    const std::int64_t rows = x.shape()[0], in = std::int64_t(m_config.inChannels) * p * p;
    Tensor patches(m_backend, {rows, h, w, in}, m_type),
        tokens(m_backend, {rows, std::int64_t(h) * w, m_config.width()}, m_type);
    m_backend.pixelUnshuffle(x.converted(m_type), p, patches);
    m_backend.linear(patches.view().reshaped({rows * h * w, in}), *m_patches,
                     tokens.view().reshaped({rows * h * w, m_config.width()}));
    m_backend.binary(Binary::Add, tokens, positions(h, w), tokens);
    return tokens;
}

// shared (6, rows, width) + table (6, width) of the block.
Tensor PixArt::modulation(const Tensor& shared, const Tensor& table) const {
    Tensor sum(m_backend, shared.shape());
    for (int i = 0; i < int(shared.rows()); ++i)
        m_backend.binary(Binary::Add, shared.slice(i, 1), table.slice(i, 1), sum.slice(i, 1));
    return sum;
}

void PixArt::run(const Block& k, int index, const Tensor& tokens, const Pass& pass) const {
    using Part = Intervention::Part;
    Backend& b = m_backend;
    const TokenScratch& s = pass.scratch;
    const std::int64_t rows = tokens.shape()[0], n = tokens.shape()[1], w = m_config.width(), all = rows * n;
    const Tensor m = modulation(pass.shared, k.table);
    const auto part = [&](int i) { return m.view().rows(i, 1).reshaped({rows, w}); };
    const SkippedRows block(tokens, pass.changes, index, Part::Block),
        attention(tokens, pass.changes, index, Part::Attention);
    k.attention(b, tokens, {{}, m_config.heads, index, pass.height, pass.width}, {part(0), part(1), part(2)}, s,
                pass.changes, pass.capture);

    const View flat = tokens.view().reshaped({all, w}), queries = s.normed.view().reshaped({all, w});
    const View text = pass.text;
    const std::int64_t offset = std::int64_t(index) * 2 * w;
    b.linear(flat, *k.query, queries);
    kernels::AttentionArgs a;
    a.q = s.normed;
    a.k = text.columns(offset, w);
    a.v = text.columns(offset + w, w);
    a.heads = m_config.heads;
    a.scale = 1.0f / std::sqrt(float(m_config.headWidth));
    crossAttention(b, a, s.attended, pass.changes, offset, pass.capture, index);
    Epilogue add;
    add.residual = flat;
    b.linear(s.attended.view().reshaped({all, w}), *k.out, flat, add);
    attention.restore();

    const SkippedRows feedForward(tokens, pass.changes, index, Part::FeedForward);
    k.feedForward(b, tokens, {part(3), part(4), part(5)}, s);
    feedForward.restore();
    block.restore();
}

Tensor PixArt::forward(const Tensor& x, std::span<const double> times, const Tensor& text, AttentionCapture* capture,
                       const RowInterventions* changes) {
    Backend& b = m_backend;
    const Shape s = x.shape();
    const std::int64_t rows = s[0], w = m_config.width();
    if (s.rank() != 4 || s[3] != m_config.inChannels || std::int64_t(times.size()) != rows || text.rows() != rows)
        throw std::invalid_argument("PixArt: the batch " + s.text() + " does not fit");
    const int p = m_config.patch;
    if (s[1] % p != 0 || s[2] % p != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be cut into patches of " + std::to_string(p) + ".");
    Tensor waves(b, {rows, 256}), hidden(b, {rows, w}), embedding(b, {rows, w}), active(b, {rows, w}),
        flat(b, {rows, 6 * w}), shared(b, {6, rows, w});
    Epilogue silu;
    silu.activation = Activation::Silu;
    b.timestepEmbedding(times, 256, true, 0, 10000, waves);
    b.linear(waves, *m_time1, hidden, silu);
    b.linear(hidden, *m_time2, embedding);
    b.unary(kernels::Unary::Silu, embedding, active);
    b.linear(active, *m_modulation, flat);
    for (int i = 0; i < 6; ++i) b.sliceLast(flat, i * w, shared.view().rows(i, 1).reshaped({rows, w}));

    Tensor tokens = embedPatches(x);
    {
        const TokenScratch scratch(b, tokens.shape(), m_type);
        const Pass pass{shared, text, scratch, int(s[1]) / p, int(s[2]) / p, capture, changes};
        for (std::size_t i = 0; i < m_blocks.size(); ++i) run(m_blocks[i], int(i), tokens, pass);
    }

    const std::int64_t all = tokens.shape()[0] * tokens.shape()[1], out = std::int64_t(p) * p * m_config.outChannels;
    Tensor ends(b, {2, rows, w});
    for (int i = 0; i < 2; ++i)
        b.binary(Binary::Add, embedding, m_outputTable.slice(i, 1), ends.view().rows(i, 1).reshaped({rows, w}));
    Tensor normed(b, {all, w}, m_type), patches(b, {rows, s[1] / p, s[2] / p, out}, m_type),
        image(b, {rows, s[1], s[2], m_config.outChannels}, m_type);
    b.layerNorm(tokens.view().reshaped({all, w}), {}, {}, eps, ends.view().rows(1, 1).reshaped({rows, w}),
                ends.view().rows(0, 1).reshaped({rows, w}), normed);
    b.linear(normed, *m_output, patches.view().reshaped({all, out}));
    b.pixelShuffle(patches, p, image);
    return image.converted(DType::F32);
}

std::vector<TapSite> PixArt::sites(int height, int width, int tokens) const {
    std::vector<TapSite> sites;
    for (int i = 0; i < m_config.layers; ++i)
        sites.push_back({"transformer_blocks." + std::to_string(i) + ".attn2", m_config.heads, height / m_config.patch,
                         width / m_config.patch, tokens});
    return sites;
}

std::size_t PixArt::bytesPerRow(int height, int width) const {
    return meander::bytesPerRow(m_config, height, width, sizeOf(m_type));
}

}  // namespace meander
