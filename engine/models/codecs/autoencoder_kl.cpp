#include "engine/models/codecs/autoencoder_kl.h"

#include <cmath>

#include "engine/models/codecs/channel_map.h"
#include "engine/models/codecs/image_size.h"
#include "engine/models/codecs/kl_blocks.h"
#include "engine/nn/ops.h"

namespace meander {
namespace {

// Attention over all cells costs their square: beyond this many along a side it stays within tiles.
constexpr Tiling coarseTiles{.size = 128, .overlap = 32, .margin = 8};

LatentScale latentScale(const KlConfig& c, NetworkBuilder& b) {
    if (!c.mean.empty()) return {b, c.mean, c.deviation};
    // The running statistics of a batch norm without an affine part.
    const std::int64_t n = c.stateChannels();
    const std::vector<float> mean = b.source.read("bn.running_mean", {n}).floats(),
                             variance = b.source.read("bn.running_var", {n}).floats();
    std::vector<double> deviation;
    for (const float v : variance) deviation.push_back(std::sqrt(double(v) + c.statisticsEps));
    return {b, {mean.begin(), mean.end()}, deviation};
}

class AutoencoderKl final : public Codec {
public:
    AutoencoderKl(const KlConfig& config, NetworkBuilder& b, const TilePolicy& policy)
        : m_config(config),
          m_policy(policy),
          m_encoder("encoder", b, config),
          m_decoder("decoder", b, config),
          m_scale(latentScale(config, b)),
          m_fromPixels(b, {2, 2, 2}, {-1, -1, -1}),
          m_toPixels(b, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}) {
        const int z = config.latentChannels;
        if (config.hasQuantConv) m_quant = b.linearRows("quant_conv", 2 * z, 2 * z, 0, z);  // of the mean
        if (config.hasPostQuantConv) m_postQuant = b.linear("post_quant_conv", z, z, true, true);
        parameters = b.parameters;
        weightBytes = b.weightBytes;
    }

    Tensor decode(const Tensor& states) const override {
        requireStates(states, m_config.stateChannels());
        return eachImage(states, [&](const Tensor& state) {
            Tensor z = m_scale.toLatent(state);
            if (m_config.patch > 1) z = nn::pixelShuffle(z, m_config.patch);
            if (m_postQuant) z = nn::linear(z, m_postQuant);
            z = coarse(std::move(z), [&](const Tensor& t) { return m_decoder.coarse(t); });
            const std::size_t bytes = fineBytes(m_config.decoder, z.shape()[1], z.shape()[2]);
            return m_toPixels(wholeOrInTiles(std::move(z), bytes, m_policy, 1, m_config.scale(),
                                             [&](Tensor t) { return m_decoder.fine(std::move(t)); }));
        });
    }

    Tensor encode(const Tensor& images) const override {
        requireImages(images, m_config.factor());
        return eachImage(images, [&](const Tensor& image) {
            const int scale = m_config.scale();
            const std::size_t bytes = fineBytes(m_config.encoder, image.shape()[1] / scale, image.shape()[2] / scale);
            Tensor h = wholeOrInTiles(m_fromPixels(image), bytes, m_policy, scale, 1,
                                      [&](Tensor t) { return m_encoder.fine(std::move(t)); });
            h = coarse(std::move(h), [&](Tensor t) { return m_encoder.coarse(std::move(t)); });
            Tensor mean = m_quant ? nn::linear(h, m_quant) : nn::columns(h, 0, m_config.latentChannels);
            if (m_config.patch > 1) mean = nn::pixelUnshuffle(mean, m_config.patch);
            return m_scale.toState(mean);
        });
    }

    std::size_t bytesToDecode(int height, int width) const override {
        const std::int64_t tall = std::int64_t(height) * m_config.patch, wide = std::int64_t(width) * m_config.patch;
        const std::size_t whole = fineBytes(m_config.decoder, tall, wide);
        if (whole <= m_policy.largestWhole) return whole;
        const std::int64_t tile = m_policy.tiles.size;
        // Tiles, beside the features of all cells.
        return fineBytes(m_config.decoder, std::min(tall, tile), std::min(wide, tile))
               + std::size_t(tall * wide) * std::size_t(m_config.decoder.back()) * 3 * sizeof(float);
    }

private:
    // At each level the widest moment is the filter after the resampling: its input and result, and both once more in
    // the order of its algorithm.
    std::size_t fineBytes(const std::vector<int>& channels, std::int64_t height, std::int64_t width) const {
        std::size_t most = 0;
        for (std::size_t i = 0; i < channels.size(); ++i) {
            const auto side = std::size_t(1) << (channels.size() - 1 - i);
            const auto widest = std::size_t(channels[std::min(i + 1, channels.size() - 1)]);
            most = std::max(most, std::size_t(height * width) * side * side * widest * 4 * sizeof(float));
        }
        return most;
    }

    Tensor coarse(Tensor x, const std::function<Tensor(Tensor)>& compute) const {
        if (std::max(x.shape()[1], x.shape()[2]) <= coarseTiles.size) return compute(std::move(x));
        return inTiles(x, coarseTiles, 1, 1, compute);
    }

    KlConfig m_config;
    TilePolicy m_policy;
    KlEncoder m_encoder;
    KlDecoder m_decoder;
    LatentScale m_scale;
    ChannelMap m_fromPixels, m_toPixels;
    Linear m_quant, m_postQuant;  // null: none
};

template <KlConfig (*read)(const Json&, const std::string&)>
CodecFacts factsOf(const Json& config, const std::string& what) {
    const KlConfig c = read(config, what);
    return {.channels = c.stateChannels(), .factor = c.factor(), .hasEncoder = true, .pixels = {}};
}
template <KlConfig (*read)(const Json&, const std::string&)>
std::unique_ptr<Codec> buildKl(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return makeAutoencoderKl(read(config, what), builder);
}

}  // namespace

std::unique_ptr<Codec> makeAutoencoderKl(const KlConfig& config, NetworkBuilder& builder, const TilePolicy& policy) {
    return std::make_unique<AutoencoderKl>(config, builder, policy);
}

const CodecKind& autoencoderKl() {
    static const CodecKind row{"AutoencoderKL", "KL autoencoder", factsOf<klConfig>, buildKl<klConfig>};
    return row;
}

const CodecKind& autoencoderKlFlux2() {
    static const CodecKind row{"AutoencoderKLFlux2", "KL autoencoder of Flux.2", factsOf<flux2KlConfig>,
                               buildKl<flux2KlConfig>};
    return row;
}

}  // namespace meander
