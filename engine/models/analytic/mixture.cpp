#include "engine/models/analytic/mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/api/philox.h"

namespace meander {
namespace {

constexpr double log2Pi = 1.8378770664093454836;
// Point masses at zero noise have no density; this keeps their posterior (the nearest point) finite.
constexpr double leastVariance = 1e-24;
constexpr std::uint32_t componentStream = 0x4d495843, valueStream = 0x4d495856;  // purposes of the random numbers

}  // namespace

Mixture::Mixture(int dimensions, std::vector<double> means, std::vector<double> variances, std::vector<double> weights,
                 std::vector<int> classOfComponent)
    : m_dimensions(dimensions),
      m_means(std::move(means)),
      m_variances(std::move(variances)),
      m_classes(std::move(classOfComponent)) {
    const std::size_t n = dimensions > 0 ? m_means.size() / std::size_t(dimensions) : 0;
    m_isotropic = m_variances.size() == n;
    if (n == 0 || m_means.size() != n * std::size_t(dimensions)
        || (!m_isotropic && m_variances.size() != m_means.size()))
        throw std::invalid_argument("mixture: means and variances do not fit");
    if (weights.empty()) weights.assign(n, 1.0);
    if (weights.size() != n || (!m_classes.empty() && m_classes.size() != n))
        throw std::invalid_argument("mixture: weights or classes do not fit");
    double sum = 0;
    for (double w : weights) sum += w;
    for (double w : weights) m_logWeights.push_back(std::log(w / sum));
}

double Mixture::stddev() const {
    double total = 0;
    for (int i = 0; i < m_dimensions; ++i) {
        double mean1 = 0, second = 0;
        for (int k = 0; k < components(); ++k) {
            const double w = std::exp(m_logWeights[k]), m = mean(k, i);
            mean1 += w * m;
            second += w * (m * m + variance(k, i));
        }
        total += second - mean1 * mean1;
    }
    return std::sqrt(std::max(total / m_dimensions, 0.0));
}

double Mixture::logClassWeight(std::optional<int> onlyClass) const {
    if (!onlyClass || m_classes.empty()) return 0;
    double sum = 0;
    for (int k = 0; k < components(); ++k)
        if (takesPart(k, onlyClass)) sum += std::exp(m_logWeights[k]);
    return std::log(sum);
}

double Mixture::responsibilities(std::span<const double> x, double s, double n, std::optional<int> onlyClass,
                                 std::vector<double>& logs) const {
    constexpr double none = -std::numeric_limits<double>::infinity();
    logs.assign(std::size_t(components()), none);
    double highest = none;
    for (int k = 0; k < components(); ++k) {
        if (!takesPart(k, onlyClass)) continue;
        const double* m = m_means.data() + std::size_t(k) * m_dimensions;
        double log = m_logWeights[k];
        if (m_isotropic) {
            const double v = std::max(s * s * m_variances[k] + n * n, leastVariance);
            double square = 0;
            for (int i = 0; i < m_dimensions; ++i) square += (x[i] - s * m[i]) * (x[i] - s * m[i]);
            log -= 0.5 * (square / v + m_dimensions * (log2Pi + std::log(v)));
        } else {
            for (int i = 0; i < m_dimensions; ++i) {
                const double v = std::max(s * s * variance(k, i) + n * n, leastVariance), d = x[i] - s * m[i];
                log -= 0.5 * (d * d / v + log2Pi + std::log(v));
            }
        }
        logs[k] = log;
        highest = std::max(highest, log);
    }
    if (highest == none) return none;
    double sum = 0;
    for (double log : logs) sum += std::exp(log - highest);
    const double total = highest + std::log(sum);
    for (double& log : logs) log -= total;
    return total;
}

double Mixture::logDensity(std::span<const double> x, double s, double n, std::optional<int> onlyClass) const {
    std::vector<double> logs;
    return responsibilities(x, s, n, onlyClass, logs) - logClassWeight(onlyClass);
}

void Mixture::denoise(std::span<const double> x, double s, double n, std::optional<int> onlyClass,
                      std::span<double> x0) const {
    std::vector<double> logs;
    responsibilities(x, s, n, onlyClass, logs);
    std::fill(x0.begin(), x0.end(), 0.0);
    for (int k = 0; k < components(); ++k) {
        const double weight = std::exp(logs[k]);
        if (weight == 0) continue;
        for (int i = 0; i < m_dimensions; ++i) {
            const double m = mean(k, i), v = variance(k, i);
            // Posterior mean of a Gaussian: m + s v/(s² v + n²)·(x − s m).
            const double gain = v == 0 ? 0 : s * v / (s * s * v + n * n);
            x0[i] += weight * (m + gain * (x[i] - s * m));
        }
    }
}

void Mixture::draw(std::uint64_t seed, std::uint32_t index, std::optional<int> onlyClass, std::span<double> x0) const {
    const auto random =
        kernels::philox4x32(0, 0, index, componentStream, std::uint32_t(seed), std::uint32_t(seed >> 32));
    double left = (double(random.v[0]) + 0.5) / 4294967296.0 * std::exp(logClassWeight(onlyClass));
    int chosen = -1;
    for (int k = 0; k < components() && (chosen < 0 || left > 0); ++k) {
        if (!takesPart(k, onlyClass)) continue;
        chosen = k;
        left -= std::exp(m_logWeights[k]);
    }
    if (chosen < 0) throw std::invalid_argument("mixture: there is no such class");
    double normal[4];
    for (int i = 0; i < m_dimensions; ++i) {
        if (i % 4 == 0) kernels::normal4({seed, index, 0, valueStream}, std::uint32_t(i / 4), normal);
        x0[i] = mean(chosen, i) + std::sqrt(variance(chosen, i)) * normal[i % 4];
    }
}

std::vector<double> scoreOf(std::span<const double> x, std::span<const double> denoised, double s, double n) {
    std::vector<double> score(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) score[i] = (s * denoised[i] - x[i]) / (n * n);
    return score;
}

std::vector<double> velocityOf(std::span<const double> y, std::span<const double> denoised, double tau) {
    std::vector<double> slope(y.size());
    for (std::size_t i = 0; i < y.size(); ++i) slope[i] = (y[i] - denoised[i]) / tau;
    return slope;
}

std::vector<double> exactFlowMap(const Mixture& gaussian, const Process& process, double tauFrom, double tauTo,
                                 std::span<const double> y) {
    if (gaussian.components() != 1)
        throw std::invalid_argument("exactFlowMap: only a single Gaussian has a closed form");
    const double a = process.signal(tauFrom), b = process.signal(tauTo);
    std::vector<double> moved(y.size());
    for (int i = 0; i < gaussian.dimensions(); ++i) {
        const double m = gaussian.mean(0, i), v = gaussian.variance(0, i);
        moved[i] = b * m + (y[i] - a * m) * std::sqrt((b * b * v + tauTo * tauTo) / (a * a * v + tauFrom * tauFrom));
    }
    return moved;
}

}  // namespace meander
