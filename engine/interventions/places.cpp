#include "engine/interventions/places.h"

namespace meander::intervention {

void mixPlaces(const nn::SiteCall& call, const Tensor& own, double factor, const Tensor& other,
               const std::optional<Region>& region) {
    Backend& b = own.backend();
    if (!region) {
        b.copy(other ? combine({{factor, own}, {1 - factor, other}}) : combine({{factor, own}}), own);
        return;
    }
    const std::int64_t n = own.shape()[1], c = own.shape()[2];
    const auto text = call.site.kind == nn::SiteKind::SelfAttention ? 0 : call.text;
    const std::vector<float> inside = region->cells(call.grid);
    std::vector<double> onOwn(std::size_t(n), 1.0), onOther(std::size_t(n), 0.0);
    for (std::size_t i = 0; i < inside.size() && std::int64_t(i) + text < n; ++i)
        if (inside[i] > 0) {
            onOwn[std::size_t(text) + i] = factor;
            onOther[std::size_t(text) + i] = 1 - factor;
        }
    const Tensor tokens = own.reshaped({n, c});
    std::vector<Tensor> values{tokens};
    std::vector<std::vector<double>> factors{onOwn};
    if (other) {
        values.push_back(other.reshaped({n, c}));
        factors.push_back(onOther);
    }
    b.copy(combineRows(values, factors), tokens);
}

}  // namespace meander::intervention
