// SanaTransformer2DModel (Xie et al. 2024): a diffusion transformer with linear attention, cross-attention to a
// language model's states and a feed-forward of filters; one shared adaLN projection plus a table per block, as PixArt.
#include <stdexcept>

#include "engine/models/architectures/architecture.h"
#include "engine/models/architectures/transformer_config.h"
#include "engine/models/layers/gated_filter.h"
#include "engine/models/layers/positions.h"
#include "engine/models/layers/trunks.h"
#include "engine/nn/linear_attention.h"
#include "engine/nn/pass.h"

namespace meander {
namespace {

using nn::Activation;
using nn::Pass;
using nn::SiteKind;

constexpr float eps = 1e-6f, captionEps = 1e-5f;

struct SanaConfig {
    int heads = 70, headWidth = 32, crossHeads = 20, layers = 20, patch = 1, inChannels = 32, outChannels = 32,
        sampleSize = 32, captionWidth = 2304, inner = 5600;
    bool hasBias = false;
    std::optional<double> interpolationScale;  // of fixed positions; none: no positions
    int width() const { return heads * headWidth; }
};

SanaConfig sanaConfig(const Json& j, const std::string& what) {
    requireObject(j, what);
    requireSetting(j, "guidance_embeds", false, what);
    requireSetting(j, "qk_norm", nullptr, what);
    requireSetting(j, "norm_elementwise_affine", false, what);
    SanaConfig c;
    c.heads = extentIn(j, "num_attention_heads", 70, 1024, what);
    c.headWidth = extentIn(j, "attention_head_dim", 32, 4096, what);
    c.crossHeads = extentIn(j, "num_cross_attention_heads", 20, 1024, what);
    c.layers = extentIn(j, "num_layers", 20, 512, what);
    c.patch = extentIn(j, "patch_size", 1, 64, what);
    c.inChannels = extentIn(j, "in_channels", 32, 4096, what);
    c.outChannels = extentIn(j, "out_channels", c.inChannels, 4096, what);
    c.sampleSize = extentIn(j, "sample_size", 32, 8192, what);
    c.captionWidth = extentIn(j, "caption_channels", 2304, 65536, what);
    c.hasBias = jsonBool(j, "attention_bias", false, what);
    const double ratio = jsonReal(j, "mlp_ratio", 2.5, what);
    c.inner = int(ratio * c.width());
    if (j.contains("interpolation_scale") && !j["interpolation_scale"].is_null())
        c.interpolationScale = jsonReal(j, "interpolation_scale", 1, what);
    if (c.crossHeads * extentIn(j, "cross_attention_head_dim", 112, 4096, what) != c.width()
        || extentIn(j, "cross_attention_dim", c.width(), 65536, what) != c.width() || !(ratio > 0 && ratio < 64)
        || c.width() % 4 != 0 || c.sampleSize % c.patch != 0 || jsonReal(j, "timestep_scale", 1, what) != 1)
        sizesDoNotFit(what);
    return c;
}

std::size_t bytesOfRow(const SanaConfig& c, int height, int width, std::size_t element) {
    const std::size_t tokens = std::size_t(height / c.patch) * std::size_t(width / c.patch);
    return tokens * (std::size_t(c.width()) * 3 * element + std::size_t(c.inner) * 8 * sizeof(float));
}

std::vector<TapSite> sitesOf(const SanaConfig& c, const char* part, int heads) {
    const int side = c.sampleSize / c.patch;
    std::vector<TapSite> sites;
    for (int i = 0; i < c.layers; ++i)
        sites.push_back({"transformer_blocks." + std::to_string(i) + part, heads, side, side, side * side});
    return sites;
}

// Vectors of the pass: shift, scale and gate of the attention, then of the feed-forward, to which the table is added.
class SanaBlock final : public nn::Module {
public:
    SanaBlock(std::string path, NetworkBuilder& b, const SanaConfig& c, std::int64_t context)
        : Module(std::move(path)),
          m_heads(c.heads),
          m_block(add({SiteKind::Block, "", 0, c.heads, c.patch})),
          m_cross(add({SiteKind::CrossAttention, "attn2", 0, c.crossHeads, c.patch, context})),
          m_feedForward(add({SiteKind::FeedForward, "ff", 0, c.heads, c.patch})),
          m_filter(b, at("ff"), c.width(), c.inner) {
        const std::int64_t w = c.width();
        m_query = b.linear(at("attn1.to_q"), w, w, c.hasBias);
        m_key = b.linear(at("attn1.to_k"), w, w, c.hasBias);
        m_value = b.linear(at("attn1.to_v"), w, w, c.hasBias);
        m_out = b.linear(at("attn1.to_out.0"), w, w);
        m_crossQuery = b.linear(at("attn2.to_q"), w, w);
        m_crossOut = b.linear(at("attn2.to_out.0"), w, w);
        m_table = b.table(at("scale_shift_table"), {6, w});
    }
    // x (rows, n, width), may be written into.
    Tensor operator()(const Pass& pass, const Tensor& x, nn::Grid grid) const {
        return pass.residual(m_block, x, [&](const Pass& p, Tensor x) {
            const Tensor h = modulated(p, x, 0);
            const Tensor q = nn::linear(h, m_query, {.activation = Activation::Relu}),
                         k = nn::linear(h, m_key, {.activation = Activation::Relu});
            x = nn::linear(nn::linearAttention(q, k, nn::linear(h, m_value), m_heads), m_out,
                           {.gate = vector(p, 2), .onto = x});
            x = p.residual(m_cross, x, [&](const Pass& p, const Tensor& x) {
                const auto [k, v] = nn::chunk<2>(p.context(m_cross, x.shape()[-1]));
                return nn::linear(p.attend(m_cross, nn::linear(x, m_crossQuery), k, v), m_crossOut, {.onto = x});
            });
            return p.residual(m_feedForward, x, [&](const Pass& p, const Tensor& x) {
                const Shape s = x.shape(), image{s[0], grid.height, grid.width, s[2]};
                return m_filter(modulated(p, x, 3).reshaped(image), {.gate = vector(p, 5), .onto = x.reshaped(image)})
                    .reshaped(s);
            });
        });
    }

