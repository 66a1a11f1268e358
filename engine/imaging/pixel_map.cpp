#include "engine/imaging/pixel_map.h"

namespace meander {
namespace {

template <class F> void eachPixel(std::int64_t n, std::int64_t h, std::int64_t w, int fold, F visit) {
    const std::int64_t channels = 3 * std::int64_t(fold) * fold;
    for (std::int64_t row = 0; row < n * h; ++row)
        for (std::int64_t x = 0; x < w; ++x)
            for (int c = 0; c < 3; ++c)
                for (int dy = 0; dy < fold; ++dy)
                    for (int dx = 0; dx < fold; ++dx) {
                        const std::int64_t state = (row * w + x) * channels + (c * fold + dy) * fold + dx;
                        const std::int64_t image = ((row * fold + dy) * w * fold + x * fold + dx) * 3 + c;
                        visit(std::size_t(state), std::size_t(image));
                    }
}

}  // namespace

HostTensor unfoldPixels(const HostTensor& states, int fold) {
    const Shape s = states.shape();
    if (!states || fold < 1 || s.rank() != 4 || s[3] != 3 * std::int64_t(fold) * fold) return {};
    const std::vector<float> from = states.toFloats();
    std::vector<float> pixels(from.size());
    eachPixel(s[0], s[1], s[2], fold, [&](std::size_t state, std::size_t image) { pixels[image] = from[state]; });
    return HostTensor::fromFloats({s[0], s[1] * fold, s[2] * fold, 3}, pixels);
}

HostTensor foldPixels(const HostTensor& images, int fold) {
    const Shape s = images.shape();
    if (!images || fold < 1 || s.rank() != 4 || s[3] != 3 || s[1] % fold != 0 || s[2] % fold != 0) return {};
    const std::vector<float> from = images.toFloats();
    std::vector<float> states(from.size());
    eachPixel(s[0], s[1] / fold, s[2] / fold, fold,
              [&](std::size_t state, std::size_t image) { states[state] = from[image]; });
    return HostTensor::fromFloats({s[0], s[1] / fold, s[2] / fold, 3 * std::int64_t(fold) * fold}, states);
}

HostTensor applyPixelMap(const PixelMap& map, const HostTensor& states) {
    const HostTensor pixels = unfoldPixels(states, map.fold);
    if (!pixels) return {};
    std::vector<float> v = pixels.toFloats();
    const float scale = float(map.scale), offset = float(map.offset);
    for (float& x : v) x = x * scale + offset;
    return HostTensor::fromFloats(pixels.shape(), v);
}

}  // namespace meander
