// Values of stored weights, 32 at a time: the arithmetic of every format, once, for the CPU (compiled per instruction
// set) and for CUDA. The block layouts and the order of the float operations are those of ggml's reference
// (ggml-quants.c), so that a file means the same numbers everywhere.
//
// All functions have internal linkage: a copy compiled for AVX-512 must never be the one the linker picks for an older
// processor.
#pragma once
#include "kernels/api/weight_format.h"

namespace meander::kernels::blocks {

constexpr int groupSize = 32;
using Byte = std::uint8_t;

static inline constexpr float floatOfBits(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }
static inline constexpr std::uint32_t bitsOfFloat(float f) { return __builtin_bit_cast(std::uint32_t, f); }
static inline constexpr std::uint32_t word16(const Byte* p) { return std::uint32_t(p[0]) | std::uint32_t(p[1]) << 8; }
static inline constexpr std::uint32_t word32(const Byte* p) { return word16(p) | word16(p + 2) << 16; }

// The bits of a small float of `mantissa` bits, without its sign, whose exponents begin `bias` above those of F32.
// Chosen by masks, so that loops over it become vector instructions, and without subnormal floats, which processors
// slow down for.
static inline constexpr std::uint32_t chosen(bool first, std::uint32_t a, std::uint32_t b) {
    const std::uint32_t mask = 0u - std::uint32_t(first);
    return (a & mask) | (b & ~mask);
}
static inline constexpr std::uint32_t widenedBits(std::uint32_t magnitude, int mantissa, std::uint32_t bias) {
    const float step = floatOfBits((bias + 1 - std::uint32_t(mantissa)) << 23);
    const std::uint32_t normal = (magnitude << (23 - mantissa)) + (bias << 23);
    return chosen(magnitude >> mantissa != 0, normal, bitsOfFloat(float(int(magnitude)) * step));
}
static inline constexpr float fromHalf(std::uint32_t h) {
    const std::uint32_t finite = widenedBits(h & 0x7fffu, 10, 112), special = 0x7f800000u | (h & 0x3ffu) << 13;
    return floatOfBits(chosen((h & 0x7c00u) == 0x7c00u, special, finite) | (h & 0x8000u) << 16);
}
static inline constexpr float fromF8E4M3(std::uint32_t b) {
    return floatOfBits(chosen((b & 0x7fu) == 0x7fu, 0x7fc00000u, widenedBits(b & 0x7fu, 3, 120)) | (b & 0x80u) << 24);
}
static inline constexpr float scaleAt(const Byte* p) { return fromHalf(word16(p)); }
static inline constexpr int signedByte(Byte b) { return b < 128 ? int(b) : int(b) - 256; }

// Blocks of 32: 16 bytes of nibbles, the low ones first. `high` holds a fifth bit for each element.
static inline constexpr int nibble(const Byte* q, int i) { return i < 16 ? q[i] & 15 : q[i - 16] >> 4; }
static inline constexpr int fiveBits(const Byte* q, std::uint32_t high, int i) {
    return nibble(q, i) | int(high >> i & 1u) << 4;
}

static inline constexpr void decodeQ8_0(const Byte* b, float* v) {
    const float d = scaleAt(b);
    for (int i = 0; i < groupSize; ++i) v[i] = d * float(signedByte(b[2 + i]));
}
static inline constexpr void decodeQ4_0(const Byte* b, float* v) {
    const float d = scaleAt(b);
    for (int i = 0; i < groupSize; ++i) v[i] = d * float(nibble(b + 2, i) - 8);
}
static inline constexpr void decodeQ4_1(const Byte* b, float* v) {
    const float d = scaleAt(b), m = scaleAt(b + 2);
    for (int i = 0; i < groupSize; ++i) v[i] = d * float(nibble(b + 4, i)) + m;
}
static inline constexpr void decodeQ5_0(const Byte* b, float* v) {
    const float d = scaleAt(b);
    const std::uint32_t high = word32(b + 2);
    for (int i = 0; i < groupSize; ++i) v[i] = d * float(fiveBits(b + 6, high, i) - 16);
}
static inline constexpr void decodeQ5_1(const Byte* b, float* v) {
    const float d = scaleAt(b), m = scaleAt(b + 2);
    const std::uint32_t high = word32(b + 4);
    for (int i = 0; i < groupSize; ++i) v[i] = d * float(fiveBits(b + 8, high, i)) + m;
}
static inline constexpr void decodeIq4Nl(const Byte* b, float* v) {
    constexpr int levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    const float d = scaleAt(b);
    for (int i = 0; i < groupSize; ++i) v[i] = d * float(levels[nibble(b + 2, i)]);
}

// K-quants: blocks of 256, eight groups; g is the group within its block.
static inline constexpr void decodeQ2_K(const Byte* b, int g, float* v) {
    const Byte* q = b + 16 + 32 * (g / 4);
    const float d = scaleAt(b + 80), m = scaleAt(b + 82);
    for (int half = 0; half < 2; ++half) {
        const Byte s = b[2 * g + half];
        const float scale = d * float(s & 15), offset = m * float(s >> 4);
        for (int i = 16 * half; i < 16 * half + 16; ++i) v[i] = scale * float(q[i] >> (2 * (g % 4)) & 3) - offset;
    }
}
// 16 scales of 6 bits in 12 bytes.
static inline constexpr int scaleOfQ3_K(const Byte* s, int i) {
    const int low = i < 8 ? s[i] & 15 : s[i - 8] >> 4, high = s[8 + i % 4] >> (2 * (i / 4)) & 3;
    return (low | high << 4) - 32;
}
static inline constexpr void decodeQ3_K(const Byte* b, int g, float* v) {
    const Byte* q = b + 32 + 32 * (g / 4);
    const float d = scaleAt(b + 108);
    for (int half = 0; half < 2; ++half) {
        const float scale = d * float(scaleOfQ3_K(b + 96, 2 * g + half));
        for (int i = 16 * half; i < 16 * half + 16; ++i)
            v[i] = scale * float((q[i] >> (2 * (g % 4)) & 3) - ((b[i] >> g & 1) ? 0 : 4));
    }
}
// Eight scales and eight minima of 6 bits in 12 bytes, of Q4_K and Q5_K.
static inline constexpr int scaleOfK(const Byte* s, int g) {
    return g < 4 ? s[g] & 63 : (s[g + 4] & 15) | (s[g - 4] >> 6) << 4;
}
static inline constexpr int minimumOfK(const Byte* s, int g) {
    return g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | (s[g] >> 6) << 4;
}
static inline constexpr void decodeQ4_K(const Byte* b, int g, float* v) {
    const Byte* q = b + 16 + 32 * (g / 2);
    const float scale = scaleAt(b) * float(scaleOfK(b + 4, g)), offset = scaleAt(b + 2) * float(minimumOfK(b + 4, g));
    for (int i = 0; i < groupSize; ++i) v[i] = scale * float(q[i] >> (4 * (g % 2)) & 15) - offset;
}
static inline constexpr void decodeQ5_K(const Byte* b, int g, float* v) {
    const Byte *high = b + 16, *q = b + 48 + 32 * (g / 2);
    const float scale = scaleAt(b) * float(scaleOfK(b + 4, g)), offset = scaleAt(b + 2) * float(minimumOfK(b + 4, g));
    for (int i = 0; i < groupSize; ++i)
        v[i] = scale * float((q[i] >> (4 * (g % 2)) & 15) | (high[i] >> g & 1) << 4) - offset;
}
static inline constexpr void decodeQ6_K(const Byte* b, int g, float* v) {
    const int half = g / 4, k = g % 4;
    const Byte *low = b + 64 * half + 32 * (k % 2), *high = b + 128 + 32 * half, *scales = b + 192 + 8 * half + 2 * k;
    const float d = scaleAt(b + 208);
    for (int part = 0; part < 2; ++part) {
        const float scale = d * float(signedByte(scales[part]));
        for (int i = 16 * part; i < 16 * part + 16; ++i)
            v[i] = scale * float(((low[i] >> (4 * (k / 2)) & 15) | (high[i] >> (2 * k) & 3) << 4) - 32);
    }
}

// Elements [32 group, 32 group + count) of a row; count below 32 only at the end of a row of a format without blocks.
static inline constexpr void decodeGroup(WeightFormat f, const Byte* row, std::int64_t group, int count, float* v) {
    const std::int64_t first = group * groupSize, block = group / 8;
    const int g = int(group % 8);
    switch (f) {
    case WeightFormat::F32:
        for (int i = 0; i < count; ++i) v[i] = floatOfBits(word32(row + 4 * (first + i)));
        return;
    case WeightFormat::F16:
        for (int i = 0; i < count; ++i) v[i] = fromHalf(word16(row + 2 * (first + i)));
        return;
    case WeightFormat::BF16:
        for (int i = 0; i < count; ++i) v[i] = floatOfBits(word16(row + 2 * (first + i)) << 16);
        return;
    case WeightFormat::F8E4M3:
        for (int i = 0; i < count; ++i) v[i] = fromF8E4M3(row[first + i]);
        return;
    case WeightFormat::F8E5M2:
        for (int i = 0; i < count; ++i) v[i] = fromHalf(std::uint32_t(row[first + i]) << 8);
        return;
    case WeightFormat::I8:
        for (int i = 0; i < count; ++i) v[i] = float(signedByte(row[first + i]));
        return;
    case WeightFormat::Q8_0: return decodeQ8_0(row + 34 * group, v);
    case WeightFormat::Q4_0: return decodeQ4_0(row + 18 * group, v);
    case WeightFormat::Q4_1: return decodeQ4_1(row + 20 * group, v);
    case WeightFormat::Q5_0: return decodeQ5_0(row + 22 * group, v);
    case WeightFormat::Q5_1: return decodeQ5_1(row + 24 * group, v);
    case WeightFormat::IQ4_NL: return decodeIq4Nl(row + 18 * group, v);
    case WeightFormat::Q2_K: return decodeQ2_K(row + 84 * block, g, v);
    case WeightFormat::Q3_K: return decodeQ3_K(row + 110 * block, g, v);
    case WeightFormat::Q4_K: return decodeQ4_K(row + 144 * block, g, v);
    case WeightFormat::Q5_K: return decodeQ5_K(row + 176 * block, g, v);
    case WeightFormat::Q6_K: return decodeQ6_K(row + 210 * block, g, v);
    }
}

}  // namespace meander::kernels::blocks
