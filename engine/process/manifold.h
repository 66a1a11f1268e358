// Curved state spaces, one point at a time: where a flow or a diffusion lives when its states are directions, angles or
// points of hyperbolic space. Coordinates (of the embedding, so that a state is a plain tensor):
//   Sphere       unit vectors of R^(n+1)
//   Torus        n angles in [−π, π), flat
//   Hyperboloid  (x0, x) of R^(n+1) with −x0² + ‖x‖² = −1, x0 > 0; products and lengths are Minkowski's
// Tangent vectors are vectors of the same embedding at their foot point. Formulas: Chen & Lipman 2024 (flow matching on
// general geometries), appendix.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace meander {

enum class ManifoldKind : std::uint8_t { Euclidean, Sphere, Torus, Hyperboloid };

const char* nameOf(ManifoldKind k);  // "euclidean", "sphere", "torus", "hyperboloid"
std::optional<ManifoldKind> manifoldNamed(const std::string& name);

class Manifold {
public:
    Manifold() = default;
    explicit Manifold(ManifoldKind kind) : m_kind(kind) {}
    ManifoldKind kind() const { return m_kind; }
    bool isFlat() const { return m_kind == ManifoldKind::Euclidean; }
    // Degrees of freedom of points with so many coordinates.
    int dimension(int coordinates) const {
        return m_kind == ManifoldKind::Sphere || m_kind == ManifoldKind::Hyperboloid ? coordinates - 1 : coordinates;
    }

    // v with exp(x, v) = y and ‖v‖ = distance(x, y); at antipodes of a sphere any of the shortest ways.
    void log(std::span<const double> x, std::span<const double> y, std::span<double> v) const;
    // The end of the geodesic that leaves x with v. Ends on the manifold to rounding, however many follow each other.
    void exp(std::span<const double> x, std::span<const double> v, std::span<double> y) const;
    // Back to the manifold after a step in the embedding, in place: the sphere's nearest point, the hyperboloid's with
    // the same space coordinates.
    void retract(std::span<double> x) const;
    // The part of v that is tangent at x, in place.
    void makeTangent(std::span<const double> x, std::span<double> v) const;
    double product(std::span<const double> x, std::span<const double> v,
                   std::span<const double> w) const;  // of tangent vectors at x
    double distance(std::span<const double> x, std::span<const double> y) const;
    // How far x is from satisfying the equation of the manifold; 0 on it.
    double violation(std::span<const double> x) const;

    // The distribution that runs start from, made of standard normals, in place: uniform on the sphere and the torus,
    // the wrapped normal at the apex of the hyperboloid (its first coordinate is then unused).
    void makePrior(std::span<double> normals) const;
    // log density of that distribution against the volume of the manifold.
    double logPrior(std::span<const double> x) const;
    // A standard normal vector of the tangent space at x, made of standard normals, in place.
    void makeTangentNormal(std::span<const double> x, std::span<double> normals) const;
    // log of the volume factor of the map exp_c(v) → exp_c(v/κ) at x: what a geodesic contraction towards c does to
    // densities. Nothing where x/κ lies beyond the cut locus, that is where no point contracts to x.
    std::optional<double> logExpansion(std::span<const double> centre, std::span<const double> x, double kappa) const;

    bool operator==(const Manifold&) const = default;

private:
    ManifoldKind m_kind = ManifoldKind::Euclidean;
};

}  // namespace meander
