// The quantities a guidance formula may be written in. Each is affine in x̂0 at a given state: F = onState·y +
// onEstimate·x̂0.
//   x0        x̂0                                    output    what the network returns
//   epsilon   (y − a x̂0)/τ                          v         cos φ·ε − sin φ·x0, tan φ = σ
//   velocity  ε − x0
#pragma once
#include "engine/guidance/guidance.h"

namespace meander {

struct Space {
    double stateCoeff = 0, estimateCoeff = 1;
    bool isEstimate() const { return stateCoeff == 0 && estimateCoeff == 1; }
    Tensor from(const Tensor& estimate, const Tensor& y) const;
    Tensor back(const Tensor& value, const Tensor& y) const;  // to x̂0
};
// At pure noise of a flow, where ε does not depend on x̂0, epsilon means velocity. At the boundary of a consistency
// model, where x̂0 does not depend on the output, output means x̂0.
Space spaceOf(const std::string& name, const GuidanceMoment& m);
// A choice parameter; the first is the default.
ParamSpec spaceParam(const char* usual, const char* key = "space");

}  // namespace meander
