// Moving whole tensors of points on a curved space, row by row on the host: its states are a few numbers each. In flat
// space the device does it.
#pragma once
#include <functional>

#include "engine/process/manifold.h"
#include "engine/tensor/sum.h"

namespace meander {

// exp_x(factor · log_x(toward)): a share of the way along the geodesic; 1 arrives.
Tensor alongGeodesic(const Manifold& m, const Tensor& x, const Tensor& toward, double factor);
// The same with a tangent-normal step of standard deviation noiseStd added before the exponential: a step of the
// geodesic random walk.
Tensor randomWalk(const Manifold& m, const Tensor& x, const Tensor& toward, double factor, const Tensor& normals,
                  double noiseStd);
// factor · log_x(toward), a vector of the embedding that is tangent at x.
Tensor tangentTo(const Manifold& m, const Tensor& x, const Tensor& toward, double factor);
// x + Σ factor · vector brought back to the space (Manifold::retract).
Tensor retracted(const Manifold& m, const Tensor& moved);
// Standard normals made into the distribution that runs start from.
Tensor priorOf(const Manifold& m, const Tensor& normals);

}  // namespace meander
