#include "engine/models/codecs/codec.h"

namespace meander {
namespace {

// state (n, h, w, 3·f²), channel c·f² + dy·f + dx ↔ image (n, h·f, w·f, 3), pixel (dy, dx).
template <class F> void eachPixel(std::int64_t n, std::int64_t h, std::int64_t w, int f, F visit) {
    const std::int64_t channels = 3 * std::int64_t(f) * f;
    for (std::int64_t row = 0; row < n * h; ++row)
        for (std::int64_t x = 0; x < w; ++x)
            for (int c = 0; c < 3; ++c)
                for (int dy = 0; dy < f; ++dy)
                    for (int dx = 0; dx < f; ++dx) {
                        const std::int64_t state = (row * w + x) * channels + (c * f + dy) * f + dx;
                        const std::int64_t image = ((row * f + dy) * w * f + x * f + dx) * 3 + c;
                        visit(std::size_t(state), std::size_t(image));
                    }
}

}  // namespace

Shape PixelShuffleCodec::imageShape(const Shape& state) const {
    if (state.rank() != 3 || state[2] != 3 * std::int64_t(m_factor) * m_factor)
        throw Failure("The codec of this model expects states with " + std::to_string(3 * m_factor * m_factor)
                      + " channels, but the network has the shape " + state.text()
                      + ". Its parts do not belong together.");
    return {state[0] * m_factor, state[1] * m_factor, 3};
}

HostTensor PixelShuffleCodec::decode(const HostTensor& states) const {
    const Shape s = states.shape();
    if (s.rank() != 4) throw std::invalid_argument("decode: states must be (n, h, w, c), not " + s.text());
    const Shape p = imageShape({s[1], s[2], s[3]});
    const std::vector<float> from = states.toFloats();
    std::vector<float> pixels(from.size());
    const float factor = float(0.5 / m_scale), offset = float(0.5 * m_shift + 0.5);
    eachPixel(s[0], s[1], s[2], m_factor,
              [&](std::size_t state, std::size_t pixel) { pixels[pixel] = from[state] * factor + offset; });
    return HostTensor::fromFloats({s[0], p[0], p[1], 3}, pixels);
}

HostTensor PixelShuffleCodec::encode(const HostTensor& images) const {
    const Shape s = images.shape();
    if (s.rank() != 4 || s[3] != 3 || s[1] % m_factor != 0 || s[2] % m_factor != 0)
        throw Failure("An image of " + s.text() + " does not fit this model: its height and width must be multiples of "
                      + std::to_string(m_factor) + ".");
    const std::vector<float> pixels = images.toFloats();
    std::vector<float> states(pixels.size());
    eachPixel(s[0], s[1] / m_factor, s[2] / m_factor, m_factor, [&](std::size_t state, std::size_t pixel) {
        states[state] = float((2.0 * pixels[pixel] - 1.0 - m_shift) * m_scale);
    });
    return HostTensor::fromFloats({s[0], s[1] / m_factor, s[2] / m_factor, 3 * std::int64_t(m_factor) * m_factor},
                                  states);
}

std::unique_ptr<Codec> codecFrom(const Json& config, const std::string& what) {
    const std::string kind = jsonText(config, "_class_name", "", what);
    if (kind != "PixelShuffleCodec")
        throw Failure("The codec described in " + what + " is of the kind '" + kind
                      + "', which Meander cannot use yet. It knows PixelShuffleCodec.");
    const std::int64_t factor = jsonInteger(config, "factor", 2, what);
    const double scale = jsonReal(config, "scale", 1, what), shift = jsonReal(config, "shift", 0, what);
    if (factor < 1 || factor > 64 || !(scale > 0))
        throw Failure("The codec described in " + what
                      + " has an impossible factor or scale. The file may be damaged.");
    return std::make_unique<PixelShuffleCodec>(int(factor), scale, shift);
}

}  // namespace meander
