// Operations that move elements: resampling, shuffles, concatenation, transposition, tables.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "kernels/api/contract.h"
#include "kernels/api/row_offsets.h"
#include "kernels/cpu/any_type.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

// Calls f with an unsigned integer of the element's size.
template <class F> void withElement(DType t, const F& f) {
    switch (sizeOf(t)) {
    case 2: return f(std::uint16_t());
    case 4: return f(std::uint32_t());
    case 8: return f(std::uint64_t());
    }
}

struct Images {
    std::int64_t n, h, w, c;
};
Images imagesOf(const View& v) { return {v.shape[0], v.shape[1], v.shape[2], v.shape[3]}; }

}  // namespace

void CpuBackend::copyStrided(const View& from, const View& to) {
    const std::int64_t n = lastExtent(from), rows = leadingCount(from), step = from.stride(-1), toStep = to.stride(-1);
    const RowOffsets source(from), target(to);
    withElement(from.type, [&]<class E>(E) {
        parallelRanges(m_threads, rows, std::max<std::int64_t>(1, (1 << 14) / n),
                       [&](std::int64_t first, std::int64_t last) {
                           for (std::int64_t row = first; row < last; ++row) {
                               const E* x = from.as<E>() + source(row);
                               E* y = to.as<E>() + target(row);
                               if (step == 1 && toStep == 1) std::memcpy(y, x, std::size_t(n) * sizeof(E));
                               else
                                   for (std::int64_t i = 0; i < n; ++i) y[i * toStep] = x[i * step];
                           }
                       });
    });
}

void CpuBackend::doUpsampleNearest2(View x, View y) {
    const Images p = imagesOf(x);
    const std::size_t pixel = std::size_t(p.c) * sizeOf(x.type), row = std::size_t(p.w) * pixel;
    parallelFor(m_threads, p.n * p.h, [&](std::int64_t i, int) {
        const char* from = x.as<char>() + std::size_t(i) * row;
        char* to = y.as<char>() + std::size_t(i) * 4 * row;
        for (std::int64_t j = 0; j < p.w; ++j) {
            std::memcpy(to + std::size_t(2 * j) * pixel, from + std::size_t(j) * pixel, pixel);
            std::memcpy(to + std::size_t(2 * j + 1) * pixel, from + std::size_t(j) * pixel, pixel);
        }
        std::memcpy(to + 2 * row, to, 2 * row);
    });
}

void CpuBackend::doDownsampleMean2(View x, View y) {
    const Images p = imagesOf(x);
    parallelFor(m_threads, p.n * p.h / 2, [&](std::int64_t i, int) {
        withType(x.type, [&]<class T>(T) {
            const std::int64_t top = i * 2 * p.w * p.c, bottom = top + p.w * p.c;
            for (std::int64_t j = 0; j < p.w / 2; ++j)
                for (std::int64_t c = 0; c < p.c; ++c) {
                    const std::int64_t a = 2 * j * p.c + c, b = a + p.c;
                    const double sum = T::read(x.data, top + a) + T::read(x.data, top + b) + T::read(x.data, bottom + a)
                                       + T::read(x.data, bottom + b);
                    T::write(y.data, (i * (p.w / 2) + j) * p.c + c, 0.25 * sum);
                }
        });
    });
}

void CpuBackend::doPixelShuffle(View x, int f, View y) {
    const Images p = imagesOf(x);
    const std::int64_t c = p.c / f / f;
    withElement(x.type, [&]<class E>(E) {
        parallelFor(m_threads, p.n * p.h * f, [&](std::int64_t i, int) {
            const std::int64_t dy = i % f, row = i / f;
            for (std::int64_t j = 0; j < p.w * f; ++j)
                for (std::int64_t ch = 0; ch < c; ++ch)
                    y.as<E>()[(i * p.w * f + j) * c + ch] =
                        x.as<E>()[(row * p.w + j / f) * p.c + (ch * f + dy) * f + j % f];
        });
    });
}

void CpuBackend::doPixelUnshuffle(View x, int f, View y) {
    const Images p = imagesOf(y);  // of the small image
    const std::int64_t c = p.c / f / f;
    withElement(x.type, [&]<class E>(E) {
        parallelFor(m_threads, p.n * p.h * f, [&](std::int64_t i, int) {
            const std::int64_t dy = i % f, row = i / f;
            for (std::int64_t j = 0; j < p.w * f; ++j)
                for (std::int64_t ch = 0; ch < c; ++ch)
                    y.as<E>()[(row * p.w + j / f) * p.c + (ch * f + dy) * f + j % f] =
                        x.as<E>()[(i * p.w * f + j) * c + ch];
        });
    });
}

