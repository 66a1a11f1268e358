// Brownian kernels of the circle and the unit sphere, and the weights of a mixture of bridges between them.
#pragma once
#include <vector>

#include "engine/process/manifold.h"

namespace meander {

// log of a heat kernel at a distance, and its derivative by that distance.
struct HeatKernel {
    double log, slope;
};
// Brownian motion of variance s per direction on the unit sphere, after an angle of 0 … π: the Legendre series
// Σ (2l + 1)/4π e^{−l(l+1)s/2} P_l(cos γ), or, where the series cancels, the Gaussian with its first correction
// √(γ/sin γ).
HeatKernel sphereHeat(double angle, double s);
// The same on the circle, for an angle of −π … π: a Gaussian with all its windings.
HeatKernel circleHeat(double angle, double s);

// The part of an end's weight that depends on where paths begin. In a mixture of bridges (Jo & Hwang 2024) a path from
// x0 ~ π₀ to the end p, drawn with probability w, is at x after the variance s_t of s_T with density
//   w ∫ π₀(x0) K_t(x0, x) K_{T−t}(x, p)/K_T(x0, p) dx0 = w K_{T−t}(x, p) · B(d(x, p)),
// and B(d) = ∫ π₀(x0) K_t(x0, x)/K_T(x0, p) dx0 for the uniform π₀ of a circle or a sphere depends on the distance
// alone. On a torus the weight is the product over its angles. Tabulated by quadrature of positive terms.
class BridgeWeights {
public:
    // Sphere, or Torus for one of its angles; 0 ≤ elapsed ≤ total, the variances s_t and s_T.
    BridgeWeights(ManifoldKind kind, double elapsed, double total);
    // log B up to a constant that all ends share.
    double log(double distance) const;

private:
    std::vector<double> m_logs;  // at equal distances from 0 to π
};

}  // namespace meander
