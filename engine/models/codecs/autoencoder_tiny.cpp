#include "engine/models/codecs/autoencoder_tiny.h"

#include "engine/models/codecs/channel_map.h"
#include "engine/models/codecs/image_size.h"
#include "engine/nn/module.h"
#include "engine/nn/ops.h"

namespace meander {
namespace {

using nn::Activation;

constexpr int cells = 64;  // expected along each side of a state, or of a tile of it

Tensor relu(Tensor x) {
    x.backend().unary(kernels::Unary::Relu, x, x);
    return x;
}

// relu(x + three filters), of a branch before them x ← x + 1 × 1 (relu (group norm (1 × 1 x))).
class TinyBlock final : public nn::Module {
public:
    TinyBlock(std::string path, NetworkBuilder& b, int width, int extent) : Module(std::move(path)) {
        for (int i = 0; i < 3; ++i)
            m_conv[i] = b.conv(at("conv." + std::to_string(2 * i)), width, width, 3, 1, 1, extent, extent);
        if (!b.source.shapeOf(at("pool.0.weight"))) return;
        m_widen = b.linear(at("pool.0"), width, 4 * width, false, true);
        m_norm = b.norm(at("pool.1"), 4 * width);
        m_narrow = b.linear(at("pool.3"), 4 * width, width, false, true);
    }

    // May write into x.
    Tensor operator()(const Tensor& x) const {
        if (m_widen)
            nn::linear(nn::groupNorm(nn::linear(x, m_widen), m_norm, 4, 1e-5f, Activation::Relu), m_narrow,
                       {.onto = x});
        Tensor h = nn::conv(x, m_conv[0], {.activation = Activation::Relu});
        h = nn::conv(h, m_conv[1], {.activation = Activation::Relu});
        return relu(nn::conv(h, m_conv[2], {.residual = x}));
    }

private:
    Conv m_conv[3];
    Linear m_widen, m_narrow;  // null: no branch
    Norm m_norm;
};

// A filter, then blocks, then a filter; `resample` stands before the blocks of the encoder, after those of the decoder.
struct TinyLevel {
    Conv resample;
    std::vector<std::unique_ptr<TinyBlock>> blocks;

    Tensor throughBlocks(Tensor x) const {
        for (const auto& block : blocks) x = (*block)(x);
        return x;
    }
};

class AutoencoderTiny final : public Codec {
public:
    AutoencoderTiny(const TinyConfig& config, NetworkBuilder& b, const TilePolicy& policy)
        : m_config(config), m_policy(policy) {
        const std::size_t z = std::size_t(config.latentChannels);
        m_scale = {b, std::vector<double>(z, config.shift), std::vector<double>(z, 1 / config.scale)};
        m_third = {b, std::vector<float>(z, 1.0f / 3), std::vector<float>(z, 0.0f)};
        m_triple = {b, std::vector<float>(z, 3.0f), std::vector<float>(z, 0.0f)};
        buildDecoder(b);
        if (config.hasEncoder) buildEncoder(b);
        parameters = b.parameters;
        weightBytes = b.weightBytes;
        m_policy.tiles.margin = reach();
        m_policy.tiles.overlap = 2 * m_policy.tiles.margin + 1;
    }

    Tensor decode(const Tensor& states) const override {
        requireStates(states, m_config.latentChannels);
        return eachImage(states, [&](const Tensor& state) {
            Tensor h = m_third(m_scale.toLatent(state));
            h.backend().unary(kernels::Unary::Tanh, h, h);
            h = nn::conv(m_triple(h), m_decoderIn, {.activation = Activation::Relu});
            h = m_decoder.front().throughBlocks(std::move(h));
            const std::size_t bytes = fineBytes(h.shape()[1], h.shape()[2]);
            return wholeOrInTiles(std::move(h), bytes, m_policy, 1, m_config.factor(),
                                  [&](Tensor t) { return decodeFine(std::move(t)); });
        });
    }

    Tensor encode(const Tensor& images) const override {
        if (!m_config.hasEncoder)
            throw Failure("The codec of this model only decodes: its file has no encoder. Choose the complete codec to "
                          "start from an image.");
        const int factor = m_config.factor();
        requireImages(images, factor);
        return eachImage(images, [&](const Tensor& image) {
            const std::size_t bytes = fineBytes(image.shape()[1] / factor, image.shape()[2] / factor);
            Tensor h =
                wholeOrInTiles(image, bytes, m_policy, factor, 1, [&](Tensor t) { return encodeFine(std::move(t)); });
            return m_scale.toState(nn::conv(m_encoder.back().throughBlocks(std::move(h)), m_encoderOut));
        });
    }

