#include "engine/models/files/weights.h"

#include <cmath>
#include <cstring>

namespace meander {

using kernels::DType;

std::vector<float> HostWeight::floats() const {
    const std::size_t n = std::size_t(shape.count());
    std::vector<float> values(n);
    const std::byte* from = bytes.data();
    auto element = [from](std::size_t i, auto zero) {
        std::memcpy(&zero, from + i * sizeof zero, sizeof zero);
        return zero;
    };
    switch (type) {
    case DType::F32: std::memcpy(values.data(), from, n * 4); break;
    case DType::F64:
        for (std::size_t i = 0; i < n; ++i) values[i] = float(element(i, 0.0));
        break;
    case DType::F16:
        for (std::size_t i = 0; i < n; ++i) values[i] = kernels::f16ToFloat(element(i, std::uint16_t(0)));
        break;
    case DType::BF16:
        for (std::size_t i = 0; i < n; ++i) values[i] = kernels::bf16ToFloat(element(i, std::uint16_t(0)));
        break;
    case DType::I32:
        for (std::size_t i = 0; i < n; ++i) values[i] = float(element(i, std::int32_t(0)));
        break;
    }
    return values;
}

HostWeight RandomWeights::read(const std::string& name, const kernels::Shape& shape) {
    HostWeight w{shape, DType::F32, std::vector<std::byte>(std::size_t(shape.count()) * 4)};
    const bool matrix = shape.rank() >= 2,
               norm = !matrix && name.find("norm") != std::string::npos && name.ends_with("weight");
    const float mean = norm ? 1.0f : 0.0f, stddev = matrix ? 0.8f / std::sqrt(float(shape.rowCount())) : 0.02f;
    // Sum of four uniform 16-bit numbers: near enough to a normal, one multiplication per number.
    const float scale = stddev / (65536.0f * std::sqrt(4.0f / 12.0f));
    for (std::int64_t i = 0; i < shape.count(); ++i) {
        m_state = m_state * 6364136223846793005ull + 1442695040888963407ull;
        std::uint64_t z = (m_state ^ (m_state >> 29)) * 0xbf58476d1ce4e5b9ull;
        z ^= z >> 32;
        const float sum = float(z & 0xffff) + float((z >> 16) & 0xffff) + float((z >> 32) & 0xffff) + float(z >> 48);
        const float v = mean + (sum - 2.0f * 65535.0f) * scale;
        std::memcpy(w.bytes.data() + 4 * i, &v, 4);
    }
    return w;
}

}  // namespace meander
