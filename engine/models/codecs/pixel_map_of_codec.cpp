// The linear preview of a codec, measured on the codec itself.
#include <algorithm>
#include <cmath>
#include <random>

#include "engine/models/codecs/codec.h"

namespace meander {
namespace {

constexpr int cells = 16;  // along each side of an example
constexpr int images = 4;  // examples
constexpr int waves = 6;   // per channel

// Sums of slow waves, (n, size, size, channels): around `mean`, mostly within ± spread.
HostTensor smooth(int n, int size, int channels, double mean, double spread) {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> uniform(-1, 1);
    std::vector<float> v(std::size_t(n) * std::size_t(size) * std::size_t(size) * std::size_t(channels));
    for (int i = 0; i < n; ++i)
        for (int c = 0; c < channels; ++c) {
            const double base = uniform(random);
            std::array<std::array<double, 3>, waves> w;
            for (auto& wave : w) wave = {6 * uniform(random), 6 * uniform(random), 3.2 * uniform(random)};
            for (int y = 0; y < size; ++y)
                for (int x = 0; x < size; ++x) {
                    double sum = base;
                    for (const auto& [fx, fy, phase] : w)
                        sum += std::sin(fx * x * 3 / size + fy * y * 3 / size + phase) * 2 / waves;
                    v[std::size_t(((i * size + y) * size + x) * channels + c)] =
                        float(mean + spread * std::clamp(sum, -1.0, 1.0));
                }
        }
    return HostTensor::fromFloats({n, size, size, channels}, v);
}

}  // namespace

PixelMap measuredPixelMap(const Codec& codec, Backend& backend, const CodecFacts& facts) {
    std::vector<Tensor> states, pixels;
    const HostTensor examples = facts.hasEncoder ? smooth(images, cells * facts.factor, 3, 0.5, 0.5)
                                                 : smooth(images, cells, facts.channels, 0, 2);
    for (int i = 0; i < images; ++i) {
        const Tensor one = upload(backend, examples.rows(i, 1));
        states.push_back(facts.hasEncoder ? codec.encode(one) : one);
        pixels.push_back(facts.hasEncoder ? one : codec.decode(one));
    }
    return fittedPixelMap(download(stackRows(states)), download(stackRows(pixels)));
}

}  // namespace meander
