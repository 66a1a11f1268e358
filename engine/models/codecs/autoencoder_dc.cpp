// The codec of SANA (AutoencoderDC of diffusers; Chen et al. 2024): 32 pixels per cell along each side. Residual blocks
// at the fine levels, attention without a softmax at the coarse ones; resampling with shortcuts that fold pixels into
// channels and average or repeat these.
#include <algorithm>
#include <variant>

#include "engine/models/codecs/channel_map.h"
#include "engine/models/codecs/codec.h"
#include "engine/models/codecs/image_size.h"
#include "engine/models/layers/gated_filter.h"
#include "engine/nn/linear_attention.h"

namespace meander {
namespace {

using nn::Activation;

constexpr float eps = 1e-5f;
constexpr int cells = 32;  // expected along each side of a state

struct DcSide {
    std::vector<int> channels, layers;  // per level, finest first
    std::vector<bool> attends;
};
struct DcConfig {
    DcSide encoder, decoder;
    int latents = 32, headWidth = 32;
    double scale = 1;
    bool folds = false, unfolds = false;  // resampling by pixel (un)shuffle of a filter's result, else stride, nearest
    int factor() const { return 1 << (encoder.channels.size() - 1); }
};

[[noreturn]] void doesNotFit(const std::string& what) {
    throw Failure("The sizes in " + what + " do not fit together. The file may be damaged.");
}

DcSide sideOf(const Json& j, const std::string& name, const std::string& what) {
    const auto integers = [&](const char* key) {
        std::vector<int> all;
        for (const std::int64_t v : jsonIntegers(j, (name + key).c_str(), {}, 16, what)) {
            if (v < 1 || v > 1 << 14) doesNotFit(what);
            all.push_back(int(v));
        }
        return all;
    };
    DcSide side{integers("_block_out_channels"), integers("_layers_per_block"), {}};
    const auto kinds = jsonTexts(j, (name + "_block_types").c_str(), {}, what);
    const Json scales = j.value(name + "_qkv_multiscales", Json::array());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        side.attends.push_back(kinds[i] == "EfficientViTBlock");
        if (kinds[i] != "ResBlock" && !side.attends.back())
            throw Failure("The codec described in " + what + " has blocks of the kind '" + kinds[i]
                          + "', which Meander cannot compute yet.");
        if (side.attends.back() && (!scales.is_array() || i >= scales.size() || scales[i] != Json::array({5})))
            throw Failure(
                "The codec described in " + what
                + " has attention of other scales (qkv_multiscales) than 5, which Meander cannot compute yet.");
    }
    if (side.channels.size() < 2 || side.layers.size() != side.channels.size()
        || side.attends.size() != side.channels.size())
        doesNotFit(what);
    return side;
}

void requireText(const Json& j, const char* key, const char* usual, const std::string& what) {
    const Json value = j.value(key, Json(usual));
    const bool isUsual = value.is_array()
                             ? std::all_of(value.begin(), value.end(), [&](const Json& v) { return v == usual; })
                             : value == usual;
    if (!isUsual)
        throw Failure("The codec described in " + what + " has the setting '" + std::string(key) + "': " + value.dump()
                      + ", and Meander only knows " + usual + ".");
}

DcConfig dcConfig(const Json& j, const std::string& what) {
    if (!j.is_object()) throw Failure("The file " + what + " does not describe a codec.");
    DcConfig c;
    c.encoder = sideOf(j, "encoder", what);
    c.decoder = sideOf(j, "decoder", what);
    c.latents = int(jsonInteger(j, "latent_channels", 32, what));
    c.headWidth = int(jsonInteger(j, "attention_head_dim", 32, what));
    c.scale = jsonReal(j, "scaling_factor", 1, what);
    c.folds = jsonText(j, "downsample_block_type", "pixel_unshuffle", what) == "pixel_unshuffle";
    c.unfolds = jsonText(j, "upsample_block_type", "pixel_shuffle", what) == "pixel_shuffle";
    requireText(j, "decoder_norm_types", "rms_norm", what);
    requireText(j, "decoder_act_fns", "silu", what);
    requireText(j, "decoder_conv_act_fn", "relu", what);
    const bool hasShortcuts =
        jsonBool(j, "encoder_out_shortcut", true, what) && jsonBool(j, "decoder_in_shortcut", true, what);
    if (!hasShortcuts || jsonInteger(j, "in_channels", 3, what) != 3
        || c.encoder.channels.size() != c.decoder.channels.size() || c.latents < 1 || c.latents > 4096
        || c.headWidth < 1 || !(c.scale > 0) || c.encoder.channels.back() % c.latents != 0
        || c.decoder.channels.back() % c.latents != 0)
        doesNotFit(what);
    for (const DcSide* side : {&c.encoder, &c.decoder})
        for (std::size_t i = 0; i < side->channels.size(); ++i)
            if ((side->attends[i] && side->channels[i] % c.headWidth != 0)
                || (i > 0 && 4 * side->channels[i - 1] % side->channels[i] != 0))
                doesNotFit(what);
    return c;
}

// RMS norm with a bias.
struct BiasedNorm {
    BiasedNorm() = default;
    BiasedNorm(NetworkBuilder& b, const std::string& name, int c) : norm(b.norm(name, c)) {}
    Tensor operator()(const Tensor& x) const {
        const Tensor y = nn::rmsNorm(x, norm.gamma, eps);
        y.backend().binary(kernels::Binary::Add, y, norm.beta, y);
        return y;
    }
    Norm norm;
};

// The mean of each group of channels, or each channel repeated: a matrix without weights of its own.
Linear spreading(NetworkBuilder& b, int in, int out) {
    std::vector<float> w(std::size_t(in) * std::size_t(out));
    const int group = std::max(1, in / out), repeats = std::max(1, out / in);
    for (int o = 0; o < out; ++o)
        for (int i = 0; i < group; ++i)
            w[std::size_t(o) * std::size_t(in) + std::size_t(in > out ? o * group + i : o / repeats)] =
                1.0f / float(group);
    const HostWeight matrix = HostWeight::fromFloats({out, in}, w);
    return b.backend.packLinear(matrix.view(), kernels::View{}, b.compute);
}

struct ResidualBlock {
    ResidualBlock(NetworkBuilder& b, const std::string& name, int c, int extent)
        : conv1(b.conv(name + ".conv1", c, c, 3, 1, 1, extent, extent)),
          conv2(b.conv(name + ".conv2", c, c, 3, 1, 1, extent, extent, false)),
          norm(b, name + ".norm", c) {}
    Tensor operator()(const Tensor& x) const {
        return nn::add(norm(nn::conv(nn::conv(x, conv1, {.activation = Activation::Silu}), conv2)), x);
    }
    Conv conv1, conv2;
    BiasedNorm norm;
};

// Attention on the queries, keys and values of each cell and on those of its neighbourhood; then a gated filter. What
// is query, key and value goes by position in the joined channels, a head's width each in turn.
struct AttentionBlock {
    AttentionBlock(NetworkBuilder& b, const std::string& name, int c, int headWidth)
        : heads(c / headWidth),
          qkv(b.linearStack({{name + ".attn.to_q", c}, {name + ".attn.to_k", c}, {name + ".attn.to_v", c}}, c, false,
                            b.compute)),
          out(b.linear(name + ".attn.to_out", 2 * c, c, false)),
          neighbourhood(b, name + ".attn.to_qkv_multiscale.0.proj_in", 3 * c, 5, false),
          groups(b.table(name + ".attn.to_qkv_multiscale.0.proj_out.weight", {3 * c, headWidth, 1, 1})
                     .reshaped({3 * heads, headWidth, headWidth})),
          norm(b, name + ".attn.norm_out", c),
          filter(b, name + ".conv_out", c, 4 * c),
          filterNorm(b, name + ".conv_out.norm", c) {}

