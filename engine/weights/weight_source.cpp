#include "engine/weights/weight_source.h"

#include <cmath>

namespace meander {

using kernels::Shape;

HostWeight RandomWeights::read(const std::string& name, const Shape& shape) {
    const bool matrix = shape.rank() >= 2,
               norm = !matrix && name.find("norm") != std::string::npos && name.ends_with("weight");
    const float mean = norm ? 1.0f : 0.0f, stddev = matrix ? 0.8f / std::sqrt(float(shape.rowCount())) : 0.02f;
    // Sum of four uniform 16-bit numbers: near enough to a normal, one multiplication per number.
    const float scale = stddev / (65536.0f * std::sqrt(4.0f / 12.0f));
    std::vector<float> values(std::size_t(shape.count()));
    for (float& v : values) {
        m_state = m_state * 6364136223846793005ull + 1442695040888963407ull;
        std::uint64_t z = (m_state ^ (m_state >> 29)) * 0xbf58476d1ce4e5b9ull;
        z ^= z >> 32;
        const float sum = float(z & 0xffff) + float((z >> 16) & 0xffff) + float((z >> 32) & 0xffff) + float(z >> 48);
        v = mean + (sum - 2.0f * 65535.0f) * scale;
    }
    return HostWeight::fromFloats(shape, std::move(values));
}

bool isSameShape(const Shape& a, const Shape& b) {
    const auto significant = [](const Shape& s) {
        std::vector<std::int64_t> extents;
        for (const auto e : s.extents())
            if (e != 1) extents.push_back(e);
        return extents;
    };
    return a == b || significant(a) == significant(b);
}

}  // namespace meander