    std::size_t bytesToDecode(int height, int width) const override {
        const std::size_t whole = fineBytes(height, width), tile = std::size_t(m_policy.tiles.size);
        return whole <= m_policy.largestWhole ? whole : fineBytes(std::int64_t(tile), std::int64_t(tile));
    }

private:
    // Positions of the layers in their sequence, as diffusers counts them.
    void buildDecoder(NetworkBuilder& b) {
        int layer = 0, extent = cells;
        const auto next = [&] { return "decoder.layers." + std::to_string(layer++); };
        m_decoderIn = b.conv(next(), m_config.latentChannels, m_config.width, 3, 1, 1, extent, extent);
        ++layer;  // the ReLU
        for (std::size_t i = 0; i < m_config.decoder.size(); ++i) {
            TinyLevel& level = m_decoder.emplace_back();
            for (int j = 0; j < m_config.decoder[i]; ++j)
                level.blocks.push_back(std::make_unique<TinyBlock>(next(), b, m_config.width, extent));
            const bool isLast = i + 1 == m_config.decoder.size();
            if (!isLast) extent *= 2, ++layer;  // the upsampling
            level.resample =
                b.conv(next(), m_config.width, isLast ? 3 : m_config.width, 3, 1, 1, extent, extent, isLast);
        }
    }

    void buildEncoder(NetworkBuilder& b) {
        int layer = 0, extent = cells * m_config.factor();
        const auto next = [&] { return "encoder.layers." + std::to_string(layer++); };
        for (std::size_t i = 0; i < m_config.encoder.size(); ++i) {
            TinyLevel& level = m_encoder.emplace_back();
            const bool isFirst = i == 0;
            level.resample = b.conv(next(), isFirst ? 3 : m_config.width, m_config.width, 3, isFirst ? 1 : 2, 1, extent,
                                    extent, isFirst);
            if (!isFirst) extent /= 2;
            for (int j = 0; j < m_config.encoder[i]; ++j)
                level.blocks.push_back(std::make_unique<TinyBlock>(next(), b, m_config.width, extent));
        }
        m_encoderOut = b.conv(next(), m_config.width, m_config.latentChannels, 3, 1, 1, extent, extent);
    }

    // From the blocks of the coarsest level on; all of it for one level.
    Tensor decodeFine(Tensor h) const {
        for (std::size_t i = 0; i < m_decoder.size(); ++i) {
            if (i > 0) h = m_decoder[i].throughBlocks(std::move(h));
            if (i + 1 < m_decoder.size()) h = nn::upsample2(h);
            h = nn::conv(h, m_decoder[i].resample);
        }
        return h;
    }

    // Up to the blocks of the coarsest level.
    Tensor encodeFine(Tensor h) const {
        for (std::size_t i = 0; i < m_encoder.size(); ++i) {
            h = nn::conv(h, m_encoder[i].resample);
            if (i + 1 < m_encoder.size()) h = m_encoder[i].throughBlocks(std::move(h));
        }
        return h;
    }

    // Cells around its own that a pixel of the fine part of the decoder, or a cell of that of the encoder, depends on:
    // one element of its level per filter, three filters in a block.
    int reach() const {
        double decoder = 0, encoder = 0;
        const std::size_t levels = m_config.decoder.size();
        for (std::size_t i = 0; i < levels; ++i) {
            const double element = 1.0 / double(std::size_t(1) << i);  // of level i of the decoder, in cells
            if (i > 0) decoder += (3 * m_config.decoder[i] + 1) * element;
            if (i + 1 == levels) decoder += element;
            const double fine = double(std::size_t(1) << i) / m_config.factor();
            if (i + 1 < levels) encoder += 3 * m_config.encoder[i] * fine;
            encoder += i == 0 ? fine : fine / 2;
        }
        return int(std::ceil(std::max(decoder, encoder))) + 1;
    }

    // Input, hidden and result of a block at the finest level, and two of them in the order of the filter's algorithm.
    std::size_t fineBytes(std::int64_t height, std::int64_t width) const {
        const std::int64_t f = m_config.factor();
        return std::size_t(height * f * width * f) * std::size_t(m_config.width) * 5 * sizeof(float);
    }

    TinyConfig m_config;
    TilePolicy m_policy;
    LatentScale m_scale;
    ChannelMap m_third, m_triple;
    Conv m_decoderIn, m_encoderOut;
    std::vector<TinyLevel> m_decoder, m_encoder;
};

}  // namespace

std::unique_ptr<Codec> makeAutoencoderTiny(const TinyConfig& config, NetworkBuilder& builder,
                                           const TilePolicy& policy) {
    return std::make_unique<AutoencoderTiny>(config, builder, policy);
}

const CodecKind& autoencoderTiny() {
    static const CodecKind row{"AutoencoderTiny", "tiny autoencoder",
                               [](const Json& config, const std::string& what) {
                                   const TinyConfig c = tinyConfig(config, what);
                                   return CodecFacts{.channels = c.latentChannels,
                                                     .factor = c.factor(),
                                                     .hasEncoder = c.hasEncoder,
                                                     .pixels = {}};
                               },
                               [](const Json& config, const std::string& what, NetworkBuilder& builder) {
                                   return makeAutoencoderTiny(tinyConfig(config, what), builder);
                               }};
    return row;
}

}  // namespace meander
