#include "engine/models/architectures/dit.h"

#include <stdexcept>

namespace meander {

using nn::Activation;

DiTConfig ditXl2Config() { return {}; }

DiT::DiT(const DiTConfig& c, NetworkBuilder& b) : m_config(c), m_backend(b.backend), m_type(b.compute) {
    const std::int64_t w = c.width;
    const ModulatedBlockNames names{.qkv = {"attn.qkv"},
                                    .attention = "attn",
                                    .selfOut = "attn.proj",
                                    .feedForward = "mlp",
                                    .up = "mlp.fc1",
                                    .down = "mlp.fc2"};
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
        m_blocks.push_back(&add<ModulatedBlock>(name, b, names, w, c.heads, c.patch, 6 * w * i));
        modulations.emplace_back(name + ".adaLN_modulation.1", 6 * w);
    }
    numberBlocks();
    modulations.emplace_back("final_layer.adaLN_modulation.1", 2 * w);
    m_modulations = b.linearStack(modulations, w, true, m_type);
    m_output = b.patchProjection("final_layer.linear", w, c.patch, c.channels * (c.learnsVariance ? 2 : 1), c.channels);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

Tensor DiT::modulations(std::span<const double> times, std::span<const int> classes) const {
    const Tensor waves = nn::timestepEmbedding(m_backend, times, 256, true, 0),
                 hidden = nn::linear(waves, m_time1, {.activation = Activation::Silu}),
                 embedding = nn::linear(hidden, m_time2, {.onto = nn::embedding(classes, m_classes)});
    return nn::linear(nn::silu(embedding).converted(m_type), m_modulations).converted(DType::F32);
}

Tensor DiT::forward(const Tensor& x, std::span<const double> times, std::span<const int> classes,
                    const nn::Hooks& hooks) {
    const Shape s = x.shape();
    const int p = m_config.patch, h = m_config.gridHeight, w = m_config.gridWidth;
    const std::int64_t rows = s[0], width = m_config.width, end = 6 * width * m_config.layers;
    if (s != Shape({rows, std::int64_t(h) * p, std::int64_t(w) * p, m_config.channels})
        || std::int64_t(times.size()) != rows || std::int64_t(classes.size()) != rows)
        throw std::invalid_argument("DiT: the batch " + s.text() + " does not fit");
    const nn::Pass pass({h * p, w * p}, {modulations(times, classes)}, {}, hooks);
    Tensor tokens = nn::linear(nn::pixelUnshuffle(x.converted(m_type), p), m_patches);
    tokens = nn::add(tokens.reshaped({rows, std::int64_t(h) * w, width}), m_positions);
    for (const auto* block : m_blocks) tokens = (*block)(pass, tokens);
    tokens = nn::modulatedNorm(tokens, nn::columns(pass.vectors(), end, width),
                               nn::columns(pass.vectors(), end + width, width), 1e-6f);
    const Tensor out = nn::linear(tokens, m_output).reshaped({rows, h, w, m_output->out});
    return nn::pixelShuffle(out, p).converted(DType::F32);
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
