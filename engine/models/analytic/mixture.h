// A mixture of Gaussians with diagonal covariances: the exact distribution behind every analytic model (one component:
// a Gaussian; variance 0: point masses, as for an empirical distribution). Its noisy versions x = s·x0 + n·ε are
// mixtures again, so density, posterior mean and score are closed forms for every process.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/process/process.h"

namespace meander {

class Mixture {
public:
    // means (components, dimensions); variances: one per component, or (components, dimensions). Equal weights and one
    // class when those are empty.
    Mixture(int dimensions, std::vector<double> means, std::vector<double> variances, std::vector<double> weights = {},
            std::vector<int> classOfComponent = {});

    int dimensions() const { return m_dimensions; }
    int components() const { return int(m_logWeights.size()); }
    double mean(int component, int i) const { return m_means[std::size_t(component) * m_dimensions + i]; }
    double variance(int component, int i) const {
        return m_isotropic ? m_variances[component] : m_variances[std::size_t(component) * m_dimensions + i];
    }
    // Standard deviation per element over the whole mixture, root mean square.
    double stddev() const;

    // log density of x at signal s and noise n; `onlyClass` restricts the mixture to the components of a class.
    double logDensity(std::span<const double> x, double s, double n, std::optional<int> onlyClass) const;
    // E[x0 | x]
    void denoise(std::span<const double> x, double s, double n, std::optional<int> onlyClass,
                 std::span<double> x0) const;
    // An exact draw of x0, a pure function of (seed, index).
    void draw(std::uint64_t seed, std::uint32_t index, std::optional<int> onlyClass, std::span<double> x0) const;

private:
    // Per component log(weight · density of x), normalised by log-sum-exp; returns the log of the sum.
    double responsibilities(std::span<const double> x, double s, double n, std::optional<int> onlyClass,
                            std::vector<double>& logs) const;
    double logClassWeight(std::optional<int> onlyClass) const;
    bool takesPart(int component, std::optional<int> onlyClass) const {
        return !onlyClass || m_classes.empty() || m_classes[component] == *onlyClass;
    }

    int m_dimensions;
    bool m_isotropic;
    std::vector<double> m_means, m_variances, m_logWeights;
    std::vector<int> m_classes;
};

// ∇ log p(x) = (s·x̂0 − x)/n² (Tweedie).
std::vector<double> scoreOf(std::span<const double> x, std::span<const double> denoised, double s, double n);
// Slope dy/dτ = (y − x̂0)/τ of the probability flow in integration coordinates (process.h).
std::vector<double> velocityOf(std::span<const double> y, std::span<const double> denoised, double tau);
// The probability flow of a single Gaussian, solved: (y − a·m)/√(a²λ + τ²) stays constant. y in integration
// coordinates.
std::vector<double> exactFlowMap(const Mixture& gaussian, const Process& process, double tauFrom, double tauTo,
                                 std::span<const double> y);

}  // namespace meander