    // What its self-attention is given: the norm of x, scaled and shifted.
    Tensor start(const Pass& pass, const Tensor& x) const { return modulated(pass, x, 0); }

private:
    Tensor vector(const Pass& p, int i) const { return nn::add(p.vectors(std::size_t(i)), m_table.slice(i, 1)); }
    Tensor modulated(const Pass& p, const Tensor& x, int i) const {
        return nn::modulatedNorm(x, vector(p, i), vector(p, i + 1), eps);
    }
    int m_heads;
    const nn::Site &m_block, &m_cross, &m_feedForward;
    GatedFilter m_filter;
    Linear m_query, m_key, m_value, m_out, m_crossQuery, m_crossOut;
    Tensor m_table;
};

class Sana final : public Denoiser {
public:
    Sana(const SanaConfig& c, NetworkBuilder& b) : m_config(c), m_backend(b.backend), m_type(b.compute) {
        const std::int64_t w = c.width();
        m_patches = b.patchEmbedding("patch_embed.proj", c.inChannels, c.patch, w);
        m_time1 = b.linearF32("time_embed.emb.timestep_embedder.linear_1", 256, w);
        m_time2 = b.linearF32("time_embed.emb.timestep_embedder.linear_2", w, w);
        m_modulation = b.linearF32("time_embed.linear", w, 6 * w);
        m_caption1 = b.linear("caption_projection.linear_1", c.captionWidth, w);
        m_caption2 = b.linear("caption_projection.linear_2", w, w);
        m_captionNorm = b.table("caption_norm.weight", {w});
        std::vector<NetworkBuilder::Part> text;
        for (int i = 0; i < c.layers; ++i) {
            const std::string name = "transformer_blocks." + std::to_string(i);
            m_blocks.push_back(&add<SanaBlock>(name, b, c, 2 * w * i));
            m_trunks.push_back(&add(trunkSite(i, c.patch)));
            text.emplace_back(name + ".attn2.to_k", w);
            text.emplace_back(name + ".attn2.to_v", w);
        }
        numberBlocks();
        m_textAll = b.linearStack(text, w, true, m_type);
        m_table = b.table("scale_shift_table", {2, w});
        m_output = b.patchProjection("proj_out", w, c.patch, c.outChannels, c.outChannels);
        parameters = b.parameters;
        weightBytes = b.weightBytes;
    }

    // Raw: context (1, tokens, captionWidth). Prepared: the keys and values of all cross-attentions side by side.
    Conditions prepare(const Conditions& raw) override {
        const Tensor& features = raw.at(condition::context);
        if (features.shape()[2] != m_config.captionWidth)
            throw Failure("The text encoder gives " + std::to_string(features.shape()[2])
                          + " numbers per token, but the transformer expects " + std::to_string(m_config.captionWidth)
                          + ". The parts of this model do not belong together.");
        const Tensor hidden = nn::linear(features.converted(m_type), m_caption1, {.activation = Activation::GeluTanh}),
                     caption = nn::rmsNorm(nn::linear(hidden, m_caption2), m_captionNorm, captionEps);
        return {{{condition::context, nn::linear(caption, m_textAll)}}};
    }

