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

// On the hyperboloid everything is measured at the apex, where the boost that carries x there and back keeps lengths:
// Minkowski products of vectors far out would be small differences of large numbers. Vectors of space coordinates only,
// from which the first follows.
using Vector = std::vector<double>;
// The part of a point along a boost by asinh(s): along · √(1 + s²) + q0 s, `across` the square of its other part. Where
// the two would cancel, by the difference of their squares, s² across − (along + s)(along − s).
double boosted(double along, double across, double s, double sum) {
    const double c = std::hypot(1, s), first = std::sqrt(1 + along * along + across);
    return along * s >= 0 ? along * c + first * s : (s * s * across - sum * (along - s)) / (first * s - along * c);
}
Vector direction(std::span<const double> x, double length) {
    Vector e(x.begin() + 1, x.end());
    for (double& c : e) c /= length;
    return e;
}
double spaceLength(std::span<const double> x) { return std::sqrt(dot(x.subspan(1), x.subspan(1))); }
// y with x carried to the apex; sinh of the distance long.
Vector pointSeenFrom(std::span<const double> x, std::span<const double> y) {
    const double s = spaceLength(x);
    if (s == 0) return {y.begin() + 1, y.end()};
    const Vector e = direction(x, s);
    Vector p(e.size());
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = y[i + 1] - x[i + 1];
    const double nearer = dot(p, e);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] -= nearer * e[i];
    const double along = boosted(s + nearer, dot(p, p), -s, nearer);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] += along * e[i];
    return p;
}
// Back: the space coordinates of the point that is p when x is at the apex.
Vector pointSeenAt(std::span<const double> x, Vector p) {
    const double s = spaceLength(x);
    if (s == 0) return p;
    const Vector e = direction(x, s);
    const double along = dot(p, e);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] -= along * e[i];
    const double moved = boosted(along, dot(p, p), s, along + s);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] += moved * e[i];
    return p;
}
// The tangent vector v at x, carried to the apex.
Vector tangentSeenFrom(std::span<const double> x, std::span<const double> v) {
    Vector w(v.begin() + 1, v.end());
    const double s = spaceLength(x);
    if (s == 0) return w;
    const Vector e = direction(x, s);
    const double along = dot(w, e);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] += (along / x[0] - along) * e[i];
    return w;
}
// log sinh, also where sinh is beyond the numbers
double logSinh(double r) { return r + std::log1p(-std::exp(-2 * r)) - std::numbers::ln2; }
// log density at distance r from the apex of a normal vector of n dimensions wrapped onto the hyperboloid there.
double logWrappedNormal(double n, double r) {
    return -0.5 * (r * r + n * std::log(2 * pi)) + (r > 1e-6 ? (n - 1) * (std::log(r) - logSinh(r)) : 0);
}

}  // namespace

const char* nameOf(ManifoldKind k) { return names[std::size_t(k)]; }

std::optional<ManifoldKind> manifoldNamed(const std::string& name) {
    for (std::size_t i = 0; i < std::size(names); ++i)
        if (name == names[i]) return ManifoldKind(i);
    return {};
}

double Manifold::product(std::span<const double> x, std::span<const double> v, std::span<const double> w) const {
    return m_kind == ManifoldKind::Hyperboloid ? dot(tangentSeenFrom(x, v), tangentSeenFrom(x, w)) : dot(v, w);
}

// Angles by half the chord, which is precise for near points; beyond a right angle by the chord to the antipode.
double Manifold::distance(std::span<const double> x, std::span<const double> y) const {
    if (m_kind == ManifoldKind::Hyperboloid) {
        const Vector p = pointSeenFrom(x, y);
        return std::asinh(std::sqrt(dot(p, p)));
    }
    double square = 0, opposite = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double d = m_kind == ManifoldKind::Torus ? wrapped(y[i] - x[i]) : y[i] - x[i];
        square += d * d;
        opposite += (x[i] + y[i]) * (x[i] + y[i]);
    }
    if (m_kind == ManifoldKind::Sphere)
        return square <= opposite ? 2 * std::asin(std::min(1.0, std::sqrt(square) / 2))
                                  : pi - 2 * std::asin(std::min(1.0, std::sqrt(opposite) / 2));
    return std::sqrt(square);
}

void Manifold::log(std::span<const double> x, std::span<const double> y, std::span<double> v) const {
    if (m_kind == ManifoldKind::Euclidean || m_kind == ManifoldKind::Torus) {
        for (std::size_t i = 0; i < x.size(); ++i)
            v[i] = m_kind == ManifoldKind::Torus ? wrapped(y[i] - x[i]) : y[i] - x[i];
        return;
    }
    if (m_kind == ManifoldKind::Hyperboloid) {
        const Vector p = pointSeenFrom(x, y);
        const double sinh = std::sqrt(dot(p, p)), factor = sinh > 0 ? std::asinh(sinh) / sinh : 0,
                     along = dot(x.subspan(1), p);
        v[0] = factor * along;
        for (std::size_t i = 1; i < x.size(); ++i) v[i] = factor * (p[i - 1] + along / (1 + x[0]) * x[i]);
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
        for (std::size_t i = 0; i < x.size(); ++i)
            y[i] = m_kind == ManifoldKind::Torus ? wrapped(x[i] + v[i]) : x[i] + v[i];
        return;
    }
    if (m_kind == ManifoldKind::Hyperboloid) {
        Vector p = tangentSeenFrom(x, v);
        const double length = std::sqrt(dot(p, p)), across = length < 1e-8 ? 1 : std::sinh(length) / length;
        for (double& c : p) c *= across;
        p = pointSeenAt(x, std::move(p));
        std::copy(p.begin(), p.end(), y.begin() + 1);
        retract(y);
        return;
    }
    const double length = std::sqrt(dot(v, v)), along = std::cos(length),
                 across = length < 1e-8 ? 1 : std::sin(length) / length;
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
    return logWrappedNormal(n, std::asinh(std::sqrt(dot(x.subspan(1), x.subspan(1)))));
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

std::optional<double> Manifold::logExpansion(std::span<const double> centre, std::span<const double> x,
                                             double kappa) const {
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
    const double ratio =
        m_kind == ManifoldKind::Sphere ? std::log(std::sin(far) / std::sin(r)) : logSinh(far) - logSinh(r);
    return -std::log(kappa) + (n - 1) * ratio;
}

}  // namespace meander
