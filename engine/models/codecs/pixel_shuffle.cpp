// Pixels, no network: state = (pixelUnshuffle(2·image − 1) − shift)·scale.
#include "engine/models/codecs/codec.h"

namespace meander {
namespace {

class PixelShuffleCodec final : public Codec {
public:
    PixelShuffleCodec(int factor, double scale, double shift) : m_factor(factor), m_scale(scale), m_shift(shift) {}

    PixelMap map() const {
        return {.fold = m_factor, .scale = 0.5 / m_scale, .offset = 0.5 * m_shift + 0.5, .matrix = {}, .bias = {}};
    }

    Tensor decode(const Tensor& states) const override {
        const HostTensor images = applyPixelMap(map(), download(states));
        if (!images)
            throw Failure("The codec of this model expects states with " + std::to_string(3 * m_factor * m_factor)
                          + " channels, not " + states.shape().text() + ". Its parts do not belong together.");
        return upload(states.backend(), images);
    }

    Tensor encode(const Tensor& images) const override {
        const HostTensor states = foldPixels(download(images), m_factor);
        if (!states)
            throw Failure("An image of " + images.shape().text()
                          + " does not fit this model: its height and width must be multiples of "
                          + std::to_string(m_factor) + ".");
        std::vector<float> v = states.toFloats();
        for (float& x : v) x = float((2.0 * x - 1.0 - m_shift) * m_scale);
        return upload(images.backend(), HostTensor::fromFloats(states.shape(), v));
    }

    std::size_t bytesToDecode(int height, int width) const override {
        return std::size_t(height) * std::size_t(width) * std::size_t(3 * m_factor * m_factor) * 2 * sizeof(float);
    }

private:
    int m_factor;
    double m_scale, m_shift;
};

PixelShuffleCodec codecOf(const Json& config, const std::string& what) {
    const std::int64_t factor = jsonInteger(config, "factor", 2, what);
    const double scale = jsonReal(config, "scale", 1, what), shift = jsonReal(config, "shift", 0, what);
    if (factor < 1 || factor > 64 || !(scale > 0))
        throw Failure("The codec described in " + what
                      + " has an impossible factor or scale. The file may be damaged.");
    return {int(factor), scale, shift};
}

}  // namespace

const CodecKind& pixelShuffleCodec() {
    static const CodecKind row{
        "PixelShuffleCodec", "folded pixels",
        [](const Json& config, const std::string& what) {
            const PixelMap map = codecOf(config, what).map();
            return CodecFacts{.channels = 3 * map.fold * map.fold, .factor = map.fold, .pixels = map};
        },
        [](const Json& config, const std::string& what, NetworkBuilder&) -> std::unique_ptr<Codec> {
            return std::make_unique<PixelShuffleCodec>(codecOf(config, what));
        }};
    return row;
}

}  // namespace meander
