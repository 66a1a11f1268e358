#include "engine/process/manifold.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace meander {

namespace {

constexpr double pi = std::numbers::pi;
constexpr const char* names[] = {"euclidean", "sphere", "torus", "hyperboloid"};

double dot(std::span<const double> a, std::span<const double> b) {
    double s = 0;
    for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
    return s;
}
double minkowski(std::span<const double> a, std::span<const double> b) { return dot(a, b) - 2 * a[0] * b[0]; }
double wrapped(double angle) { return angle - 2 * pi * std::floor((angle + pi) / (2 * pi)); }

}  // namespace

const char* nameOf(ManifoldKind k) { return names[std::size_t(k)]; }

std::optional<ManifoldKind> manifoldNamed(const std::string& name) {
    for (std::size_t i = 0; i < std::size(names); ++i)
        if (name == names[i]) return ManifoldKind(i);
    return {};
}

double Manifold::product(std::span<const double>, std::span<const double> v, std::span<const double> w) const { return m_kind == ManifoldKind::Hyperboloid ? minkowski(v, w) : dot(v, w); }

// Angles and hyperbolic distances by half the chord, which is precise for near points; beyond a right angle by the chord to the antipode.
double Manifold::distance(std::span<const double> x, std::span<const double> y) const {
    double square = 0, opposite = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double d = m_kind == ManifoldKind::Torus ? wrapped(y[i] - x[i]) : y[i] - x[i];
        square += (m_kind == ManifoldKind::Hyperboloid && i == 0 ? -1 : 1) * d * d;
        opposite += (x[i] + y[i]) * (x[i] + y[i]);
    }
    square = std::max(0.0, square);
    if (m_kind == ManifoldKind::Sphere) return square <= opposite ? 2 * std::asin(std::min(1.0, std::sqrt(square) / 2)) : pi - 2 * std::asin(std::min(1.0, std::sqrt(opposite) / 2));
    return m_kind == ManifoldKind::Hyperboloid ? 2 * std::asinh(std::sqrt(square) / 2) : std::sqrt(square);
}

void Manifold::log(std::span<const double> x, std::span<const double> y, std::span<double> v) const {
    if (m_kind == ManifoldKind::Euclidean || m_kind == ManifoldKind::Torus) {
        for (std::size_t i = 0; i < x.size(); ++i) v[i] = m_kind == ManifoldKind::Torus ? wrapped(y[i] - x[i]) : y[i] - x[i];
        return;
    }
    for (std::size_t i = 0; i < x.size(); ++i) v[i] = y[i] - x[i];
    makeTangent(x, v);
    const double length = std::sqrt(std::max(0.0, product(x, v, v)));
    const double factor = length > 0 ? distance(x, y) / length : 0;
    for (double& c : v) c *= factor;
}

void Manifold::exp(std::span<const double> x, std::span<const double> v, std::span<double> y) const {
    if (m_kind == ManifoldKind::Euclidean || m_kind == ManifoldKind::Torus) {
        for (std::size_t i = 0; i < x.size(); ++i) y[i] = m_kind == ManifoldKind::Torus ? wrapped(x[i] + v[i]) : x[i] + v[i];
        return;
    }
    const double length = std::sqrt(std::max(0.0, product(x, v, v)));
    const bool isSphere = m_kind == ManifoldKind::Sphere;
    const double along = isSphere ? std::cos(length) : std::cosh(length), across = length < 1e-8 ? 1 : (isSphere ? std::sin(length) : std::sinh(length)) / length;
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = along * x[i] + across * v[i];
    retract(y);
}

void Manifold::retract(std::span<double> x) const {
    if (m_kind == ManifoldKind::Torus)
        for (double& c : x) c = wrapped(c);
    if (m_kind == ManifoldKind::Sphere) {
        const double length = std::sqrt(dot(x, x));
        for (double& c : x) c /= length;
    }
    if (m_kind == ManifoldKind::Hyperboloid) x[0] = std::sqrt(1 + dot(x.subspan(1), x.subspan(1)));
}

