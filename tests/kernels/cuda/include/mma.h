// WMMA as far as its documentation promises, and no further: which lane holds which element is scrambled on purpose,
// and every operation is one of the whole warp.
#pragma once
#include <cstdint>

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "cuda_runtime.h"

namespace nvcuda::wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
enum layout_t { mem_row_major, mem_col_major };

constexpr int elementsOfLane = 8;
template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment {
    static_assert(M == 16 && N == 16 && K == 16);
    static constexpr int num_elements = elementsOfLane;
    T x[elementsOfLane];
};

namespace scrambled {

// The place in the 16 × 16 tile, row by row, of element e of a lane: 37 is odd, so each place has one holder.
inline int placeOf(int lane, int e) { return ((lane * elementsOfLane + e) * 37 + 11) % 256; }
inline float number(float x) { return x; }
inline float number(__half x) { return __half2float(x); }
inline float number(__nv_bfloat16 x) { return __bfloat162float(x); }
inline void checkAlignment(const void* p, unsigned stride, std::size_t size) {
    if (reinterpret_cast<std::uintptr_t>(p) % 32 != 0 || stride * size % 16 != 0)
        meander::emulator::fail("a WMMA tile is not aligned to 32 bytes, or its rows not to 16");
}
// Element by element, between two barriers of the warp. `at` maps a place to an index of memory.
template <class Move> void eachElement(const void* p, unsigned stride, std::size_t size, bool columns, Move&& move) {
    checkAlignment(p, stride, size);
    meander::emulator::warpBarrier(__FILE__, __LINE__);
    for (int e = 0; e < elementsOfLane; ++e) {
        const int place = placeOf(meander::emulator::thread().lane(), e), row = place / 16, column = place % 16;
        move(e, columns ? column * stride + row : row * stride + column);
    }
    meander::emulator::warpBarrier(__FILE__, __LINE__);
}

}  // namespace scrambled

template <class F, class T> void fill_fragment(F& f, T value) {
    for (auto& x : f.x) x = value;
}
template <class Use, class T, class Layout>
void load_matrix_sync(fragment<Use, 16, 16, 16, T, Layout>& f, const T* p, unsigned stride) {
    scrambled::eachElement(p, stride, sizeof(T), std::is_same_v<Layout, col_major>,
                           [&](int e, unsigned at) { f.x[e] = p[at]; });
}
template <class T>
void load_matrix_sync(fragment<accumulator, 16, 16, 16, T>& f, const T* p, unsigned stride, layout_t layout) {
    scrambled::eachElement(p, stride, sizeof(T), layout == mem_col_major, [&](int e, unsigned at) { f.x[e] = p[at]; });
}
template <class T>
void store_matrix_sync(T* p, const fragment<accumulator, 16, 16, 16, T>& f, unsigned stride, layout_t layout) {
    scrambled::eachElement(p, stride, sizeof(T), layout == mem_col_major, [&](int e, unsigned at) { p[at] = f.x[e]; });
}
template <class T, class LayoutA, class LayoutB>
void mma_sync(fragment<accumulator, 16, 16, 16, float>& d, const fragment<matrix_a, 16, 16, 16, T, LayoutA>& a,
              const fragment<matrix_b, 16, 16, 16, T, LayoutB>& b, const fragment<accumulator, 16, 16, 16, float>& c) {
    struct Given {
        const T *a, *b;
    } mine{a.x, b.x};
    const auto& others = meander::emulator::shareInWarp(&mine, __FILE__, __LINE__);
    float tileA[256], tileB[256], result[elementsOfLane];
    for (int lane = 0; lane < 32; ++lane) {
        const auto* given = static_cast<const Given*>(others.of(lane));
        for (int e = 0; e < elementsOfLane; ++e) {
            tileA[scrambled::placeOf(lane, e)] = scrambled::number(given->a[e]);
            tileB[scrambled::placeOf(lane, e)] = scrambled::number(given->b[e]);
        }
    }
    for (int e = 0; e < elementsOfLane; ++e) {
        const int place = scrambled::placeOf(meander::emulator::thread().lane(), e), row = place / 16,
                  column = place % 16;
        result[e] = c.x[e];
        for (int k = 0; k < 16; ++k) result[e] += tileA[row * 16 + k] * tileB[k * 16 + column];
    }
    meander::emulator::warpBarrier(__FILE__, __LINE__);  // nobody's operands change before all have read them
    for (int e = 0; e < elementsOfLane; ++e) d.x[e] = result[e];
}

}  // namespace nvcuda::wmma
