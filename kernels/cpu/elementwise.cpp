// Elementwise operations and conversions.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/any_type.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

constexpr std::int64_t grain = 1 << 14;

}  // namespace

void CpuBackend::convert(View x, View y) {
    require(x && y && x.count() == y.count() && x.type != DType::I32 && y.type != DType::I32, "convert",
            "needs two float tensors of one size", {x, y});
    if (x.type == y.type) {
        if (x.data != y.data) copy(x, y);
        return;
    }
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

void CpuBackend::unary(Unary op, View x, View y) {
    requireActivation("unary", {x, y});
    require(x.count() == y.count(), "unary", "x and y must have the same number of elements", {x, y});
    const std::size_t size = sizeOf(x.type);
    parallelRanges(m_threads, x.count(), grain, [&](std::int64_t first, std::int64_t last) {
        m_loops.unary[typeIndex(x.type)](op, x.as<char>() + std::size_t(first) * size, last - first,
                                         y.as<char>() + std::size_t(first) * size);
    });
}

void CpuBackend::binary(Binary op, View a, View b, View y) {
    requireActivation("binary", {a, b, y});
    const std::int64_t n = a.count(), period = b.count();
    require(y.count() == n && period > 0 && n % period == 0, "binary", "b must have a's shape or repeat along it",
            {a, b, y});
    if (n == 0) return;
    const int type = typeIndex(a.type);
    const std::size_t size = sizeOf(a.type);
    const auto at = [size](const View& v, std::int64_t i) { return v.as<char>() + std::size_t(i) * size; };
    parallelRanges(m_threads, n, grain, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last;) {
            const std::int64_t inside = i % period, count = std::min(last - i, period - inside);
            m_loops.binary[type](op, at(a, i), at(b, inside), count, at(y, i));
            i += count;
        }
    });
}

void CpuBackend::fill(View y, double value) {
    require(bool(y), "fill", "a tensor is missing", {y});
    parallelRanges(m_threads, y.count(), grain * 4, [&](std::int64_t first, std::int64_t last) {
        if (y.type == DType::I32)
            return std::fill(y.as<std::int32_t>() + first, y.as<std::int32_t>() + last, std::int32_t(value));
        withType(y.type, [&]<class T>(T) {
            for (std::int64_t i = first; i < last; ++i) T::write(y.data, i, value);
        });
    });
}

void CpuBackend::combine(std::span<const Term> terms, View y) {
    require(bool(y) && y.type != DType::I32, "combine", "y must be a float tensor", {y});
    for (const Term& t : terms)
        require(t.value && t.value.type == y.type && t.value.count() == y.count(), "combine",
                "all terms must have y's type and size", {t.value, y});
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

void CpuBackend::combineRows(std::span<const View> values, std::span<const std::vector<double>> factors, View y) {
    require(bool(y) && y.type != DType::I32 && y.shape.rank() >= 1, "combineRows", "y must be a float tensor with rows",
            {y});
    if (values.size() != factors.size()) reject("combineRows", "every value needs its factors");
    const std::int64_t rows = y.shape[0], n = y.shape.rowCount();
    for (std::size_t i = 0; i < values.size(); ++i) {
        require(values[i] && values[i].type == y.type && values[i].count() == y.count(), "combineRows",
                "all values must have y's type and size", {values[i], y});
        if (std::int64_t(factors[i].size()) != rows)
            reject("combineRows", "there must be one factor per row of " + describe(y));
    }
    for (std::int64_t row = 0; row < rows; ++row) {
        std::vector<Term> terms;
        for (std::size_t i = 0; i < values.size(); ++i)
            terms.push_back({factors[i][std::size_t(row)],
                             View{values[i].as<char>() + std::size_t(row * n) * sizeOf(y.type), y.type, {n}}});
        combine(terms, y.rows(row, 1).reshaped({n}));
    }
}

}  // namespace meander::kernels
