#include "engine/sampling/sampling.h"

#include <cmath>

namespace meander {

std::vector<Interval> Sampling::intervals() const {
    std::vector<Interval> list;
    for (int i = m_first; i < steps(); ++i) list.push_back({{m_levels[std::size_t(i)], i}, {m_levels[std::size_t(i) + 1], i + 1}});
    return list;
}

double Sampling::halfLogSnr(double tau) const { return 0.5 * process.logSnr(tau); }

}  // namespace meander
