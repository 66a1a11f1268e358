// Reductions to host numbers, and noise. Sums are taken in double over fixed pieces and added in order: the same on any
// number of threads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/any_type.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

constexpr std::int64_t piece = 1 << 14;

// One value per row: part(first, last) of a row's elements, joined in order.
template <class Part, class Join>
std::vector<double> perRow(int threads, std::int64_t rows, std::int64_t n, double start, const Part& part,
                           const Join& join) {
    const std::int64_t pieces = (n + piece - 1) / piece;
    std::vector<double> parts(std::size_t(rows * pieces)), result(std::size_t(rows), start);
    parallelFor(threads, rows * pieces, [&](std::int64_t i, int) {
        const std::int64_t row = i / pieces, first = i % pieces * piece;
        parts[std::size_t(i)] = part(row * n + first, row * n + std::min(n, first + piece));
    });
    for (std::int64_t i = 0; i < rows * pieces; ++i)
        result[std::size_t(i / pieces)] = join(result[std::size_t(i / pieces)], parts[std::size_t(i)]);
    return result;
}

template <class T> double reducePart(Reduction r, const View& x, std::int64_t first, std::int64_t last) {
    double result = r == Reduction::Min   ? std::numeric_limits<double>::infinity()
                    : r == Reduction::Max ? -std::numeric_limits<double>::infinity()
                                          : 0.0;
    for (std::int64_t i = first; i < last; ++i) {
        const double v = T::read(x.data, i);
        switch (r) {
        case Reduction::Sum: result += v; break;
        case Reduction::SumSquares: result += v * v; break;
        case Reduction::SumAbs: result += std::abs(v); break;
        case Reduction::Min: result = v < result || std::isnan(v) ? v : result; break;  // NaN must not hide
        case Reduction::Max: result = v > result || std::isnan(v) ? v : result; break;
        }
    }
    return result;
}

}  // namespace

std::vector<double> CpuBackend::doReduceRows(Reduction r, View x) {
    const double start = r == Reduction::Min   ? std::numeric_limits<double>::infinity()
                         : r == Reduction::Max ? -std::numeric_limits<double>::infinity()
                                               : 0.0;
    const auto part = [&](std::int64_t first, std::int64_t last) {
        double result = 0;
        withType(x.type, [&]<class T>(T) { result = reducePart<T>(r, x, first, last); });
        return result;
    };
    return perRow(m_threads, x.shape[0], x.shape.rowCount(), start, part, [r](double a, double b) {
        if (r == Reduction::Min) return a < b || std::isnan(a) ? a : b;
        if (r == Reduction::Max) return a > b || std::isnan(a) ? a : b;
        return a + b;
    });
}

std::vector<double> CpuBackend::doDotRows(View a, View b) {
    const auto part = [&](std::int64_t first, std::int64_t last) {
        double sum = 0;
        withType(a.type, [&]<class T>(T) {
            for (std::int64_t i = first; i < last; ++i) sum += T::read(a.data, i) * T::read(b.data, i);
        });
        return sum;
    };
    return perRow(m_threads, a.shape[0], a.shape.rowCount(), 0.0, part, [](double s, double t) { return s + t; });
}

std::vector<double> CpuBackend::doAttentionEntropy(View p) {
    const std::int64_t maps = p.shape[0] * p.shape[1], n = p.shape[2] * p.shape[3];
    const double queries = double(std::max<std::int64_t>(1, p.shape[2]));
    auto result = perRow(
        m_threads, maps, n, 0.0,
        [&](std::int64_t first, std::int64_t last) { return m_loops.entropy(p.as<float>() + first, last - first); },
        [](double s, double t) { return s + t; });
    for (double& h : result) h /= queries;
    return result;
}

void CpuBackend::doNormal(std::span<const NoiseAddress> addresses, View y) {
    const std::int64_t n = y.shape.rowCount(), blocks = (n + 3) / 4, grain = 1024;
    const std::int64_t pieces = (blocks + grain - 1) / grain;
    parallelFor(m_threads, y.shape[0] * pieces, [&](std::int64_t task, int) {
        const std::int64_t row = task / pieces, first = task % pieces * grain;
        for (std::int64_t block = first; block < std::min(blocks, first + grain); ++block) {
            double four[4];
            normal4(addresses[std::size_t(row)], std::uint32_t(block), four);
            for (std::int64_t i = 0; i < std::min<std::int64_t>(4, n - 4 * block); ++i) {
                const std::int64_t at = row * n + 4 * block + i;
                if (y.type == DType::F64) y.as<double>()[at] = four[i];
                else y.as<float>()[at] = float(four[i]);
            }
        }
    });
}

}  // namespace meander::kernels
