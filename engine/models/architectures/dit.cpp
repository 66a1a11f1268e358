#include "engine/models/architectures/dit.h"

#include <stdexcept>

#include "engine/models/architectures/architecture.h"
#include "engine/models/architectures/transformer_config.h"
#include "engine/models/layers/positions.h"

namespace meander {

using nn::Activation;

DiTConfig ditXl2Config() { return {}; }

DiTConfig ditConfig(const Json& j, const std::string& what) {
    requireObject(j, what);
    requireSetting(j, "norm_type", "ada_norm_zero", what);
    requireSetting(j, "activation_fn", "gelu-approximate", what);
    requireSetting(j, "attention_bias", true, what);
    requireSetting(j, "norm_elementwise_affine", false, what);
    DiTConfig c;
    c.heads = extentIn(j, "num_attention_heads", 16, 1024, what);
    c.width = c.heads * extentIn(j, "attention_head_dim", 72, 4096, what);
    c.layers = extentIn(j, "num_layers", 28, 512, what);
    c.patch = extentIn(j, "patch_size", 2, 64, what);
    c.channels = extentIn(j, "in_channels", 4, 4096, what);
    c.classes = extentIn(j, "num_embeds_ada_norm", 1000, 1 << 20, what);
    c.secondEps = float(jsonReal(j, "norm_eps", 1e-5, what));
    const int out = extentIn(j, "out_channels", c.channels, 8192, what),
              side = extentIn(j, "sample_size", 32, 8192, what);
    c.learnsVariance = out == 2 * c.channels;
    c.gridHeight = c.gridWidth = side / c.patch;
    if (c.width % 4 != 0 || c.width > 65536 || side % c.patch != 0 || (out != c.channels && !c.learnsVariance))
        sizesDoNotFit(what);
    return c;
}

DiT::DiT(const DiTConfig& c, NetworkBuilder& b) : m_config(c), m_backend(b.backend), m_type(b.compute) {
    const std::int64_t w = c.width;
    const ModulatedBlockNames names{.qkv = {"attn.qkv"},
                                    .attention = "attn",
                                    .selfOut = "attn.proj",
                                    .feedForward = "mlp",
                                    .up = "mlp.fc1",
                                    .down = "mlp.fc2",
                                    .secondEps = c.secondEps};
    m_patches = b.patchEmbedding("x_embedder.proj", c.channels, c.patch, w);
    m_time1 = b.linearF32("t_embedder.mlp.0", 256, w);
    m_time2 = b.linearF32("t_embedder.mlp.2", w, w);
    m_classes = b.table("y_embedder.embedding_table.weight", {c.classes + 1, w});
    if (const std::int64_t cells = std::int64_t(c.gridHeight) * c.gridWidth; b.source.has("pos_embed")) {
        m_positions = b.table("pos_embed", {1, cells, w}).reshaped({cells, w}).converted(m_type);
        m_positionsGrid = {c.gridHeight, c.gridWidth};
    }
    std::vector<NetworkBuilder::Part> modulations;
    for (int i = 0; i < c.layers; ++i) {
        const std::string name = "blocks." + std::to_string(i);
        m_blocks.push_back(&add<ModulatedBlock>(name, b, names, w, c.heads, c.patch, 6 * w * i));
        m_trunk.sites.push_back(&add(trunkSite(i, c.patch)));
        modulations.emplace_back(name + ".adaLN_modulation.1", 6 * w);
    }
    numberBlocks();
    m_trunk.run = [this](std::size_t i, const nn::Pass& p, const Tensor& x) { return (*m_blocks[i])(p, x); };
    m_trunk.start = [this](std::size_t i, const nn::Pass& p, const Tensor& x) { return m_blocks[i]->start(p, x); };
    modulations.emplace_back("final_layer.adaLN_modulation.1", 2 * w);
    m_modulations = b.linearStack(modulations, w, true, m_type);
    m_output = b.patchProjection("final_layer.linear", w, c.patch, c.channels * (c.learnsVariance ? 2 : 1), c.channels);
    parameters = b.parameters;
    weightBytes = b.weightBytes;
}

Conditions DiT::prepare(const Conditions& raw) {
    const int none[] = {m_config.classes};
    if (!raw.has(condition::label)) return {{{condition::label, nn::embedding(none, m_classes)}}};
    const int label[] = {int(download(raw.at(condition::label)).at(0))};
    if (label[0] < 0 || label[0] > m_config.classes)
        throw Failure("The network has no class " + std::to_string(label[0]) + ".");
    return {{{condition::label, nn::embedding(label, m_classes)}}};
}

Tensor DiT::modulations(const DenoiserInput& in) const {
    const Tensor waves = nn::timestepEmbedding(m_backend, in.times, 256, true, 0),
                 hidden = nn::linear(waves, m_time1, {.activation = Activation::Silu}),
                 embedding = nn::linear(hidden, m_time2, {.onto = in.conditions.at(condition::label).clone()});
    return nn::linear(nn::silu(embedding).converted(m_type), m_modulations).converted(DType::F32);
}

// Those of the file, or, on another grid, the fixed ones that span it.
const Tensor& DiT::positions(nn::Grid grid) {
    if (grid == m_positionsGrid) return m_positions;
    const auto table = gridPositions(grid.height, grid.width, m_config.width, double(m_config.gridHeight) / grid.height,
                                     double(m_config.gridWidth) / grid.width);
    const Shape shape{std::int64_t(grid.height) * grid.width, m_config.width};
    m_positions = upload(m_backend, HostTensor::fromFloats(shape, table)).converted(m_type);
    m_positionsGrid = grid;
    return m_positions;
}

Tensor DiT::forward(const DenoiserInput& in) {
    const Shape s = in.x.shape();
    const int p = m_config.patch;
    const std::int64_t rows = s[0], width = m_config.width, end = 6 * width * m_config.layers;
    if (s.rank() != 4 || s[3] != m_config.channels || std::int64_t(in.times.size()) != rows
        || in.conditions.at(condition::label).rows() != rows)
        throw std::invalid_argument("DiT: the batch " + s.text() + " does not fit");
    if (s[1] % p != 0 || s[2] % p != 0)
        throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                      + " cannot be cut into patches of " + std::to_string(p) + ".");
    const nn::Grid state{int(s[1]), int(s[2])}, grid{state.height / p, state.width / p};
    const nn::Pass pass(state, {modulations(in)}, {}, in.hooks);
    Tensor tokens = nn::linear(nn::pixelUnshuffle(in.x.converted(m_type), p), m_patches);
    tokens = nn::add(tokens.reshaped({rows, std::int64_t(grid.height) * grid.width, width}), positions(grid));
    tokens = runTrunk(pass, m_trunk, tokens);
    tokens = nn::modulatedNorm(tokens, nn::columns(pass.vectors(), end, width),
                               nn::columns(pass.vectors(), end + width, width), 1e-6f);
    const Tensor out = nn::linear(tokens, m_output).reshaped({rows, grid.height, grid.width, m_output->out});
    return nn::pixelShuffle(out, p).converted(DType::F32);
}

