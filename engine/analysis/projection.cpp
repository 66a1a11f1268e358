#include "engine/analysis/projection.h"

#include <algorithm>
#include <cmath>

#include "engine/analysis/symmetric_eigen.h"

namespace meander {
namespace {

struct Components {
    std::vector<State> directions;
    std::vector<double> shares;
};

// Σ_k x_ki x_kj over all k.
std::vector<double> products(std::size_t n, std::size_t terms, const auto& x) {
    std::vector<double> m(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i; j < n; ++j) {
            double sum = 0;
            for (std::size_t k = 0; k < terms; ++k) sum += x(k, i) * x(k, j);
            m[i * n + j] = m[j * n + i] = sum;
        }
    return m;
}

// Principal components of rows, through the smaller of their Gram and scatter matrices; `centred`: about their mean.
Components components(std::vector<State> rows, int wanted, bool centred) {
    Components c;
    if (rows.empty() || rows.front().empty()) return c;
    const std::size_t n = rows.size(), d = rows.front().size();
    if (centred) {
        State mean(d, 0);
        for (const auto& r : rows)
            for (std::size_t i = 0; i < d; ++i) mean[i] += r[i] / double(n);
        for (auto& r : rows)
            for (std::size_t i = 0; i < d; ++i) r[i] -= mean[i];
    }
    const bool isGram = n <= d;
    const Eigen e = isGram ? symmetricEigen(products(n, d, [&](auto k, auto i) { return rows[i][k]; }), int(n))
                           : symmetricEigen(products(d, n, [&](auto k, auto i) { return rows[k][i]; }), int(d));
    double total = 0;
    for (double v : e.values) total += std::max(v, 0.0);
    for (std::size_t k = 0; k < std::min(std::size_t(wanted), n); ++k) {
        const double value = k < e.values.size() ? std::max(e.values[k], 0.0) : 0;
        c.shares.push_back(total > 0 ? value / total : 0);
        State direction;
        if (value > 1e-24 * total && total > 0) {
            direction = isGram ? State(d, 0) : e.vectors[k];
            for (std::size_t r = 0; isGram && r < n; ++r)
                for (std::size_t i = 0; i < d; ++i) direction[i] += e.vectors[k][r] * rows[r][i];
            const double length = norm(direction);
            for (double& v : direction) v /= length;
        }
        c.directions.push_back(std::move(direction));
    }
    return c;
}

State residual(const State& x, const State& origin, const State& chord) {
    State r(x.size());
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = x[i] - origin[i];
    const double along = dot(r, chord);
    for (std::size_t i = 0; i < r.size(); ++i) r[i] -= along * chord[i];
    return r;
}

void turnPositive(State& direction, const State& middle) {
    if (!direction.empty() && dot(direction, middle) < 0)
        for (double& v : direction) v = -v;
}

}  // namespace

ProjectionBasis fitProjection(const std::vector<std::vector<State>>& paths) {
    ProjectionBasis b;
    if (paths.empty() || paths.front().size() < 2 || paths.front().back().empty()) return b;
    const auto& pinned = paths.front();
    b.origin = pinned.back();
    b.chordLength = chordLength(pinned);
    if (!(b.chordLength > 0)) return b;
    b.chord = pinned.front();
    for (std::size_t i = 0; i < b.chord.size(); ++i) b.chord[i] = (b.chord[i] - b.origin[i]) / b.chordLength;
    const Components whole = components(pinned, 1, true);
    b.chordShare = whole.shares.empty() ? 0 : whole.shares.front();
    std::vector<State> residuals;
    for (const auto& path : paths)
        for (const auto& x : path)
            if (x.size() == b.origin.size()) residuals.push_back(residual(x, b.origin, b.chord));
    Components rest = components(residuals, 3, true);
    for (std::size_t k = 0; k < rest.shares.size() && k < 3; ++k) b.shares[k] = rest.shares[k];
    if (!rest.directions.empty()) b.first = std::move(rest.directions[0]);
    if (rest.directions.size() > 1) b.second = std::move(rest.directions[1]);
    const State& middle = residuals[pinned.size() / 2];
    turnPositive(b.first, middle);
    turnPositive(b.second, middle);
    return b;
}

ProjectionBasis fitProjection(const std::vector<State>& frames) {
    return fitProjection(std::vector<std::vector<State>>{frames});
}

std::vector<ProjectedPoint> project(const ProjectionBasis& b, const std::vector<State>& frames) {
    std::vector<ProjectedPoint> points;
    for (const auto& x : frames) {
        ProjectedPoint p;
        if (x.size() == b.origin.size() && !b.chord.empty()) {
            State r(x.size());
            for (std::size_t i = 0; i < r.size(); ++i) r[i] = x[i] - b.origin[i];
            p.along = dot(r, b.chord);
            if (!b.first.empty()) p.first = dot(r, b.first);
            if (!b.second.empty()) p.second = dot(r, b.second);
        }
        points.push_back(p);
    }
    return points;
}

std::string captionOf(const ProjectionBasis& b, const std::vector<ProjectedPoint>& points) {
    double reach = 0;
    for (const auto& p : points) reach = std::max(reach, std::max(std::abs(p.first), std::abs(p.second)));
    const auto percent = [](double share) { return std::to_string(int(std::lround(100 * share))) + " %"; };
    std::string s = "PC1 " + percent(b.shares[0]) + ", PC2 " + percent(b.shares[1]);
    if (reach > 0) s += " · axes ×" + std::to_string(std::lround(std::max(1.0, b.chordLength / reach)));
    return s;
}

}  // namespace meander
