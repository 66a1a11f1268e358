// The codec of Qwen-Image, made after that of Wan 2.1: an autoencoder of videos with causal filters
// (AutoencoderKLQwenImage of diffusers). An image is a video of one frame, before which there is nothing: of every
// filter in time the last slice alone meets it, and the resampling in time does nothing.
#include <algorithm>

#include "engine/models/codecs/channel_map.h"
#include "engine/models/codecs/codec.h"
#include "engine/models/codecs/image_size.h"
#include "engine/models/codecs/tiles.h"
#include "engine/nn/module.h"
#include "engine/nn/ops.h"

namespace meander {
namespace {

constexpr float eps = 1e-12f;  // PyTorch's normalize, squared
constexpr int cells = 64;      // expected along each side of a state, or of a tile of it

struct VideoConfig {
    int base = 96, latents = 16, layers = 2;
    std::vector<int> factors{1, 2, 4, 4};  // of `base`: channels per level, finest first
    std::vector<double> mean, deviation;
    int scale() const { return 1 << (factors.size() - 1); }
    int channels(std::size_t level) const { return base * factors[level]; }
};

VideoConfig videoConfig(const Json& j, const std::string& what) {
    const auto number = [&](const char* key, std::int64_t usual, std::int64_t largest) {
        const std::int64_t v = jsonInteger(j, key, usual, what);
        if (v < 1 || v > largest)
            throw Failure("The entry '" + std::string(key) + "' of " + what + " is " + std::to_string(v)
                          + ", which is not possible. The file may be damaged.");
        return int(v);
    };
    VideoConfig c;
    c.base = number("base_dim", 96, 4096);
    c.latents = number("z_dim", 16, 256);
    c.layers = number("num_res_blocks", 2, 64);
    c.factors.clear();
    for (const std::int64_t f : jsonIntegers(j, "dim_mult", {1, 2, 4, 4}, 8, what)) c.factors.push_back(int(f));
    c.mean = jsonReals(j, "latents_mean",
                       {-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517,
                        -0.3632, -0.1922, -0.9497, 0.2503, -0.2921},
                       what);
    c.deviation = jsonReals(j, "latents_std",
                            {2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652,
                             1.5579, 1.6382, 1.1253, 2.8251, 1.9160},
                            what);
    if (!jsonReals(j, "attn_scales", {}, what).empty() || jsonBool(j, "is_residual", false, what)
        || number("input_channels", 3, 64) != 3 || number("in_channels", 3, 64) != 3)
        throw Failure("The codec described in " + what
                      + " is a variant (attention at further scales, residual resampling or other channels of its "
                        "images) that Meander cannot compute yet.");
    const bool isPositive = std::all_of(c.factors.begin(), c.factors.end(), [](int f) { return f >= 1 && f <= 64; })
                            && std::all_of(c.deviation.begin(), c.deviation.end(), [](double d) { return d > 0; });
    if (c.factors.size() < 2 || !isPositive || c.mean.size() != std::size_t(c.latents)
        || c.deviation.size() != std::size_t(c.latents))
        throw Failure("The sizes in " + what + " do not fit together. The file may be damaged.");
    return c;
}

// √c · x / ‖x‖ over the channels · gamma.
Tensor readNorm(NetworkBuilder& b, const std::string& name, std::int64_t channels, bool isOfVideo) {
    const Shape stored = isOfVideo ? Shape{channels, 1, 1, 1} : Shape{channels, 1, 1};
    return b.table(name + ".gamma", stored).reshaped({channels});
}
Tensor normed(const Tensor& x, const Tensor& gamma) { return nn::silu(nn::rmsNorm(x, gamma, eps)); }

struct ResidualBlock {
    ResidualBlock(NetworkBuilder& b, const std::string& name, int in, int out, int extent)
        : norm1(readNorm(b, name + ".norm1", in, true)),
          norm2(readNorm(b, name + ".norm2", out, true)),
          conv1(b.convOfFrame(name + ".conv1", in, out, 3, 1, extent)),
          conv2(b.convOfFrame(name + ".conv2", out, out, 3, 1, extent)) {
        if (in != out) shortcut = b.linear(name + ".conv_shortcut", in, out);
    }
    Tensor operator()(const Tensor& x) const {
        const Tensor residual = shortcut ? nn::linear(x, shortcut) : x;
        return nn::conv(normed(nn::conv(normed(x, norm1), conv1), norm2), conv2, {.residual = residual});
    }
    Tensor norm1, norm2;
    Conv conv1, conv2;
    Linear shortcut;  // null: identity
};

// Two residual blocks and between them attention with one head over all cells.
struct Middle {
    Middle(NetworkBuilder& b, const std::string& name, int c)
        : first(b, name + ".resnets.0", c, c, cells),
          second(b, name + ".resnets.1", c, c, cells),
          norm(readNorm(b, name + ".attentions.0.norm", c, false)),
          qkv(b.linear(name + ".attentions.0.to_qkv", c, 3 * c, true, true)),
          out(b.linear(name + ".attentions.0.proj", c, c, true, true)) {}
    Tensor operator()(const Tensor& input) const {
        const Tensor x = first(input);
        const Shape s = x.shape(), tokens{s[0], s[1] * s[2], s[3]};
        const auto [q, k, v] = nn::chunk<3>(nn::linear(nn::rmsNorm(x, norm, eps).reshaped(tokens), qkv));
        const Tensor y = nn::attend({.q = q, .k = k, .v = v, .heads = 1, .causal = false, .probabilities = {}});
        return second(nn::linear(y, out, {.onto = x.reshaped(tokens)}).reshaped(s));
    }
    ResidualBlock first, second;
    Tensor norm;
    Linear qkv, out;
};

struct Level {
    std::vector<ResidualBlock> blocks;
    Conv resample;  // null at the last one
};

struct Encoder {
    Encoder(NetworkBuilder& b, const VideoConfig& c) {
        int extent = cells * c.scale(), in = c.base, layer = 0;
        convIn = b.convOfFrame("encoder.conv_in", 3, in, 3, 1, extent);
        const auto next = [&] { return "encoder.down_blocks." + std::to_string(layer++); };
        for (std::size_t i = 0; i < c.factors.size(); ++i) {
            Level level;
            for (int j = 0; j < c.layers; ++j, in = c.channels(i))
                level.blocks.emplace_back(b, next(), in, c.channels(i), extent);
            if (i + 1 < c.factors.size())
                level.resample = b.conv(next() + ".resample.1", in, in, 3, 2, 0, extent + 1, extent + 1);
            extent /= 2;
            levels.push_back(std::move(level));
        }
        middle = std::make_unique<Middle>(b, "encoder.mid_block", in);
        norm = readNorm(b, "encoder.norm_out", in, true);
        convOut = b.convOfFrame("encoder.conv_out", in, 2 * c.latents, 3, 1, cells);
    }
    Tensor operator()(const Tensor& pixels) const {
        Tensor x = nn::conv(pixels, convIn);
        for (const Level& level : levels) {
            for (const auto& block : level.blocks) x = block(x);
            if (level.resample) x = nn::conv(paddedBelow(x), level.resample);
        }
        return nn::conv(normed((*middle)(x), norm), convOut);
    }
    // A row and a column of zeros below and to the right.
    static Tensor paddedBelow(const Tensor& x) {
        const Shape s = x.shape();
        Tensor padded(x.backend(), {s[0], s[1] + 1, s[2] + 1, s[3]}, x.type());
        x.backend().fill(padded, 0);
        x.backend().copy(x, padded.view().slice(1, 0, s[1]).slice(2, 0, s[2]));
        return padded;
    }
    Conv convIn, convOut;
    std::vector<Level> levels;
    std::unique_ptr<Middle> middle;
    Tensor norm;
};

struct Decoder {
    Decoder(NetworkBuilder& b, const VideoConfig& c) {
        const std::size_t count = c.factors.size();
        int extent = cells, in = c.channels(count - 1);
        convIn = b.convOfFrame("decoder.conv_in", c.latents, in, 3, 1, extent);
        middle = std::make_unique<Middle>(b, "decoder.mid_block", in);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = "decoder.up_blocks." + std::to_string(i);
            const int out = c.channels(count - 1 - i);
            Level level;
            for (int j = 0; j < c.layers + 1; ++j, in = out)
                level.blocks.emplace_back(b, name + ".resnets." + std::to_string(j), in, out, extent);
            if (i + 1 < count) {
                extent *= 2;
                in = out / 2;
                level.resample = b.conv(name + ".upsamplers.0.resample.1", out, in, 3, 1, 1, extent, extent);
            }
            levels.push_back(std::move(level));
        }
        norm = readNorm(b, "decoder.norm_out", in, true);
        convOut = b.convOfFrame("decoder.conv_out", in, 3, 3, 1, extent);
    }
    Tensor coarse(const Tensor& latents) const { return (*middle)(nn::conv(latents, convIn)); }
    Tensor fine(Tensor x) const {
        for (const Level& level : levels) {
            for (const auto& block : level.blocks) x = block(x);
            if (level.resample) x = nn::conv(nn::upsample2(x), level.resample);
        }
        return nn::conv(normed(x, norm), convOut);
    }
    Conv convIn, convOut;
    std::unique_ptr<Middle> middle;
    std::vector<Level> levels;
    Tensor norm;
};

class AutoencoderKlQwenImage final : public Codec {
public:
    AutoencoderKlQwenImage(const VideoConfig& config, NetworkBuilder& b)
        : m_config(config),
          m_encoder(b, config),
          m_decoder(b, config),
          m_quant(
              b.linearRows("quant_conv", 2 * config.latents, 2 * config.latents, 0, config.latents)),  // of the mean
          m_postQuant(b.linear("post_quant_conv", config.latents, config.latents)),
          m_scale(b, config.mean, config.deviation),
          m_fromPixels(b, {2, 2, 2}, {-1, -1, -1}),
          m_toPixels(b, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}) {
        parameters = b.parameters;
        weightBytes = b.weightBytes;
    }

