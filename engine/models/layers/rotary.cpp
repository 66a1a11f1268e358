#include "engine/models/layers/rotary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace meander {

bool RotaryAxes::isFor(int headWidth) const {
    return std::all_of(channels.begin(), channels.end(), [](int c) { return c > 0 && c % 2 == 0; })
           && std::accumulate(channels.begin(), channels.end(), 0) == headWidth;
}

Rotary::Rotary(Backend& backend, const RotaryAxes& axes, std::span<const double> positions) {
    std::vector<double> frequencies;
    std::vector<std::size_t> axisOf;
    for (std::size_t a = 0; a < axes.channels.size(); ++a)
        for (int i = 0; 2 * i < axes.channels[a]; ++i) {
            frequencies.push_back(std::pow(axes.base, -2.0 * i / axes.channels[a]));
            axisOf.push_back(a);
        }
    const std::size_t tokens = positions.size() / axes.channels.size(), pairs = frequencies.size();
    std::vector<float> cosines(tokens * pairs), sines(tokens * pairs);
    for (std::size_t t = 0; t < tokens; ++t)
        for (std::size_t p = 0; p < pairs; ++p) {
            const double angle = positions[t * axes.channels.size() + axisOf[p]] * frequencies[p];
            cosines[t * pairs + p] = float(std::cos(angle));
            sines[t * pairs + p] = float(std::sin(angle));
        }
    const Shape shape{std::int64_t(tokens), std::int64_t(pairs)};
    m_cos = upload(backend, HostTensor::fromFloats(shape, cosines));
    m_sin = upload(backend, HostTensor::fromFloats(shape, sines));
}

void Rotary::turn(const Tensor& x) const {
    x.backend().rope(x, {m_cos, m_sin, kernels::RopePairing::Interleaved, {}}, x);
}

}  // namespace meander