void Manifold::makeTangent(std::span<const double> x, std::span<double> v) const {
    if (m_kind != ManifoldKind::Sphere && m_kind != ManifoldKind::Hyperboloid) return;
    const double normal = m_kind == ManifoldKind::Sphere ? -dot(x, v) : minkowski(x, v);  // ⟨x, x⟩ = 1, −1
    for (std::size_t i = 0; i < v.size(); ++i) v[i] += normal * x[i];
}

double Manifold::violation(std::span<const double> x) const {
    if (m_kind == ManifoldKind::Sphere) return std::abs(std::sqrt(dot(x, x)) - 1);
    if (m_kind == ManifoldKind::Hyperboloid) return std::abs(minkowski(x, x) + 1) / (x[0] * x[0]) + (x[0] > 0 ? 0 : 1);
    if (m_kind != ManifoldKind::Torus) return 0;
    double worst = 0;
    for (double c : x) worst = std::max(worst, std::max(-pi - c, c - pi));
    return std::max(0.0, worst);
}

void Manifold::makePrior(std::span<double> z) const {
    if (m_kind == ManifoldKind::Torus)
        for (double& c : z) c = wrapped(2 * pi * (0.5 * std::erfc(-c / std::numbers::sqrt2) - 0.5));
    if (m_kind == ManifoldKind::Sphere) retract(z);
    if (m_kind == ManifoldKind::Hyperboloid) {
        std::vector<double> apex(z.size(), 0.0), v(z.begin(), z.end());
        apex[0] = 1;
        v[0] = 0;
        exp(apex, v, z);
    }
}

double Manifold::logPrior(std::span<const double> x) const {
    const double n = dimension(int(x.size()));
    if (m_kind == ManifoldKind::Torus) return -n * std::log(2 * pi);
    if (m_kind == ManifoldKind::Sphere) return std::lgamma((n + 1) / 2) - std::log(2.0) - (n + 1) / 2 * std::log(pi);
    if (m_kind == ManifoldKind::Euclidean) return -0.5 * (dot(x, x) + n * std::log(2 * pi));
    const double r = std::acosh(std::max(1.0, x[0]));
    return -0.5 * (r * r + n * std::log(2 * pi)) + (r > 1e-6 ? (n - 1) * std::log(r / std::sinh(r)) : 0);
}

// On the hyperboloid: drawn at the apex and carried along the geodesic from there to x, which keeps lengths and angles.
void Manifold::makeTangentNormal(std::span<const double> x, std::span<double> z) const {
    if (m_kind == ManifoldKind::Hyperboloid) {
        z[0] = 0;
        const double along = dot(z.subspan(1), x.subspan(1)) / (1 + x[0]);
        z[0] = along * (1 + x[0]);
        for (std::size_t i = 1; i < z.size(); ++i) z[i] += along * x[i];
    }
    makeTangent(x, z);
}

std::optional<double> Manifold::logExpansion(std::span<const double> centre, std::span<const double> x, double kappa) const {
    const double n = dimension(int(x.size()));
    if (m_kind == ManifoldKind::Euclidean) return -n * std::log(kappa);
    if (m_kind == ManifoldKind::Torus) {
        for (std::size_t i = 0; i < x.size(); ++i)
            if (std::abs(wrapped(x[i] - centre[i])) > pi * kappa) return {};
        return -n * std::log(kappa);
    }
    const double r = distance(centre, x), far = r / kappa;
    if (m_kind == ManifoldKind::Sphere && far >= pi) return {};
    if (r < 1e-7) return -n * std::log(kappa);
    const double ratio = m_kind == ManifoldKind::Sphere ? std::log(std::sin(far) / std::sin(r)) : far - r + std::log1p(-std::exp(-2 * far)) - std::log1p(-std::exp(-2 * r));
    return -std::log(kappa) + (n - 1) * ratio;
}

}  // namespace meander
