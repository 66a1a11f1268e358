#include "engine/models/architectures/dit.h"

#include <cstring>
#include <stdexcept>

namespace meander {

using kernels::Epilogue;

DiTConfig ditXl2Config() { return {}; }

DiT::DiT(const DiTConfig& c, NetworkBuilder& b) : m_config(c), m_backend(b.backend), m_type(b.compute) {
    const std::int64_t w = c.width;
    m_patches = b.patchEmbedding("x_embedder.proj", c.channels, c.patch, w);
    m_time1 = b.linearF32("t_embedder.mlp.0", 256, w);
    m_time2 = b.linearF32("t_embedder.mlp.2", w, w);
    m_classes = b.table("y_embedder.embedding_table.weight", {c.classes + 1, w});
    m_positions = b.table("pos_embed", {1, std::int64_t(c.gridHeight) * c.gridWidth, w})
                      .reshaped({std::int64_t(c.gridHeight) * c.gridWidth, w})
                      .converted(m_type);
    std::vector<NetworkBuilder::Part> modulations;
    for (int i = 0; i < c.layers; ++i) {
        const std::string name = "blocks." + std::to_string(i);
        Block k;
        k.attention.qkv = b.linear(name + ".attn.qkv", w, 3 * w);
        k.attention.out = b.linear(name + ".attn.proj", w, w);
        k.feedForward.up = b.linear(name + ".mlp.fc1", w, 4 * w);
        k.feedForward.down = b.linear(name + ".mlp.fc2", 4 * w, w);
        m_blocks.push_back(std::move(k));
        modulations.emplace_back(name + ".adaLN_modulation.1", 6 * w);
    }
    modulations.emplace_back("final_layer.adaLN_modulation.1", 2 * w);
    m_modulations = b.linearStack(modulations, w, true, m_type);
    m_output = b.patchProjection("final_layer.linear", w, c.patch, c.channels * (c.learnsVariance ? 2 : 1), c.channels);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

Tensor DiT::modulations(std::span<const double> times, std::span<const int> classes) const {
    Backend& b = m_backend;
    const std::int64_t rows = std::int64_t(times.size()), w = m_config.width;
    std::vector<std::byte> raw(classes.size() * 4);
    std::memcpy(raw.data(), classes.data(), raw.size());
    const Tensor ids = upload(b, HostTensor({rows}, DType::I32, std::move(raw)));
    Tensor waves(b, {rows, 256}), hidden(b, {rows, w}), embedding(b, {rows, w}),
        all(b, {rows, (6 * m_config.layers + 2) * w}, m_type);
    Epilogue silu, add;
    silu.activation = kernels::Activation::Silu;
    b.timestepEmbedding(times, 256, true, 0, 10000, waves);
    b.linear(waves, *m_time1, hidden, silu);
    b.embedding(ids, m_classes, embedding);
    add.residual = embedding;
    b.linear(hidden, *m_time2, embedding, add);
    b.unary(kernels::Unary::Silu, embedding, embedding);
    b.linear(embedding.converted(m_type), *m_modulations, all);
    return all.converted(DType::F32);
}

Tensor DiT::forward(const Tensor& x, std::span<const double> times, std::span<const int> classes) {
    Backend& b = m_backend;
    const Shape s = x.shape();
    const int p = m_config.patch, h = m_config.gridHeight, w = m_config.gridWidth;
    const std::int64_t rows = s[0], width = m_config.width, n = std::int64_t(h) * w, all = rows * n,
                       in = std::int64_t(m_config.channels) * p * p;
    if (s != Shape({rows, std::int64_t(h) * p, std::int64_t(w) * p, m_config.channels})
        || std::int64_t(times.size()) != rows || std::int64_t(classes.size()) != rows)
        throw std::invalid_argument("DiT: the batch " + s.text() + " does not fit");
    const Tensor modulation = modulations(times, classes);
    Tensor patches(b, {rows, h, w, in}, m_type), tokens(b, {rows, n, width}, m_type), vectors(b, {6, rows, width});
    b.pixelUnshuffle(x.converted(m_type), p, patches);
    b.linear(patches.view().reshaped({all, in}), *m_patches, tokens.view().reshaped({all, width}));
    b.binary(kernels::Binary::Add, tokens, m_positions, tokens);
    // Vectors `first` … of all rows, each dense (rows, width).
    const auto vector = [&](std::int64_t first, int i) {
        const View v = vectors.view().rows(i, 1).reshaped({rows, width});
        b.sliceLast(modulation, (first + i) * width, v);
        return v;
    };
    const TokenScratch scratch(b, tokens.shape(), m_type);
    for (int i = 0; i < m_config.layers; ++i) {
        const Block& k = m_blocks[std::size_t(i)];
        k.attention(b, tokens, m_config.heads, {vector(6 * i, 0), vector(6 * i, 1), vector(6 * i, 2)}, scratch);
        k.feedForward(b, tokens, {vector(6 * i, 3), vector(6 * i, 4), vector(6 * i, 5)}, scratch);
    }
    const std::int64_t end = 6 * m_config.layers;
    const View shift = vector(end, 0), scale = vector(end, 1), normed = scratch.normed.view().reshaped({all, width});
    b.layerNorm(tokens.view().reshaped({all, width}), {}, {}, 1e-6f, scale, shift, normed);
    Tensor out(b, {rows, h, w, in}, m_type), image(b, s, m_type);
    b.linear(normed, *m_output, out.view().reshaped({all, in}));
    b.pixelShuffle(out, p, image);
    return image.converted(DType::F32);
}

std::size_t DiT::bytesPerRow() const {
    return std::size_t(m_config.gridHeight) * m_config.gridWidth * m_config.width * 7 * sizeOf(m_type);
}

std::unique_ptr<DiT> makeRandomDiT(const DiTConfig& config, Backend& backend, DType type) {
    RandomWeights weights;
    NetworkBuilder builder(backend, weights, type);
    return std::make_unique<DiT>(config, builder);
}

}  // namespace meander
