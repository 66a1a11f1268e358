#include "engine/guidance/spaces.h"

#include "engine/core/param_specs.h"

#include <algorithm>
#include <cmath>

namespace meander {

Tensor Space::from(const Tensor& estimate, const Tensor& y) const {
    return isEstimate() ? estimate : combine({{estimateCoeff, estimate}, {stateCoeff, y}});
}
Tensor Space::back(const Tensor& value, const Tensor& y) const {
    return isEstimate() ? value : combine({{1 / estimateCoeff, value}, {-stateCoeff / estimateCoeff, y}});
}

Space spaceOf(const std::string& name, const GuidanceMoment& m) {
    const double a = m.signal(), tau = m.tau;
    if (name == "x0") return {};
    if (name == "output") {
        const Conversion c = conversionAt(m.process, m.parametrization, tau, m.sigmaData);
        // Where a consistency model returns the state itself, its output has no part in x̂0 and cannot be told from it.
        if (m.parametrization == Parametrization::X0 || !std::isnormal(c.fromOutput)) return {};
        return {-c.fromState / c.fromOutput, 1 / c.fromOutput};
    }
    if (name == "epsilon" && a > 0) return {1 / tau, -a / tau};
    if (name == "v") {
        const double length = std::hypot(a, tau), cosine = a / length, sine = tau / length;
        return {cosine / tau, -(cosine * a / tau + sine)};
    }
    return {1 / tau, -(a / tau + 1)};
}

ParamSpec spaceParam(const char* usual, const char* key) {
    std::vector<ParamChoice> choices = {{"x0", "Clean estimate x̂0"},
                                        {"epsilon", "Noise ε"},
                                        {"v", "v"},
                                        {"velocity", "Velocity ε − x0"},
                                        {"output", "The network's own output"}};
    std::stable_partition(choices.begin(), choices.end(), [&](const ParamChoice& c) { return c.id == usual; });
    return advanced(choiceParam(key, "Space", std::move(choices),
                                "What the formula is applied to; norms, projections and deviations differ between "
                                "these, linear combinations do not."));
}

}  // namespace meander
