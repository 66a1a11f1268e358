#include "engine/sampling/sampling.h"

#include <cmath>

namespace meander {

std::vector<Interval> Sampling::intervals() const {
    std::vector<Interval> list;
    for (int i = m_first; i < steps(); ++i)
        list.push_back({{m_levels[std::size_t(i)], i}, {m_levels[std::size_t(i) + 1], i + 1}});
    return list;
}

Sampling::AncestralStep Sampling::ancestralVia(double sigmaDown, double to) const {
    if (sigmaDown >= to) return {to, 1, 0};
    const double scale = signal(to) / signal(sigmaDown);
    return {sigmaDown, scale, std::sqrt(std::max(0.0, to * to - scale * scale * sigmaDown * sigmaDown))};
}

Sampling::AncestralStep Sampling::ancestral(double from, double to, double eta) const {
    const double ratio = to / from, share = 1 - eta * eta * (1 - ratio * ratio);
    return ancestralVia(to * std::sqrt(std::max(0.0, share)), to);
}

}  // namespace meander
