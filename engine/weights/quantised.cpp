#include "engine/weights/quantised.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/api/dtype.h"

namespace meander {
namespace {

using Bytes = std::vector<std::byte>;

template <class T> void append(Bytes& bytes, T value) {
    const auto* from = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), from, from + sizeof(T));
}

// Nearest value of an 8-bit float with `mantissa` bits, ties to even; beyond the largest it is the largest.
std::uint8_t toF8(float x, int mantissa, int bias, std::uint8_t largest) {
    const std::uint8_t sign = std::signbit(x) ? 0x80 : 0;
    if (std::isnan(x)) return sign | 0x7f;
    int exponent = 0;
    std::frexp(x, &exponent);  // |x| in [0.5, 1) · 2^exponent
    const int lowest = 1 - bias;
    const double step = std::ldexp(1.0, std::max(exponent - 1, lowest) - mantissa);
    const double steps = std::nearbyint(std::fabs(double(x)) / step);  // of the value's own binade, or of the next
    if (steps == 0) return sign;
    const double value = steps * step;
    if (!(value < std::ldexp(1.0, 20))) return sign | largest;
    int e = 0;
    const double fraction = std::frexp(value, &e) * 2;  // [1, 2) · 2^(e − 1)
    const int field = e - 1 + bias;
    const int code = field <= 0 ? int(std::lround(std::ldexp(value, bias - 1 + mantissa)))
                                : (field << mantissa) + int(std::lround((fraction - 1) * (1 << mantissa)));
    return sign | std::uint8_t(std::min(code, int(largest)));
}

void toQ8_0(const float* v, Bytes& bytes) {
    float largest = 0;
    for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(v[i]));
    const float d = largest / 127, inverse = d > 0 ? 1 / d : 0;
    append(bytes, kernels::floatToF16(d));
    for (int i = 0; i < 32; ++i) append(bytes, std::int8_t(std::lround(v[i] * inverse)));
}

// The element of the largest magnitude becomes −8.
void toQ4_0(const float* v, Bytes& bytes) {
    const float extreme = *std::max_element(v, v + 32, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    const float d = extreme / -8, inverse = d != 0 ? 1 / d : 0;
    append(bytes, kernels::floatToF16(d));
    const auto level = [&](float x) { return std::uint8_t(std::min(15, int(x * inverse + 8.5f))); };
    for (int i = 0; i < 16; ++i) append(bytes, std::uint8_t(level(v[i]) | level(v[i + 16]) << 4));
}

// 32 values as s·q − m with q in 0 … 15 and s, m ≥ 0.
struct Line {
    float scale = 0, offset = 0;
};

// Levels are rounded with one line, the line is fitted to the levels by least squares, until nothing improves; from
// several first lines, of which the one with the smallest error stays.
Line fittedLine(const float* v) {
    const auto [low, high] = std::minmax_element(v, v + 32);
    const float least = std::min(*low, 0.0f), span = *high - least;
    if (!(span > 0)) return {0, -least};
    Line best;
    double bestError = -1;
    for (int trial = 0; trial < 8; ++trial) {
        Line line{span / (15.0f - 0.35f * float(trial)), -least};
        for (int round = 0; round < 4; ++round) {
            double q1 = 0, q2 = 0, x1 = 0, qx = 0, error = 0;
            for (int i = 0; i < 32; ++i) {
                const double q = std::clamp(std::nearbyint(double(v[i] + line.offset) / line.scale), 0.0, 15.0),
                             off = v[i] - (line.scale * q - line.offset);
                q1 += q, q2 += q * q, x1 += v[i], qx += q * v[i], error += off * off;
            }
            if (bestError < 0 || error < bestError) bestError = error, best = line;
            const double d = 32 * q2 - q1 * q1;
            if (!(d > 0)) break;
            double scale = (32 * qx - q1 * x1) / d, offset = -(x1 - scale * q1) / 32;
            if (offset < 0) offset = 0, scale = qx / q2;
            if (!(scale > 0)) break;
            line = {float(scale), float(offset)};
        }
    }
    return best;
}

// Eight lines of 32 values, their scales and offsets as 6 bits times one F16 each.
void toQ4_K(const float* v, Bytes& bytes) {
    Line lines[8];
    float scale = 0, offset = 0;
    for (int b = 0; b < 8; ++b) {
        lines[b] = fittedLine(v + 32 * b);
        scale = std::max(scale, lines[b].scale);
        offset = std::max(offset, lines[b].offset);
    }
    const auto d16 = kernels::floatToF16(scale / 63), m16 = kernels::floatToF16(offset / 63);
    const float d = kernels::f16ToFloat(d16), m = kernels::f16ToFloat(m16);
    std::uint8_t s6[8], o6[8], packed[12] = {}, levels[256];
    const auto part = [](float x, float unit) {
        return std::uint8_t(unit > 0 ? std::clamp(std::nearbyint(x / unit), 0.0f, 63.0f) : 0);
    };
    for (int b = 0; b < 8; ++b) {
        s6[b] = part(lines[b].scale, d);
        o6[b] = part(lines[b].offset, m);
        const float step = d * float(s6[b]), down = m * float(o6[b]);
        for (int i = 0; i < 32; ++i)
            levels[32 * b + i] =
                step > 0 ? std::uint8_t(std::clamp(std::nearbyint((v[32 * b + i] + down) / step), 0.0f, 15.0f)) : 0;
    }
    for (int b = 0; b < 4; ++b) {
        packed[b] = std::uint8_t(s6[b] | (s6[b + 4] >> 4) << 6);
        packed[b + 4] = std::uint8_t(o6[b] | (o6[b + 4] >> 4) << 6);
        packed[b + 8] = std::uint8_t((s6[b + 4] & 15) | (o6[b + 4] & 15) << 4);
    }
    append(bytes, d16);
    append(bytes, m16);
    for (const std::uint8_t p : packed) append(bytes, p);
    for (int half = 0; half < 4; ++half)
        for (int i = 0; i < 32; ++i)
            append(bytes, std::uint8_t(levels[64 * half + i] | levels[64 * half + 32 + i] << 4));
}

}  // namespace