Tensor DiT::forward(const Tensor& x, std::span<const double> times, std::span<const int> classes,
                    const nn::Hooks& hooks) {
    const Conditions conditions{{{condition::label, nn::embedding(classes, m_classes)}}};
    return forward({x, times, conditions, hooks});
}

namespace {

std::size_t bytesOfRow(const DiTConfig& c, int height, int width, std::size_t element) {
    return std::size_t(height / c.patch) * std::size_t(width / c.patch) * std::size_t(c.width) * 7 * element;
}

// Names of the classes, where the folder tells them ("id2label": {"0": "tench, Tinca tinca", …}).
std::vector<std::string> classesOf(const Json& j, int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
        std::string name = std::to_string(i);
        if (j.contains("id2label") && j["id2label"].is_object() && j["id2label"].contains(name)
            && j["id2label"][name].is_string())
            name = j["id2label"][name].get<std::string>();
        names.push_back(std::move(name));
    }
    return names;
}

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    const DiTConfig c = ditConfig(config, what);
    const int height = c.gridHeight * c.patch, width = c.gridWidth * c.patch;
    info.state.shape = {height, width, c.channels};
    info.state.granule = c.patch;
    info.conditioning = ConditioningKind::Class;
    info.classes = classesOf(config, c.classes);
    for (int i = 0; i < c.layers; ++i)
        info.blocks.push_back(
            {"blocks." + std::to_string(i), c.heads, c.gridHeight, c.gridWidth, c.gridHeight * c.gridWidth});
    info.trunks = c.layers;
    info.bytesPerRow = bytesOfRow(c, height, width, sizeof(float));
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<DiT>(ditConfig(config, what), builder);
}

}  // namespace

std::size_t DiT::bytesPerRow(int height, int width) const {
    return bytesOfRow(m_config, height, width, sizeOf(m_type));
}

std::unique_ptr<DiT> makeRandomDiT(const DiTConfig& config, Backend& backend, DType type) {
    RandomWeights weights;
    NetworkBuilder builder(backend, weights, type);
    return std::make_unique<DiT>(config, builder);
}

const Architecture& ditArchitecture() {
    static const Architecture row{"DiTTransformer2DModel", "Class-conditional diffusion transformer", "", describe,
                                  build};
    return row;
}

}  // namespace meander
