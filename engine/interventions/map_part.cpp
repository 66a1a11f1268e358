#include "engine/interventions/map_part.h"

#include <algorithm>

namespace meander::intervention {

std::optional<MapPart> mapPart(const nn::SiteCall& call, const nn::Attention& a, LooksAt what) {
    const std::int64_t n = a.q.shape()[1], m = a.k.shape()[1],
                       places = std::int64_t(call.grid.height) * call.grid.width;
    switch (call.site.kind) {
    case nn::SiteKind::CrossAttention:
        if (what == LooksAt::Words) return MapPart{0, n, 0, m};
        return {};
    case nn::SiteKind::SelfAttention:
        if (what == LooksAt::Places) return MapPart{0, n, 0, m};
        return {};
    case nn::SiteKind::JointAttention:
        if (call.text + places > n || n != m) return {};
        if (what == LooksAt::Words) return MapPart{call.text, places, 0, call.text};
        return MapPart{call.text, places, call.text, places};
    default: return {};
    }
}

Tensor mapsOfRow(const nn::Attention& a, std::int64_t row) {
    const Shape s = a.probabilities.shape();
    return a.probabilities.slice(row, 1).reshaped({s[1], s[2], s[3]});
}

void normaliseMaps(const Tensor& maps) {
    const Shape s = maps.shape();
    const Tensor rows = maps.reshaped({s[0] * s[1], s[2]});
    std::vector<double> factors = maps.backend().reduceRows(kernels::Reduction::Sum, rows);
    for (double& f : factors) f = f > 0 ? 1 / f : 0;
    const Tensor values[] = {rows};
    const std::vector<double> all[] = {std::move(factors)};
    maps.backend().copy(combineRows(values, all), rows);
}

Tensor uploaded(Backend& backend, kernels::Shape shape, const std::vector<float>& values) {
    return upload(backend, HostTensor::fromFloats(shape, values));
}

}  // namespace meander::intervention
