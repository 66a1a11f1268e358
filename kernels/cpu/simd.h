// One vector of floats as wide as the instruction set this file is compiled for. Included only by loops_*.cpp, and
// everything here has internal linkage: a function compiled for AVX-512 must never be the copy the linker picks for an
// older processor.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace {

struct Bf16 {
    std::uint16_t bits;
};

#if defined(__AVX512F__)
constexpr int vecWidth = 16;
struct Vec {
    __m512 v;
};
inline Vec set1(float x) { return {_mm512_set1_ps(x)}; }
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec sqrtOf(Vec a) { return {_mm512_sqrt_ps(a.v)}; }
inline Vec rounded(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Vec absOf(Vec a) { return {_mm512_abs_ps(a.v)}; }
// a with the sign of s
inline Vec withSign(Vec a, Vec s) {
    const __m512i sign = _mm512_set1_epi32(int(0x80000000u));
    return {_mm512_castsi512_ps(
        _mm512_or_si512(_mm512_castps_si512(a.v), _mm512_and_si512(sign, _mm512_castps_si512(s.v))))};
}
// 2^n for integral n in [-126, 127]
inline Vec powerOfTwo(Vec n) {
    return {
        _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127)), 23))};
}
inline Vec zeroWhereLess(Vec a, Vec b, Vec value) {
    return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_NLT_UQ), value.v)};
}
inline Vec load(const Bf16* p) {
    const __m256i h = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16))};
}
inline void store(Bf16* p, Vec a) {
    const __m512i bits = _mm512_castps_si512(a.v),
                  odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i r = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
    r = _mm512_mask_blend_epi32(nan, r, _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(0x40)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(r));
}
#elif defined(__AVX2__)
constexpr int vecWidth = 8;
struct Vec {
    __m256 v;
};
inline Vec set1(float x) { return {_mm256_set1_ps(x)}; }
inline Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec sqrtOf(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
inline Vec rounded(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Vec absOf(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline Vec withSign(Vec a, Vec s) { return {_mm256_or_ps(a.v, _mm256_and_ps(_mm256_set1_ps(-0.0f), s.v))}; }
inline Vec powerOfTwo(Vec n) {
    return {
        _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127)), 23))};
}
inline Vec zeroWhereLess(Vec a, Vec b, Vec value) {
    return {_mm256_andnot_ps(_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ), value.v)};
}
inline Vec load(const Bf16* p) {
    const __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16))};
}
inline void store(Bf16* p, Vec a) {
    const __m256i bits = _mm256_castps_si256(a.v),
                  odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i r = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q));
    const __m256i w = _mm256_blendv_epi8(r, quiet, nan);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(w, w), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
}
#else
constexpr int vecWidth = 4;
struct Vec {
    __m128 v;
};
inline Vec set1(float x) { return {_mm_set1_ps(x)}; }
inline Vec load(const float* p) { return {_mm_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm_storeu_ps(p, a.v); }
inline Vec operator+(Vec a, Vec b) { return {_mm_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm_add_ps(_mm_mul_ps(a.v, b.v), c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm_min_ps(a.v, b.v)}; }
inline Vec sqrtOf(Vec a) { return {_mm_sqrt_ps(a.v)}; }
inline Vec rounded(Vec a) { return {_mm_cvtepi32_ps(_mm_cvtps_epi32(a.v))}; }
inline Vec absOf(Vec a) { return {_mm_andnot_ps(_mm_set1_ps(-0.0f), a.v)}; }
inline Vec withSign(Vec a, Vec s) { return {_mm_or_ps(a.v, _mm_and_ps(_mm_set1_ps(-0.0f), s.v))}; }
inline Vec powerOfTwo(Vec n) {
    return {_mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(_mm_cvtps_epi32(n.v), _mm_set1_epi32(127)), 23))};
}
inline Vec zeroWhereLess(Vec a, Vec b, Vec value) { return {_mm_andnot_ps(_mm_cmplt_ps(a.v, b.v), value.v)}; }
inline Vec load(const Bf16* p) {
    const __m128i h = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return {_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), h))};
}
inline void store(Bf16* p, Vec a) {
    std::uint32_t bits[4];
    _mm_storeu_ps(reinterpret_cast<float*>(bits), a.v);
    for (int i = 0; i < 4; ++i) {
        const bool isNan = (bits[i] & 0x7fffffffu) > 0x7f800000u;
        const std::uint32_t r = isNan ? (bits[i] >> 16) | 0x40u : (bits[i] + 0x7fffu + ((bits[i] >> 16) & 1u)) >> 16;
        p[i].bits = std::uint16_t(r);
    }
}
#endif