void CpuBackend::doConcatLast(View a, View b, View y) {
    const std::int64_t rows = leadingCount(y);
    const std::size_t left = std::size_t(lastExtent(a)) * sizeOf(y.type),
                      right = std::size_t(lastExtent(b)) * sizeOf(y.type);
    parallelRanges(m_threads, rows, std::max<std::int64_t>(1, (64 << 10) / std::int64_t(left + right)),
                   [&](std::int64_t first, std::int64_t last) {
                       for (std::int64_t i = first; i < last; ++i) {
                           char* to = y.as<char>() + std::size_t(i) * (left + right);
                           std::memcpy(to, a.as<char>() + std::size_t(i) * left, left);
                           std::memcpy(to + left, b.as<char>() + std::size_t(i) * right, right);
                       }
                   });
}

void CpuBackend::doSliceLast(View x, std::int64_t first, View y) {
    const std::int64_t rows = leadingCount(y);
    const std::size_t wide = std::size_t(lastExtent(x)) * sizeOf(x.type),
                      narrow = std::size_t(lastExtent(y)) * sizeOf(x.type), skip = std::size_t(first) * sizeOf(x.type);
    parallelRanges(m_threads, rows, std::max<std::int64_t>(1, (64 << 10) / std::int64_t(narrow)),
                   [&](std::int64_t from, std::int64_t to) {
                       for (std::int64_t i = from; i < to; ++i)
                           std::memcpy(y.as<char>() + std::size_t(i) * narrow,
                                       x.as<char>() + std::size_t(i) * wide + skip, narrow);
                   });
}

void CpuBackend::transposeInner(const View& x, std::int64_t outer, std::int64_t c, std::int64_t inner, View y) {
    constexpr std::int64_t block = 32;
    const std::int64_t pieces = (inner + block - 1) / block;
    withElement(x.type, [&]<class E>(E) {
        parallelFor(m_threads, outer * pieces, [&](std::int64_t task, int) {
            const std::int64_t first = task % pieces * block, last = std::min(inner, first + block);
            const E* from = x.as<E>() + task / pieces * c * inner;
            E* to = y.as<E>() + task / pieces * c * inner;
            for (std::int64_t i0 = 0; i0 < c; i0 += block)
                for (std::int64_t j = first; j < last; ++j)
                    for (std::int64_t i = i0; i < std::min(c, i0 + block); ++i) to[j * c + i] = from[i * inner + j];
        });
    });
}

void CpuBackend::doChannelsLast(View x, View y) {
    transposeInner(x, x.shape[0], x.shape[1], x.shape.rowCount() / x.shape[1], y);
}

void CpuBackend::doChannelsFirst(View x, View y) {
    transposeInner(x, x.shape[0], x.shape.rowCount() / x.shape[-1], x.shape[-1], y);
}

void CpuBackend::doEmbedding(std::span<const std::int32_t> ids, View table, View y) {
    const std::size_t row = std::size_t(table.shape[1]) * sizeOf(y.type);
    for (std::size_t i = 0; i < ids.size(); ++i)
        std::memcpy(y.as<char>() + i * row, table.as<char>() + std::size_t(ids[i]) * row, row);
}

void CpuBackend::doTimestepEmbedding(std::span<const double> times, int dim, bool cosFirst, double shift,
                                     double maxPeriod, View y) {
    const std::int64_t half = dim / 2;
    withType(y.type, [&]<class T>(T) {
        for (std::size_t n = 0; n < times.size(); ++n)
            for (std::int64_t i = 0; i < half; ++i) {
                const double angle = times[n] * std::exp(-std::log(maxPeriod) * double(i) / (double(half) - shift));
                const std::int64_t row = std::int64_t(n) * dim;
                T::write(y.data, row + i, cosFirst ? std::cos(angle) : std::sin(angle));
                T::write(y.data, row + half + i, cosFirst ? std::sin(angle) : std::cos(angle));
            }
    });
}

}  // namespace meander::kernels
