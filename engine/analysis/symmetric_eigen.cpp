#include "engine/analysis/symmetric_eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace meander {
namespace {

struct Rotation {
    double c, s;
};

// The rotation in the plane (p, q) that makes a_pq zero.
Rotation rotationFor(double app, double aqq, double apq) {
    const double theta = (aqq - app) / (2 * apq);
    const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
    const double c = 1 / std::sqrt(t * t + 1);
    return {c, t * c};
}

double offDiagonal(const std::vector<double>& a, int n) {
    double sum = 0;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
            if (i != j) sum += a[std::size_t(i * n + j)] * a[std::size_t(i * n + j)];
    return sum;
}

void rotate(std::vector<double>& a, std::vector<double>& v, int n, int p, int q) {
    const auto at = [&](int i, int j) -> double& { return a[std::size_t(i * n + j)]; };
    if (at(p, q) == 0) return;
    const auto [c, s] = rotationFor(at(p, p), at(q, q), at(p, q));
    for (int k = 0; k < n; ++k) {
        const double x = at(k, p), y = at(k, q);
        at(k, p) = c * x - s * y;
        at(k, q) = s * x + c * y;
    }
    for (int k = 0; k < n; ++k) {
        const double x = at(p, k), y = at(q, k);
        at(p, k) = c * x - s * y;
        at(q, k) = s * x + c * y;
    }
    for (int k = 0; k < n; ++k) {
        double& x = v[std::size_t(k * n + p)];
        double& y = v[std::size_t(k * n + q)];
        const double vx = x, vy = y;
        x = c * vx - s * vy;
        y = s * vx + c * vy;
    }
}

}  // namespace

Eigen symmetricEigen(std::vector<double> a, int n) {
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < i; ++j)
            a[std::size_t(i * n + j)] = a[std::size_t(j * n + i)] =
                (a[std::size_t(i * n + j)] + a[std::size_t(j * n + i)]) / 2;
    std::vector<double> v(std::size_t(n) * std::size_t(n), 0);
    for (int i = 0; i < n; ++i) v[std::size_t(i * n + i)] = 1;
    double scale = 0;
    for (double x : a) scale += x * x;
    for (int sweep = 0; sweep < 60 && offDiagonal(a, n) > 1e-30 * scale; ++sweep)
        for (int p = 0; p < n; ++p)
            for (int q = p + 1; q < n; ++q) rotate(a, v, n, p, q);
    std::vector<int> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](int i, int j) { return a[std::size_t(i * n + i)] > a[std::size_t(j * n + j)]; });
    Eigen e;
    for (int i : order) {
        e.values.push_back(a[std::size_t(i * n + i)]);
        std::vector<double> vector;
        for (int k = 0; k < n; ++k) vector.push_back(v[std::size_t(k * n + i)]);
        e.vectors.push_back(std::move(vector));
    }
    return e;
}

}  // namespace meander
