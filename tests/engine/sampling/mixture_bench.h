// Mixtures of Gaussians on a line as data, element by element, for the tests of stochastic samplers.
#pragma once
#include <random>

#include "tests/engine/sampling/stochastic_bench.h"

namespace meander::bench {

struct Mixture {
    std::vector<double> means, deviations, weights;
    // E[x0 | y] of y = a x0 + τ ε, element by element.
    double denoise(double y, double a, double tau) const {
        double best = -1e300, sum = 0, total = 0;
        double logs[4];
        for (std::size_t k = 0; k < means.size(); ++k) {
            const double v = a * a * deviations[k] * deviations[k] + tau * tau, d = y - a * means[k];
            logs[k] = -0.5 * d * d / v - 0.5 * std::log(v) + std::log(weights[k]);
            best = std::max(best, logs[k]);
        }
        for (std::size_t k = 0; k < means.size(); ++k) {
            const double p = std::exp(logs[k] - best), s2 = deviations[k] * deviations[k], v = a * a * s2 + tau * tau;
            sum += p * (means[k] + a * s2 / v * (y - a * means[k]));
            total += p;
        }
        return sum / total;
    }
    double density(double y, double a, double tau) const {
        double p = 0;
        for (std::size_t k = 0; k < means.size(); ++k) {
            const double v = a * a * deviations[k] * deviations[k] + tau * tau, d = y - a * means[k];
            p += weights[k] * std::exp(-0.5 * d * d / v) / std::sqrt(2 * M_PI * v);
        }
        return p;
    }
    std::vector<double> samples(std::size_t n, unsigned seed) const {
        std::mt19937 g(seed);
        std::normal_distribution<double> z;
        std::discrete_distribution<std::size_t> which(weights.begin(), weights.end());
        std::vector<double> x;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t k = which(g);
            x.push_back(means[k] + deviations[k] * z(g));
        }
        return x;
    }
};

inline Tensor row(const std::vector<double>& v, DType type = DType::F64) {
    return upload(cpu(), HostTensor::fromDoubles(Shape{1, std::int64_t(v.size())}, v)).converted(type);
}

inline Estimator elementwise(std::function<double(double, double)> denoise) {
    return [denoise](const Tensor& y, double tau) {
        auto v = download(y).toDoubles();
        for (double& e : v) e = denoise(e, tau);
        DenoiseResult a;
        a.denoised = upload(cpu(), HostTensor::fromDoubles(y.shape(), v)).converted(y.type());
        return a;
    };
}
inline Estimator mixtureEstimator(const Process& p, const Mixture& m) {
    return elementwise([&p, m](double y, double tau) { return m.denoise(y, p.signal(tau), tau); });
}

inline double mean(const std::vector<double>& x) {
    double s = 0;
    for (double v : x) s += v;
    return s / double(x.size());
}
inline double variance(const std::vector<double>& x) {
    const double m = mean(x);
    double s = 0;
    for (double v : x) s += (v - m) * (v - m);
    return s / double(x.size() - 1);
}

}  // namespace meander::bench