    Tensor decode(const Tensor& states) const override {
        requireStates(states, m_config.latents);
        return eachImage(states, [&](const Tensor& state) {
            Tensor z = m_decoder.coarse(nn::linear(m_scale.toLatent(state), m_postQuant));
            const std::size_t bytes = bytesToDecode(int(state.shape()[1]), int(state.shape()[2]));
            return m_toPixels(wholeOrInTiles(std::move(z), bytes, {}, 1, m_config.scale(),
                                             [&](Tensor t) { return m_decoder.fine(std::move(t)); }));
        });
    }
    Tensor encode(const Tensor& images) const override {
        requireImages(images, m_config.scale());
        return eachImage(images, [&](const Tensor& image) {
            return m_scale.toState(nn::linear(m_encoder(m_fromPixels(image)), m_quant));
        });
    }
    // At the finest level: the input and the result of a filter, both once more in the order of its algorithm.
    std::size_t bytesToDecode(int height, int width) const override {
        const std::size_t pixels =
            std::size_t(height) * std::size_t(width) * std::size_t(m_config.scale() * m_config.scale());
        return pixels * std::size_t(m_config.channels(0)) * 4 * sizeof(float);
    }

private:
    VideoConfig m_config;
    Encoder m_encoder;
    Decoder m_decoder;
    Linear m_quant, m_postQuant;
    LatentScale m_scale;
    ChannelMap m_fromPixels, m_toPixels;
};

CodecFacts describe(const Json& config, const std::string& what) {
    const VideoConfig c = videoConfig(config, what);
    return {.channels = c.latents, .factor = c.scale(), .hasEncoder = true, .pixels = {}};
}
std::unique_ptr<Codec> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<AutoencoderKlQwenImage>(videoConfig(config, what), builder);
}

}  // namespace

const CodecKind& autoencoderKlQwenImage() {
    static const CodecKind row{"AutoencoderKLQwenImage", "KL autoencoder of Qwen-Image", describe, build};
    return row;
}

}  // namespace meander
