// Element types a device tensor can have.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace meander::kernels {

enum class DType : std::uint8_t { F32, F64, F16, BF16, I32 };

constexpr std::size_t sizeOf(DType t) {
    switch (t) {
    case DType::F64: return 8;
    case DType::F32:
    case DType::I32: return 4;
    case DType::F16:
    case DType::BF16: return 2;
    }
    return 0;
}

constexpr const char* nameOf(DType t) {
    switch (t) {
    case DType::F32: return "f32";
    case DType::F64: return "f64";
    case DType::F16: return "f16";
    case DType::BF16: return "bf16";
    case DType::I32: return "i32";
    }
    return "?";
}

// bfloat16 is the upper half of an IEEE float; conversion rounds to nearest even and keeps NaN a NaN.
inline float bf16ToFloat(std::uint16_t h) {
    std::uint32_t bits = std::uint32_t(h) << 16;
    float f;
    std::memcpy(&f, &bits, 4);
    return f;
}
inline std::uint16_t floatToBf16(float f) {
    std::uint32_t bits;
    std::memcpy(&bits, &f, 4);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return std::uint16_t((bits >> 16) | 0x40u);
    bits += 0x7fffu + ((bits >> 16) & 1u);
    return std::uint16_t(bits >> 16);
}

// IEEE half. Rounds to nearest even; overflow becomes infinity.
inline float f16ToFloat(std::uint16_t h) {
    const std::uint32_t sign = std::uint32_t(h & 0x8000u) << 16;
    std::uint32_t exponent = (h >> 10) & 0x1fu, mantissa = h & 0x3ffu, bits;
    if (exponent == 31) {
        bits = sign | 0x7f800000u | (mantissa << 13);
    } else if (exponent != 0) {
        bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
    } else if (mantissa == 0) {
        bits = sign;
    } else {  // subnormal: normalise
        exponent = 113;
        while ((mantissa & 0x400u) == 0) {
            mantissa <<= 1;
            --exponent;
        }
        bits = sign | (exponent << 23) | ((mantissa & 0x3ffu) << 13);
    }
    float f;
    std::memcpy(&f, &bits, 4);
    return f;
}
inline std::uint16_t floatToF16(float f) {
    std::uint32_t bits;
    std::memcpy(&bits, &f, 4);
    const std::uint16_t sign = std::uint16_t((bits >> 16) & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return std::uint16_t(sign | 0x7e00u);
    if (bits >= 0x477ff000u) return std::uint16_t(sign | 0x7c00u);
    if (bits < 0x33000001u) return sign;
    if (bits < 0x38800000u) {  // subnormal result
        const int shift = 126 - int(bits >> 23);
        const std::uint32_t mantissa = (bits & 0x7fffffu) | 0x800000u;
        const std::uint32_t half = 1u << (shift - 1), rest = mantissa & ((1u << shift) - 1);
        std::uint32_t q = mantissa >> shift;
        if (rest > half || (rest == half && (q & 1u))) ++q;
        return std::uint16_t(sign | q);
    }
    bits -= 0x38000000u;
    bits += 0xfffu + ((bits >> 13) & 1u);
    return std::uint16_t(sign | (bits >> 13));
}

}  // namespace meander::kernels
