// What the tests of changes inside a network share.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/models/architectures/unet.h"

namespace meander::bench {

// Normal, of deviation 1.
inline std::vector<float> random(std::size_t n, std::uint32_t seed) {
    RandomWeights source(seed + 1);
    std::vector<float> v = source.read("noise.bias", {std::int64_t(n)}).floats();
    for (float& x : v) x *= 50;  // RandomWeights draws biases with deviation 0.02
    return v;
}
// 1e9 where the shapes differ.
inline double largestDifference(const HostTensor& a, const HostTensor& b) {
    double d = a.shape() == b.shape() ? 0 : 1e9;
    for (std::int64_t i = 0; d < 1e9 && i < a.count(); ++i) d = std::max(d, std::abs(a.at(i) - b.at(i)));
    return d;
}

}  // namespace meander::bench
