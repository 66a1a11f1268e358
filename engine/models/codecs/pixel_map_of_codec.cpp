// The linear preview of a codec, measured on the codec itself.
#include <algorithm>
#include <cmath>
#include <random>

#include "engine/models/codecs/codec.h"

namespace meander {
namespace {

constexpr int cells = 32;     // along each side of an example
constexpr int images = 4;     // examples
constexpr int waveCount = 4;  // per channel

// Slow waves that all channels share, others of each channel, and grain, (n, size, size, channels): around `mean`,
// mostly within ± spread. Grain shows the fit which directions of a state are texture, not colour.
HostTensor smooth(int n, int size, int channels, double mean, double spread) {
    std::mt19937 random(1);
    const auto uniform = [&] { return 2.0 * random() / 4294967296.0 - 1; };
    struct Field {
        double base;
        std::array<std::array<double, 3>, waveCount> waves;
        double at(double x, double y) const {
            double sum = base;
            for (const auto& [fx, fy, phase] : waves) sum += 0.25 * std::sin(fx * x + fy * y + phase);
            return sum;
        }
    };
    const auto field = [&] {
        Field f{0.6 * uniform(), {}};
        for (auto& w : f.waves) w = {12 * uniform(), 12 * uniform(), 3.2 * uniform()};
        return f;
    };
    std::vector<float> v(std::size_t(n) * std::size_t(size) * std::size_t(size) * std::size_t(channels));
    for (int i = 0; i < n; ++i) {
        const Field shared = field();
        const double saturation = std::abs(uniform()), grain = i % 2 ? 0.2 * std::abs(uniform()) : 0;
        for (int c = 0; c < channels; ++c) {
            const Field own = field();
            for (int y = 0; y < size; ++y)
                for (int x = 0; x < size; ++x) {
                    const double u = double(x) / size, w = double(y) / size,
                                 sum = shared.at(u, w) + saturation * own.at(u, w) + grain * uniform();
                    v[std::size_t(((i * size + y) * size + x) * channels + c)] =
                        float(mean + spread * std::clamp(0.7 * sum, -1.0, 1.0));
                }
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