    // One image (1, h, w, c).
    Tensor operator()(const Tensor& x) const {
        const Shape s = x.shape(), tokens{1, s[1] * s[2], 2 * s[3]};
        const Tensor own = nn::linear(x, qkv), all = nn::concat(own, grouped(neighbourhood(own).converted(own.type())));
        const std::int64_t n = s[1] * s[2], count = 2 * heads;
        const Tensor parts =
            all.reshaped({n, count, 3, s[3] / heads}).transposed(1, 2).transposed(0, 1).clone();  // (3, n, count, d)
        const auto part = [&](std::int64_t i) { return parts.slice(i, 1).reshaped(tokens); };
        const auto positive = [&](const Tensor& t) {
            Tensor zero(t.backend(), {t.shape()[2]});
            t.backend().fill(zero, 0);
            t.backend().binary(kernels::Binary::Max, t, zero, t);
            return t;
        };
        const Tensor seen = nn::linearAttention(positive(part(0)), positive(part(1)), part(2), 2 * heads);
        const Tensor y = nn::add(norm(nn::linear(seen, out).reshaped(s)), x);
        return nn::add(filterNorm(filter(y)), y);
    }
    // Each group of channels by its own matrix.
    Tensor grouped(const Tensor& x) const {
        const Shape s = x.shape();
        const std::int64_t n = s[1] * s[2], count = groups.shape()[0], d = groups.shape()[1];
        const Tensor by = x.reshaped({n, count, d}).transposed(0, 1).clone();
        Tensor y(x.backend(), by.shape(), x.type());
        x.backend().batchedMatmul(by, groups.converted(x.type()), y, true);
        return y.transposed(0, 1).clone().reshaped(s);
    }
    int heads;
    Linear qkv, out;
    DepthwiseFilter neighbourhood;
    Tensor groups;
    BiasedNorm norm;
    GatedFilter filter;
    BiasedNorm filterNorm;
};

struct Down {
    Down(NetworkBuilder& b, const std::string& name, int in, int out, int extent, bool folds)
        : folds(folds),
          conv(b.conv(name + ".conv", in, folds ? out / 4 : out, 3, folds ? 1 : 2, 1, extent, extent)),
          shortcut(spreading(b, 4 * in, out)) {}
    Tensor operator()(const Tensor& x) const {
        const Tensor y = nn::conv(x, conv);
        return nn::linear(nn::pixelUnshuffle(x, 2), shortcut, {.onto = folds ? nn::pixelUnshuffle(y, 2) : y});
    }
    bool folds;
    Conv conv;
    Linear shortcut;
};

struct Up {
    Up(NetworkBuilder& b, const std::string& name, int in, int out, int extent, bool unfolds)
        : unfolds(unfolds),
          conv(b.conv(name + ".conv", in, unfolds ? 4 * out : out, 3, 1, 1, extent, extent)),
          shortcut(spreading(b, in, 4 * out)) {}
    Tensor operator()(const Tensor& x) const {
        const Tensor y = unfolds ? nn::pixelShuffle(nn::conv(x, conv), 2) : nn::conv(nn::upsample2(x), conv);
        return nn::add(y, nn::pixelShuffle(nn::linear(x, shortcut), 2));
    }
    bool unfolds;
    Conv conv;
    Linear shortcut;
};

using Layer = std::variant<ResidualBlock, AttentionBlock, Down, Up>;
Tensor through(const std::vector<Layer>& layers, Tensor x) {
    for (const Layer& layer : layers) x = std::visit([&](const auto& l) { return l(x); }, layer);
    return x;
}

class AutoencoderDc final : public Codec {
public:
    AutoencoderDc(const DcConfig& c, NetworkBuilder& b)
        : m_config(c),
          m_fromPixels(b, {2, 2, 2}, {-1, -1, -1}),
          m_toPixels(b, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}),
          m_scale(b, std::vector<double>(std::size_t(c.latents), 0.0),
                  std::vector<double>(std::size_t(c.latents), 1 / c.scale)) {
        buildEncoder(b);
        buildDecoder(b);
        parameters = b.parameters;
        weightBytes = b.weightBytes;
    }
    Tensor decode(const Tensor& states) const override {
        requireStates(states, m_config.latents);
        return eachImage(states, [&](const Tensor& state) {
            const Tensor z = m_scale.toLatent(state);
            const Tensor x = through(m_decoder, nn::add(nn::conv(z, m_decoderIn), nn::linear(z, m_repeated)));
            const Tensor y = m_decoderNorm(x);
            Tensor zero(y.backend(), {y.shape()[3]});
            y.backend().fill(zero, 0);
            y.backend().binary(kernels::Binary::Max, y, zero, y);
            return m_toPixels(nn::conv(y, m_decoderOut));
        });
    }
    Tensor encode(const Tensor& images) const override {
        requireImages(images, m_config.factor());
        return eachImage(images, [&](const Tensor& image) {
            const Tensor x = through(m_encoder, nn::conv(m_fromPixels(image), m_encoderIn));
            return m_scale.toState(nn::add(nn::conv(x, m_encoderOut), nn::linear(x, m_averaged)));
        });
    }
    // At the finest level: the input and the result of a filter, both once more in the order of its algorithm.
    std::size_t bytesToDecode(int height, int width) const override {
        const std::size_t side = std::size_t(m_config.factor());
        return std::size_t(height) * std::size_t(width) * side * side * std::size_t(m_config.decoder.channels.front())
               * 4 * sizeof(float);
    }

private:
    static void addBlock(std::vector<Layer>& layers, NetworkBuilder& b, const std::string& name, const DcConfig& c,
                         bool attends, int channels, int extent) {
        if (attends) layers.emplace_back(std::in_place_type<AttentionBlock>, b, name, channels, c.headWidth);
        else layers.emplace_back(std::in_place_type<ResidualBlock>, b, name, channels, extent);
    }
    void buildEncoder(NetworkBuilder& b) {
        const DcSide& side = m_config.encoder;
        int extent = cells * m_config.factor();
        m_encoderIn = b.conv("encoder.conv_in", 3, side.channels[0], 3, 1, 1, extent, extent);
        for (std::size_t i = 0; i < side.channels.size(); ++i) {
            const std::string level = "encoder.down_blocks." + std::to_string(i) + ".";
            for (int j = 0; j < side.layers[i]; ++j)
                addBlock(m_encoder, b, level + std::to_string(j), m_config, side.attends[i], side.channels[i], extent);
            if (i + 1 == side.channels.size()) break;
            m_encoder.emplace_back(std::in_place_type<Down>, b, level + std::to_string(side.layers[i]),
                                   side.channels[i], side.channels[i + 1], extent, m_config.folds);
            extent /= 2;
        }
        m_encoderOut = b.conv("encoder.conv_out", side.channels.back(), m_config.latents, 3, 1, 1, extent, extent);
        m_averaged = spreading(b, side.channels.back(), m_config.latents);
    }
    void buildDecoder(NetworkBuilder& b) {
        const DcSide& side = m_config.decoder;
        int extent = cells;
        m_decoderIn = b.conv("decoder.conv_in", m_config.latents, side.channels.back(), 3, 1, 1, extent, extent);
        m_repeated = spreading(b, m_config.latents, side.channels.back());
        for (std::size_t i = side.channels.size(); i-- > 0;) {
            const std::string level = "decoder.up_blocks." + std::to_string(i) + ".";
            int at = 0;
            if (i + 1 < side.channels.size()) {
                extent *= 2;
                m_decoder.emplace_back(std::in_place_type<Up>, b, level + std::to_string(at++), side.channels[i + 1],
                                       side.channels[i], extent, m_config.unfolds);
            }
            for (int j = 0; j < side.layers[i]; ++j)
                addBlock(m_decoder, b, level + std::to_string(at++), m_config, side.attends[i], side.channels[i],
                         extent);
        }
        m_decoderNorm = BiasedNorm(b, "decoder.norm_out", side.channels[0]);
        m_decoderOut = b.conv("decoder.conv_out", side.channels[0], 3, 3, 1, 1, extent, extent);
    }

    DcConfig m_config;
    ChannelMap m_fromPixels, m_toPixels;
    LatentScale m_scale;
    std::vector<Layer> m_encoder, m_decoder;
    Conv m_encoderIn, m_encoderOut, m_decoderIn, m_decoderOut;
    Linear m_averaged, m_repeated;
    BiasedNorm m_decoderNorm;
};

CodecFacts describe(const Json& config, const std::string& what) {
    const DcConfig c = dcConfig(config, what);
    return {.channels = c.latents, .factor = c.factor(), .hasEncoder = true, .pixels = {}};
}
std::unique_ptr<Codec> build(const Json& config, const std::string& what, NetworkBuilder& builder) {
    return std::make_unique<AutoencoderDc>(dcConfig(config, what), builder);
}

}  // namespace

const CodecKind& autoencoderDc() {
    static const CodecKind row{"AutoencoderDC", "deep compression autoencoder (DC-AE)", describe, build};
    return row;
}

}  // namespace meander
