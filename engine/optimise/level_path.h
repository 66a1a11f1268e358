// The cheapest choice of N steps among the steps between points of a fine grid, by dynamic programming.
#pragma once
#include <vector>

namespace meander {

// Cost of one step from point i to a later point j; infinite where it is not allowed, as all are at first.
class CostMatrix {
public:
    explicit CostMatrix(int points);
    int points() const { return m_points; }
    double& at(int from, int to) { return m_costs[std::size_t(from) * std::size_t(m_points) + std::size_t(to)]; }
    double at(int from, int to) const { return m_costs[std::size_t(from) * std::size_t(m_points) + std::size_t(to)]; }

private:
    int m_points;
    std::vector<double> m_costs;
};

struct LevelPath {
    std::vector<int> points;  // intervals + 1, from the first to the last
    double cost = 0;          // V_N(first)
};
// Bellman's recursion V_1(i) = c(i, last), V_k(i) = min_j c(i, j) + γ V_{k−1}(j), exactly k steps (Chen et al. 2024,
// On the trajectory regularity of ODE-based diffusion sampling, section 5: GITS; Nguyen et al. 2024, BOSS, with γ = 1).
// γ above 1 favours low costs of the last steps. Throws Failure where no such choice exists.
LevelPath cheapestPath(const CostMatrix& costs, int intervals, double gamma = 1);

}  // namespace meander