bool canQuantise(WeightFormat f) {
    switch (f) {
    case WeightFormat::F32:
    case WeightFormat::F16:
    case WeightFormat::BF16:
    case WeightFormat::F8E4M3:
    case WeightFormat::F8E5M2:
    case WeightFormat::I8:
    case WeightFormat::Q8_0:
    case WeightFormat::Q4_0:
    case WeightFormat::Q4_K: return true;
    default: return false;
    }
}

HostWeight quantised(const HostWeight& w, WeightFormat format) {
    const auto info = kernels::infoOf(format);
    const std::int64_t columns = w.rowCount();
    if (!canQuantise(format))
        throw Failure(std::string("Weights cannot be written as ") + info.name
                      + " yet. Choose F16, BF16, F8_E4M3, F8_E5M2, I8, Q8_0, Q4_0 or Q4_K.");
    if (columns % info.blockElements != 0)
        throw Failure("A weight of shape " + w.shape.text() + " cannot be written as " + info.name
                      + ": its rows are no whole blocks.");
    const std::vector<float> v = w.floats();
    Bytes bytes;
    bytes.reserve(kernels::bytesOf(format, w.shape.count()));
    std::vector<float> scales;
    switch (format) {
    case WeightFormat::F16:
        for (const float x : v) append(bytes, kernels::floatToF16(x));
        break;
    case WeightFormat::BF16:
        for (const float x : v) append(bytes, kernels::floatToBf16(x));
        break;
    case WeightFormat::F8E4M3:
        for (const float x : v) append(bytes, toF8(x, 3, 7, 0x7e));
        break;
    case WeightFormat::F8E5M2:
        for (const float x : v) append(bytes, toF8(x, 2, 15, 0x7b));
        break;
    case WeightFormat::I8:
        for (std::int64_t r = 0; r < w.rows(); ++r) {
            const float* row = v.data() + r * columns;
            float largest = 0;
            for (std::int64_t i = 0; i < columns; ++i) largest = std::max(largest, std::fabs(row[i]));
            scales.push_back(largest / 127);
            for (std::int64_t i = 0; i < columns; ++i)
                append(bytes, std::int8_t(largest > 0 ? std::lround(row[i] * (127 / largest)) : 0));
        }
        break;
    case WeightFormat::Q8_0:
        for (std::size_t i = 0; i < v.size(); i += 32) toQ8_0(v.data() + i, bytes);
        break;
    case WeightFormat::Q4_0:
        for (std::size_t i = 0; i < v.size(); i += 32) toQ4_0(v.data() + i, bytes);
        break;
    case WeightFormat::Q4_K:
        for (std::size_t i = 0; i < v.size(); i += 256) toQ4_K(v.data() + i, bytes);
        break;
    default:
        for (const float x : v) append(bytes, x);
    }
    HostWeight q = HostWeight::fromBytes(w.shape, format, std::move(bytes));
    q.rowScales = std::move(scales);
    q.isKept = true;
    return q;
}

HostWeight Quantised::read(const std::string& name, const kernels::Shape& shape) {
    HostWeight w = m_source->read(name, shape);
    const bool isMatrix = shape.rank() >= 2 && isSameShape(shape, kernels::Shape{shape[0], shape[1]});
    if (!isMatrix || w.staysStored() || w.rowCount() % kernels::infoOf(m_format).blockElements != 0
        || (m_isChosen && !m_isChosen(name)))
        return w;
    return quantised(w, m_format);
}

}  // namespace meander
