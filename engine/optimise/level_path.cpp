#include "engine/optimise/level_path.h"

#include <cmath>
#include <limits>
#include <string>

#include "engine/core/result.h"

namespace meander {

namespace {
constexpr double infinite = std::numeric_limits<double>::infinity();
}

CostMatrix::CostMatrix(int points) : m_points(points), m_costs(std::size_t(points) * std::size_t(points), infinite) {}

LevelPath cheapestPath(const CostMatrix& costs, int intervals, double gamma) {
    const int last = costs.points() - 1;
    if (intervals < 1 || intervals > last)
        throw Failure(std::to_string(intervals) + " steps cannot be chosen among " + std::to_string(last)
                      + ". Use fewer steps, or a finer reference.");
    std::vector<double> rest(std::size_t(last) + 1, infinite);  // V_{k−1}
    rest[std::size_t(last)] = 0;
    std::vector<std::vector<int>> next;  // next[k − 1][i]: where the first of k steps from i leads
    for (int k = 1; k <= intervals; ++k) {
        std::vector<double> value(rest.size(), infinite);
        std::vector<int> best(rest.size(), -1);
        for (int i = 0; i < last; ++i)
            for (int j = i + 1; j <= last; ++j) {
                const double cost = costs.at(i, j) + gamma * rest[std::size_t(j)];
                if (cost < value[std::size_t(i)]) value[std::size_t(i)] = cost, best[std::size_t(i)] = j;
            }
        rest = std::move(value);
        next.push_back(std::move(best));
    }
    if (!std::isfinite(rest.front()))
        throw Failure("No choice of steps has a finite cost. Record the reference again.");
    LevelPath path{{0}, rest.front()};
    for (int k = intervals; k > 0; --k)
        path.points.push_back(next[std::size_t(k) - 1][std::size_t(path.points.back())]);
    return path;
}

}  // namespace meander