    Tensor forward(const DenoiserInput& in) override {
        const Tensor& context = in.conditions.at(condition::context);
        const Shape s = in.x.shape();
        const int p = m_config.patch;
        const std::int64_t w = m_config.width();
        if (s.rank() != 4 || s[3] != m_config.inChannels || std::int64_t(in.times.size()) != s[0]
            || context.rows() != s[0])
            throw std::invalid_argument("SANA: the batch " + s.text() + " does not fit");
        if (s[1] % p != 0 || s[2] % p != 0)
            throw Failure("A state of " + std::to_string(s[1]) + " x " + std::to_string(s[2])
                          + " cannot be cut into patches of " + std::to_string(p) + ".");
        const nn::Grid state{int(s[1]), int(s[2])}, grid{state.height / p, state.width / p};
        const Tensor waves = nn::timestepEmbedding(m_backend, in.times, 256, true, 0),
                     time = nn::linear(nn::linear(waves, m_time1, {.activation = Activation::Silu}), m_time2),
                     all = nn::linear(nn::silu(time), m_modulation);
        std::vector<Tensor> vectors;
        for (int i = 0; i < 6; ++i) vectors.push_back(nn::columns(all, i * w, w));
        const Pass pass(state, std::move(vectors), context, in.hooks);
        const Tensor x = in.x.converted(m_type);
        Tensor tokens = nn::linear(p > 1 ? nn::pixelUnshuffle(x, p) : x, m_patches)
                            .reshaped({s[0], std::int64_t(grid.height) * grid.width, w});
        if (m_config.interpolationScale) tokens = nn::add(tokens, positions(grid));
        const TrunkBlocks blocks{
            m_trunks, [&](std::size_t i, const Pass& p, const Tensor& rows) { return (*m_blocks[i])(p, rows, grid); },
            [&](std::size_t i, const Pass& p, const Tensor& rows) { return m_blocks[i]->start(p, rows); }};
        tokens = runTrunk(pass, blocks, tokens);
        const Tensor shift = nn::add(time, m_table.slice(0, 1)), scale = nn::add(time, m_table.slice(1, 1));
        const Tensor patches = nn::linear(nn::modulatedNorm(tokens, shift, scale, eps), m_output)
                                   .reshaped({s[0], grid.height, grid.width, m_output->out});
        return (p > 1 ? nn::pixelShuffle(patches, p) : patches).converted(DType::F32);
    }

    std::size_t bytesPerRow(int height, int width) const override {
        return bytesOfRow(m_config, height, width, sizeOf(m_type));
    }

private:
    Tensor positions(nn::Grid grid) const {
        const double base = double(m_config.sampleSize) / m_config.patch / *m_config.interpolationScale;
        const auto table =
            gridPositions(grid.height, grid.width, m_config.width(), base / grid.height, base / grid.width);
        const Shape shape{std::int64_t(grid.height) * grid.width, m_config.width()};
        return upload(m_backend, HostTensor::fromFloats(shape, table)).converted(m_type);
    }

    SanaConfig m_config;
    Backend& m_backend;
    DType m_type;
    Linear m_patches, m_time1, m_time2, m_modulation, m_caption1, m_caption2, m_textAll, m_output;
    Tensor m_captionNorm, m_table;
    std::vector<const SanaBlock*> m_blocks;
    std::vector<const nn::Site*> m_trunks;  // one per block
};

void describe(const Json& config, const std::string& what, ModelInfo& info) {
    const SanaConfig c = sanaConfig(config, what);
    info.state.shape = {c.sampleSize, c.sampleSize, c.inChannels};
    info.state.granule = c.patch;
    info.blocks = sitesOf(c, "", c.heads);
    info.attention = sitesOf(c, ".attn2", c.crossHeads);
    info.trunks = c.layers;
    info.contextWidth = 2 * c.width() * c.layers;
    info.bytesPerRow = bytesOfRow(c, c.sampleSize, c.sampleSize, sizeof(float));
}

std::unique_ptr<Denoiser> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<Sana>(sanaConfig(config, what), builder);
}

}  // namespace

const Architecture& sanaArchitecture() {
    static const Architecture row{"SanaTransformer2DModel", "Diffusion transformer with linear attention", "sana",
                                  describe, build};
    return row;
}

}  // namespace meander
