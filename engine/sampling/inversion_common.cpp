#include "engine/sampling/inversion_common.h"

#include <algorithm>

namespace meander {

InversionPoint inversionPoint(const Sampling& s, double from, double to) {
    if (from > 0) return {s.x, from};
    const double lowest = std::min(s.process.minimum(), to);
    return {s.signal(lowest) / s.signal(0) * s.x, lowest};
}

Tensor noisedAlong(const Sampling& s, const Tensor& noise, double from, double to) {
    return s.signal(to) / s.signal(from) * (s.x - from * noise) + to * noise;
}

Tensor clippedTo(const Tensor& x, double range) {
    if (x.type() == DType::F64) {  // exact models; the device clamps activations only
        auto v = download(x).toDoubles();
        for (double& e : v) e = std::clamp(e, -range, range);
        return upload(x.backend(), HostTensor::fromDoubles(x.shape(), v));
    }
    const Tensor scaled = combine({{1 / range, x}});
    scaled.backend().unary(kernels::Unary::Clamp1, scaled, scaled);
    return combine({{range, scaled}});
}

namespace {

// ⟨a, b⟩ of every row, by squares of sums: (‖a + b‖² − ‖a − b‖²)/4.
std::vector<double> products(const Tensor& a, const Tensor& b) {
    auto plus = a.backend().reduceRows(kernels::Reduction::SumSquares, combine({{1, a}, {1, b}}));
    const auto minus = a.backend().reduceRows(kernels::Reduction::SumSquares, combine({{1, a}, {-1, b}}));
    for (std::size_t i = 0; i < plus.size(); ++i) plus[i] = (plus[i] - minus[i]) / 4;
    return plus;
}

// Solves the symmetric system by elimination with pivots; singular directions get 0.
std::vector<double> solved(std::vector<std::vector<double>> m, std::vector<double> b) {
    const std::size_t n = b.size();
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, m[i][i]);
    std::vector<bool> used(n, false);
    std::vector<std::size_t> pivots;
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t p = n;
        for (std::size_t i = 0; i < n; ++i)
            if (!used[i] && (p == n || m[i][i] > m[p][p])) p = i;
        if (!(m[p][p] > 1e-13 * largest)) break;
        used[p] = true;
        pivots.push_back(p);
        for (std::size_t i = 0; i < n; ++i) {
            if (i == p) continue;
            const double factor = m[i][p] / m[p][p];
            for (std::size_t j = 0; j < n; ++j) m[i][j] -= factor * m[p][j];
            b[i] -= factor * b[p];
        }
    }
    std::vector<double> x(n, 0.0);
    for (const std::size_t p : pivots) x[p] = b[p] / m[p][p];
    return x;
}

}  // namespace

Tensor Anderson::next(const Tensor& y, const Tensor& step) {
    if (m_depth > 0 && m_y) {
        m_differences.push_back({y - m_y, step - m_step});
        if (m_differences.size() > m_depth) m_differences.pop_front();
    }
    m_y = y;
    m_step = step;
    const std::size_t n = m_differences.size(), rows = std::size_t(y.rows());
    if (n == 0) return Sum(y) + step;
    std::vector<std::vector<std::vector<double>>> gram(n, std::vector<std::vector<double>>(n));
    std::vector<std::vector<double>> right(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j)
            gram[i][j] = gram[j][i] = products(m_differences[i].step, m_differences[j].step);
        right[i] = products(m_differences[i].step, step);
    }
    // y + step − Σ γ_j (Δy_j + Δstep_j)
    std::vector<Tensor> parts{y, step};
    std::vector<std::vector<double>> factors(2, std::vector<double>(rows, 1.0));
    std::vector<std::vector<double>> gamma(n, std::vector<double>(rows));
    for (std::size_t r = 0; r < rows; ++r) {
        std::vector<std::vector<double>> m(n, std::vector<double>(n));
        std::vector<double> b(n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) m[i][j] = gram[i][j][r];
            b[i] = right[i][r];
        }
        const auto x = solved(std::move(m), std::move(b));
        for (std::size_t i = 0; i < n; ++i) gamma[i][r] = -x[i];
    }
    for (std::size_t i = 0; i < n; ++i) {
        parts.push_back(m_differences[i].y);
        parts.push_back(m_differences[i].step);
        factors.push_back(gamma[i]);
        factors.push_back(gamma[i]);
    }
    return combineRows(parts, factors);
}

}  // namespace meander
