#include "engine/analysis/guidance_measures.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace meander {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

double deviation(const State& a) {
    if (a.empty()) return none;
    double mean = 0, square = 0;
    for (double v : a) mean += v;
    mean /= double(a.size());
    for (double v : a) square += (v - mean) * (v - mean);
    return std::sqrt(square / double(a.size()));
}

}  // namespace

bool hasBothBranches(const PathPoint& p) {
    return !p.conditional.empty() && p.conditional.size() == p.unconditional.size();
}

double differenceInClean(const PathPoint& p) {
    return hasBothBranches(p) ? rmsDifference(p.conditional, p.unconditional) : none;
}

double differenceInNoise(const PathPoint& p) {
    return hasBothBranches(p) && p.tau > 0 ? rmsDifference(p.conditional, p.unconditional) * p.signal / p.tau : none;
}

double alignment(const State& a, const State& b) {
    const double na = norm(a), nb = norm(b);
    if (!(na > 0 && nb > 0)) return none;
    double apart = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = a[i] / na - b[i] / nb;
        apart += d * d;
    }
    return std::min(16.0, -std::log10(std::max(apart / 2, 1e-16)));  // 1 − cos = ‖u − v‖²/2
}

double alignmentInClean(const PathPoint& p) {
    return hasBothBranches(p) ? alignment(p.conditional, p.unconditional) : none;
}

double alignmentInNoise(const PathPoint& p) {
    if (!hasBothBranches(p)) return none;
    const State c = noiseAt(p, p.conditional), u = noiseAt(p, p.unconditional);
    return c.empty() ? none : alignment(c, u);
}

double parallelShare(const PathPoint& p) {
    if (!hasBothBranches(p)) return none;
    State difference = p.conditional;
    for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= p.unconditional[i];
    return std::abs(cosine(difference, p.conditional));
}

double saturation(const PathPoint& p) {
    if (!hasBothBranches(p)) return none;
    const double c = deviation(p.conditional);
    return c > 0 ? deviation(p.denoised) / c : none;
}

double clippedShare(const PathPoint& p) {
    if (p.denoised.empty()) return none;
    const auto n = std::count_if(p.denoised.begin(), p.denoised.end(), [](double v) { return std::abs(v) > 1; });
    return double(n) / double(p.denoised.size());
}

double quantile995(const PathPoint& p) {
    if (p.denoised.empty()) return none;
    State a = p.denoised;
    for (double& v : a) v = std::abs(v);
    const auto at = a.begin() + std::ptrdiff_t(0.995 * double(a.size() - 1));
    std::nth_element(a.begin(), at, a.end());
    return *at;
}

std::vector<double> guidanceImpulse(const Path& path) {
    std::vector<double> values(path.points.size(), none);
    for (std::size_t k = 0; k < path.points.size(); ++k) {
        const auto& p = path.points[k];
        if (!hasBothBranches(p)) {
            values[k] = 0;
            continue;
        }
        const double next = k + 1 < path.points.size() ? path.points[k + 1].sigma : 0;
        const double change = std::isinf(p.sigma) ? 1 : std::abs(p.sigma - next) / p.sigma;
        values[k] = (p.weight - 1) * change * differenceInClean(p);
    }
    return values;
}

}  // namespace meander