// The first `count` elements; the rest of the vector is zero, or is not written.
template <class T> inline Vec load(const T* p, int count) {
    if (count == vecWidth) return load(p);
    T part[vecWidth] = {};
    std::memcpy(part, p, std::size_t(count) * sizeof(T));
    return load(part);
}
template <class T> inline void store(T* p, Vec a, int count) {
    if (count == vecWidth) return store(p, a);
    T part[vecWidth];
    store(part, a);
    std::memcpy(p, part, std::size_t(count) * sizeof(T));
}

// f(first, count) over [0, n) in vectors, the last one partial.
template <class F> inline void eachVec(std::int64_t n, F f) {
    std::int64_t i = 0;
    for (; i + vecWidth <= n; i += vecWidth) f(i, vecWidth);
    if (i < n) f(i, int(n - i));
}

inline float sumOf(Vec a) {
    float lanes[vecWidth], s = 0;
    store(lanes, a);
    for (float x : lanes) s += x;
    return s;
}
inline float maxOf(Vec a) {
    float lanes[vecWidth];
    store(lanes, a);
    float m = lanes[0];
    for (float x : lanes) m = x > m ? x : m;
    return m;
}

// exp to about 1 ulp; 0 below -87.3, saturates at 2.4e38 above 88.37. NaN stays NaN: min and max return their second
// operand then.
inline Vec expOf(Vec original) {
    const Vec lowest = set1(-87.3365447504019f);
    const Vec x = max(lowest, min(set1(88.3762626647949f), original));
    const Vec n = rounded(x * set1(1.44269504088896341f));
    Vec r = fma(n, set1(-0.693359375f), x);
    r = fma(n, set1(2.12194440e-4f), r);
    Vec p = set1(1.9875691500e-4f);
    p = fma(p, r, set1(1.3981999507e-3f));
    p = fma(p, r, set1(8.3334519073e-3f));
    p = fma(p, r, set1(4.1665795894e-2f));
    p = fma(p, r, set1(1.6666665459e-1f));
    p = fma(p, r, set1(5.0000001201e-1f));
    return zeroWhereLess(original, lowest, (fma(p, r * r, r) + set1(1.0f)) * powerOfTwo(n));
}
inline Vec sigmoidOf(Vec x) { return set1(1.0f) / (set1(1.0f) + expOf(set1(0.0f) - x)); }
inline Vec tanhOf(Vec x) {
    const Vec a = absOf(x), e = expOf(set1(-2.0f) * a);
    const Vec far = (set1(1.0f) - e) / (set1(1.0f) + e);
    // Near zero the quotient cancels: the odd series is exact to 1e-7 below 0.15.
    const Vec s = a * a;
    Vec p = set1(62.0f / 2835.0f);
    p = fma(p, s, set1(-17.0f / 315.0f));
    p = fma(p, s, set1(2.0f / 15.0f));
    p = fma(p, s, set1(-1.0f / 3.0f));
    const Vec near = fma(p * s, a, a);
    float lanesA[vecWidth], lanesF[vecWidth], lanesN[vecWidth];
    store(lanesA, a), store(lanesF, far), store(lanesN, near);
    for (int i = 0; i < vecWidth; ++i) lanesF[i] = lanesA[i] < 0.15f ? lanesN[i] : lanesF[i];
    return withSign(load(lanesF), x);
}
// Of 0 <= z, relative error 3.2e-8 before rounding (fit_erfc.py), so that the tail of GELU keeps its digits.
inline Vec erfcOf(Vec z) {
    const Vec t = set1(1.0f) / fma(set1(0.4f), z, set1(1.0f));
    Vec q = set1(0.08258261617f);
    for (float c : {-0.6629417169f, 2.012170784f, -2.958275477f, 2.241405513f, -1.119186543f, 0.5367558337f,
                    0.3486178814f, 1.007903235f, -1.489032159f})
        q = fma(q, t, set1(c));
    return t * expOf(q - z * z);
}

}  // namespace
