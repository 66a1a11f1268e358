#include "engine/optimise/klub.h"

#include <algorithm>
#include <cmath>

#include "engine/models/analytic/analytic_model.h"
#include "engine/optimise/level_path.h"

namespace meander {

EstimateEnergy gaussianEnergy(std::vector<double> variances) {
    return [variances = std::move(variances)](double sigma) {
        double v = 0;
        for (const double l : variances) v += l > 0 ? l * l / (l + sigma * sigma) : 0;
        return v;
    };
}

std::optional<EstimateEnergy> exactEnergy(const std::string& model) {
    if (!model.starts_with("analytic:gaussian")) return {};
    const auto backend = kernels::createCpuBackend({1});
    const auto loaded = loadModel(model, *backend);
    const auto* exact = loaded ? dynamic_cast<const AnalyticModel*>(loaded->get()) : nullptr;
    if (!exact || exact->mixture().components() != 1) return {};
    std::vector<double> variances;
    for (int i = 0; i < exact->mixture().dimensions(); ++i) variances.push_back(exact->mixture().variance(0, i));
    return gaussianEnergy(std::move(variances));
}

double klubSum(std::span<const double> sigmas, const EstimateEnergy& v) {
    double sum = 0;
    for (std::size_t i = 0; i + 1 < sigmas.size(); ++i)
        sum += (v(sigmas[i + 1]) - v(sigmas[i])) / (2 * sigmas[i + 1] * sigmas[i + 1]);
    return sum;
}

namespace {

// One step of klubSum, from level i down to a later level j.
CostMatrix klubCosts(const std::vector<double>& sigmas, const std::vector<double>& energies) {
    CostMatrix costs(int(sigmas.size()));
    for (int i = 0; i < costs.points(); ++i)
        for (int j = i + 1; j < costs.points(); ++j) {
            const double low = sigmas[std::size_t(j)];
            costs.at(i, j) = (energies[std::size_t(j)] - energies[std::size_t(i)]) / (2 * low * low);
        }
    return costs;
}

// x of the least value of a function with one minimum in [a, b], by golden sections.
double minimumOf(const std::function<double(double)>& f, double a, double b) {
    const double golden = (std::sqrt(5.0) - 1) / 2;
    double c = b - golden * (b - a), d = a + golden * (b - a), fc = f(c), fd = f(d);
    while (b - a > 1e-9) {
        if (fc < fd) b = d, d = c, fd = fc, fc = f(c = b - golden * (b - a));
        else a = c, c = d, fc = fd, fd = f(d = a + golden * (b - a));
    }
    return (a + b) / 2;
}

}  // namespace

std::vector<double> klubLevels(double highest, double lowest, int intervals, const EstimateEnergy& v) {
    if (!(lowest > 0 && highest > lowest))
        throw Failure("The bound needs a lowest level above 0 and below the highest. Keep the last level above 0.");
    constexpr double beyondAll = 1e4;  // what an infinite level is in a logarithm
    const int points = std::max(240, 4 * intervals);
    const double top = std::log(std::isfinite(highest) ? highest : beyondAll), bottom = std::log(lowest);
    std::vector<double> grid, energies;
    for (int k = 0; k <= points; ++k) grid.push_back(std::exp(top + (bottom - top) * k / points));
    grid.front() = highest;
    grid.back() = lowest;
    for (const double sigma : grid) energies.push_back(v(sigma));
    std::vector<double> sigmas;
    for (const int k : cheapestPath(klubCosts(grid, energies), intervals).points)
        sigmas.push_back(grid[std::size_t(k)]);
    double moved = 1;
    for (int round = 0; round < 1000 && moved > 1e-7; ++round) {
        moved = 0;
        for (std::size_t i = 1; i + 1 < sigmas.size(); ++i) {
            const double above = sigmas[i - 1], below = sigmas[i + 1], vAbove = v(above), vBelow = v(below);
            const auto ofOne = [&](double x) {
                const double sigma = std::exp(x), energy = v(sigma);
                return (energy - vAbove) / (sigma * sigma) + (vBelow - energy) / (below * below);
            };
            const double x = minimumOf(ofOne, std::log(below), std::isfinite(above) ? std::log(above) : top);
            moved = std::max(moved, std::abs(x - std::log(sigmas[i])));
            sigmas[i] = std::exp(x);
        }
    }
    return sigmas;
}

namespace {

std::size_t movable(const ReferencePaths& r) { return r.levels.size() - (r.levels.back() == 0 ? 1 : 0); }

std::vector<double> sigmasOf(const ReferencePaths& r) {
    std::vector<double> sigmas;
    for (std::size_t k = 0; k < movable(r); ++k) sigmas.push_back(r.process.sigma(r.levels[k]));
    return sigmas;
}

}  // namespace

std::vector<double> recordedEnergy(const ReferencePaths& reference) {
    // Blocks of neighbours with equal value: a later one may not lie below an earlier one (σ falls, so v rises).
    struct Block {
        double sum;
        int count;
        double mean() const { return sum / count; }
    };
    std::vector<Block> blocks;
    for (std::size_t k = 0; k < movable(reference); ++k) {
        Block b{0, 1};
        for (const ReferencePath& p : reference.paths)
            b.sum += dot(p.denoised[k], p.denoised[k]) / double(reference.paths.size());
        while (!blocks.empty() && blocks.back().mean() > b.mean()) {
            b = {b.sum + blocks.back().sum, b.count + blocks.back().count};
            blocks.pop_back();
        }
        blocks.push_back(b);
    }
    std::vector<double> v;
    for (const Block& b : blocks) v.insert(v.end(), std::size_t(b.count), b.mean());
    return v;
}

std::vector<double> recordedKlubLevels(const ReferencePaths& reference, int intervals) {
    std::vector<double> levels;
    for (const int k : cheapestPath(klubCosts(sigmasOf(reference), recordedEnergy(reference)), intervals - 1).points)
        levels.push_back(reference.levels[std::size_t(k)]);
    levels.push_back(0);
    return levels;
}

MeanInterval recordedKlub(const ReferencePaths& reference, std::span<const double> levels) {
    const std::vector<double> sigmas = sigmasOf(reference);
    std::vector<std::size_t> points;  // of the record
    for (const double tau : levels) {
        if (tau == 0) break;
        const auto at = std::min_element(reference.levels.begin(), reference.levels.begin() + long(sigmas.size()),
                                         [&](double a, double b) { return std::abs(a - tau) < std::abs(b - tau); });
        points.push_back(std::size_t(at - reference.levels.begin()));
    }
    std::vector<double> bounds;
    for (const ReferencePath& p : reference.paths) {
        const auto energy = [&](std::size_t k) { return dot(p.denoised[k], p.denoised[k]); };
        double bound = 0;
        for (std::size_t i = 0; i + 1 < points.size(); ++i)
            bound += (energy(points[i + 1]) - energy(points[i])) / (2 * std::pow(sigmas[points[i + 1]], 2));
        for (std::size_t k = points.front(); k < points.back(); ++k)  // −v'/σ² between neighbours, σ² as a b
            bound -= (energy(k + 1) - energy(k)) * (std::isfinite(sigmas[k]) ? 1 / (2 * sigmas[k] * sigmas[k + 1]) : 0);
        bounds.push_back(bound);
    }
    return meanInterval(bounds);
}

}  // namespace meander
