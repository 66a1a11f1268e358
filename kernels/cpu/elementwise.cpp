// Elementwise operations and conversions.
#include <algorithm>
#include <cstring>

#include "kernels/api/contract.h"
#include "kernels/api/row_offsets.h"
#include "kernels/cpu/any_type.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

constexpr std::int64_t grain = 1 << 14;

// Calls run(element, xOffset, yOffset, count) for all elements in runs that lie without gaps in both views: pieces of
// dense ones, rows of strided ones.
template <class Run> void eachRun(int threads, const View& x, const View& y, const Run& run) {
    if (x.isDense() && y.isDense())
        return parallelRanges(threads, x.count(), grain,
                              [&](std::int64_t first, std::int64_t last) { run(first, first, first, last - first); });
    const std::int64_t columns = lastExtent(x);
    const RowOffsets xAt(x), yAt(y);
    parallelRanges(threads, leadingCount(x), std::max<std::int64_t>(1, grain / columns),
                   [&](std::int64_t first, std::int64_t last) {
                       for (std::int64_t row = first; row < last; ++row)
                           run(row * columns, xAt(row), yAt(row), columns);
                   });
}

char* elementOf(const View& v, std::int64_t i) { return v.as<char>() + i * std::int64_t(sizeOf(v.type)); }

}  // namespace

void CpuBackend::doConvert(View x, View y) {
    parallelRanges(m_threads, x.count(), grain, [&](std::int64_t first, std::int64_t last) {
        const std::int64_t n = last - first;
        if (x.type == DType::BF16 && y.type == DType::F32)
            return m_loops.toFloat[1](x.as<std::uint16_t>() + first, n, y.as<float>() + first);
        if (x.type == DType::F32 && y.type == DType::BF16)
            return m_loops.fromFloat[1](x.as<float>() + first, n, y.as<std::uint16_t>() + first);
        withType(x.type, [&]<class From>(From) {
            withType(y.type, [&]<class To>(To) {
                for (std::int64_t i = first; i < last; ++i) To::write(y.data, i, From::read(x.data, i));
            });
        });
    });
}

void CpuBackend::doUnary(Unary op, View x, View y) {
    eachRun(m_threads, x, y, [&](std::int64_t, std::int64_t xAt, std::int64_t yAt, std::int64_t n) {
        m_loops.unary[typeIndex(x.type)](op, elementOf(x, xAt), n, elementOf(y, yAt));
    });
}

void CpuBackend::doBinary(Binary op, View a, View b, View y) {
    const std::int64_t period = b.count();
    eachRun(m_threads, a, y, [&](std::int64_t element, std::int64_t aAt, std::int64_t yAt, std::int64_t n) {
        for (std::int64_t i = 0; i < n;) {
            const std::int64_t inside = (element + i) % period, count = std::min(n - i, period - inside);
            m_loops.binary[typeIndex(a.type)](op, elementOf(a, aAt + i), elementOf(b, inside), count,
                                              elementOf(y, yAt + i));
            i += count;
        }
    });
}

void CpuBackend::doFill(View y, double value) {
    parallelRanges(m_threads, y.count(), grain * 4, [&](std::int64_t first, std::int64_t last) {
        if (y.type == DType::I32)
            return std::fill(y.as<std::int32_t>() + first, y.as<std::int32_t>() + last, std::int32_t(value));
        withType(y.type, [&]<class T>(T) {
            for (std::int64_t i = first; i < last; ++i) T::write(y.data, i, value);
        });
    });
}

void CpuBackend::doCombine(std::span<const Term> terms, View y) {
    parallelRanges(m_threads, y.count(), grain, [&](std::int64_t first, std::int64_t last) {
        withType(y.type, [&]<class T>(T) {
            constexpr std::int64_t block = 256;  // sums of a block stay in the first cache, so terms are read once
            double sums[block];
            for (std::int64_t i = first; i < last; i += block) {
                const std::int64_t n = std::min(block, last - i);
                std::fill(sums, sums + n, 0.0);
                for (const Term& t : terms)
                    for (std::int64_t j = 0; j < n; ++j) sums[j] += t.factor * T::read(t.value.data, i + j);
                for (std::int64_t j = 0; j < n; ++j) T::write(y.data, i + j, sums[j]);
            }
        });
    });
}

void CpuBackend::doCombineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) {
    for (std::int64_t row = 0; row < y.shape[0]; ++row) {
        std::vector<Term> terms;
        for (std::size_t i = 0; i < values.size(); ++i)
            terms.push_back({factors[i][std::size_t(row)], values[i].rows(row, 1)});
        doCombine(terms, y.rows(row, 1));
    }
}

}  // namespace meander::kernels
