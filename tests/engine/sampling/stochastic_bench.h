// Bench of the tests of stochastic samplers. On Gaussian data with the exact estimate every sampler whose coefficients
// do not depend on the state is an affine map of its start and its noises. One run on unit impulses therefore gives the
// exact law of its result, which replaces a comparison within statistical error where it can.
#pragma once
#include <map>

#include "tests/engine/sampling/oracle_bench.h"

namespace meander::bench {

// Plane Gaussian N(mean, R diag(variances) Rᵀ), R a rotation by 30°.
struct PlaneGaussian {
    double mean[2] = {0.6, -0.3}, variances[2] = {0.25, 2.25};
    static constexpr double cosine = 0.86602540378443865, sine = 0.5;
    double axisMean(int i) const {
        return i == 0 ? cosine * mean[0] + sine * mean[1] : -sine * mean[0] + cosine * mean[1];
    }
};

struct Moments {
    double mean[2], xx, xy, yy;
};
// Back from the axes of the Gaussian.
inline Moments rotated(const double (&mean)[2], const double (&variances)[2]) {
    const double c = PlaneGaussian::cosine, s = PlaneGaussian::sine;
    return {{c * mean[0] - s * mean[1], s * mean[0] + c * mean[1]},
            c * c * variances[0] + s * s * variances[1],
            c * s * (variances[0] - variances[1]),
            s * s * variances[0] + c * c * variances[1]};
}

// E[x0 | y] for elements that alternate between the two coordinates.
inline Tensor planeDenoise(const PlaneGaussian& g, const Process& process, const Tensor& y, double tau) {
    const double a = process.signal(tau), c = PlaneGaussian::cosine, s = PlaneGaussian::sine;
    const double k0 = a * g.variances[0] / (a * a * g.variances[0] + tau * tau),
                 k1 = a * g.variances[1] / (a * a * g.variances[1] + tau * tau);
    const double xx = c * c * k0 + s * s * k1, xy = c * s * (k0 - k1), yy = s * s * k0 + c * c * k1;
    auto v = download(y).toDoubles();
    for (std::size_t i = 0; i + 1 < v.size(); i += 2) {
        const double p = v[i] - a * g.mean[0], q = v[i + 1] - a * g.mean[1];
        v[i] = g.mean[0] + xx * p + xy * q;
        v[i + 1] = g.mean[1] + xy * p + yy * q;
    }
    return upload(y.backend(), HostTensor::fromDoubles(y.shape(), v));
}
inline Estimator planeEstimator(const Process& process, const PlaneGaussian& g) {
    return [&process, g](const Tensor& y, double tau) {
        DenoiseResult a;
        a.denoised = planeDenoise(g, process, y, tau);
        return a;
    };
}

inline Tensor normals(const Tensor& like, std::uint64_t seed, std::uint32_t draw) {
    Tensor z(like.backend(), like.shape(), like.type());
    std::vector<kernels::NoiseAddress> addresses;
    for (std::int64_t i = 0; i < like.rows(); ++i) addresses.push_back({seed, std::uint32_t(i), draw, 0});
    like.backend().normal(addresses, z);
    return z;
}
// Addressed as a run of the program addresses its noise: a draw number that a sampler used twice would show.
inline NoiseFunction addressedNoise(std::uint64_t seed) {
    return [seed](const NoiseRequest& q, const Tensor& like) {
        return normals(like, seed, std::uint32_t(q.step) * 4096 + 1 + std::uint32_t(q.draw));
    };
}

// Particles from the marginal at τ, as elements x y x y ... of the given number of rows.
inline Tensor planeStart(const PlaneGaussian& g, const Process& process, double tau, std::int64_t particles,
                         std::uint64_t seed, std::int64_t rows = 1) {
    const Tensor z = normals(Tensor(cpu(), Shape{rows, particles / rows, 2}, DType::F64), seed, 0);
    const double a = process.signal(tau), c = PlaneGaussian::cosine, s = PlaneGaussian::sine;
    const double d0 = std::sqrt(a * a * g.variances[0] + tau * tau), d1 = std::sqrt(a * a * g.variances[1] + tau * tau);
    auto v = download(z).toDoubles();
    for (std::size_t i = 0; i + 1 < v.size(); i += 2) {
        const double p = d0 * v[i], q = d1 * v[i + 1];
        v[i] = a * g.mean[0] + c * p - s * q;
        v[i + 1] = a * g.mean[1] + s * p + c * q;
    }
    return upload(cpu(), HostTensor::fromDoubles(z.shape(), v));
}

// The exact law of the result when the start is the exact marginal: along the axes, and in the plane.
struct ExactLaw {
    double mean[2] = {}, variance[2] = {};
    int draws = 0;
    Moments inPlane() const { return rotated(mean, variance); }
};
inline ExactLaw exactLaw(const SamplerInfo& info, const Process& process, const std::vector<double>& levels,
                         const Params& params, const PlaneGaussian& g) {
    // Element j of axis i: 0 nothing, 1 the start, 2 + k the k-th noise.
    const auto run = [&](std::size_t count) {
        const auto estimate = [&](const Tensor& y, double tau) {
            auto v = download(y).toDoubles();
            const double a = process.signal(tau);
            for (std::size_t e = 0; e < v.size(); ++e) {
                const int i = e < count ? 0 : 1;
                const double gain = a * g.variances[i] / (a * a * g.variances[i] + tau * tau);
                v[e] = g.axisMean(i) + gain * (v[e] - a * g.axisMean(i));
            }
            DenoiseResult answer;
            answer.denoised = upload(cpu(), HostTensor::fromDoubles(y.shape(), v));
            return answer;
        };
        std::vector<double> start(2 * count, 0.0);
        if (count > 1) start[1] = start[count + 1] = 1;
        std::map<std::pair<int, int>, std::size_t> known;  // a draw asked for twice is one noise
        const auto noise = [&](const NoiseRequest& q, const Tensor& like) {
            const std::size_t k = known.try_emplace({q.step, q.draw}, known.size()).first->second;
            std::vector<double> v(std::size_t(like.count()), 0.0);
            if (2 + k < count) v[2 + k] = v[count + 2 + k] = 1;
            return upload(cpu(), HostTensor::fromDoubles(like.shape(), v));
        };
        auto values = solve(info, process, levels,
                            upload(cpu(), HostTensor::fromDoubles(Shape{1, std::int64_t(2 * count)}, start)), params,
                            estimate, noise)
                          .values();
        return std::pair(values, known.size());
    };
    ExactLaw law;
    law.draws = int(run(1).second);
    const std::size_t count = std::size_t(law.draws) + 2;
    const auto v = run(count).first;
    const double a = process.signal(levels.front()), tau = levels.front();
    for (int i = 0; i < 2; ++i) {
        const double* r = v.data() + std::size_t(i) * count;
        const double onStart = r[1] - r[0];
        law.mean[i] = r[0] + onStart * a * g.axisMean(i);
        law.variance[i] = onStart * onStart * (a * a * g.variances[i] + tau * tau);
        for (std::size_t k = 2; k < count; ++k) law.variance[i] += (r[k] - r[0]) * (r[k] - r[0]);
    }
    return law;
}

// Sample moments in units of their standard errors (Gaussian): mean, mean, variance, covariance, variance.
inline std::vector<double> deviations(const std::vector<double>& v, const Moments& want) {
    const double n = double(v.size() / 2);
    double mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
    for (std::size_t i = 0; i + 1 < v.size(); i += 2) {
        mx += v[i];
        my += v[i + 1];
    }
    mx /= n;
    my /= n;
    for (std::size_t i = 0; i + 1 < v.size(); i += 2) {
        xx += (v[i] - mx) * (v[i] - mx);
        xy += (v[i] - mx) * (v[i + 1] - my);
        yy += (v[i + 1] - my) * (v[i + 1] - my);
    }
    xx /= n - 1;
    xy /= n - 1;
    yy /= n - 1;
    return {(mx - want.mean[0]) / std::sqrt(want.xx / n), (my - want.mean[1]) / std::sqrt(want.yy / n),
            (xx - want.xx) / (want.xx * std::sqrt(2 / n)),
            (xy - want.xy) / std::sqrt((want.xx * want.yy + want.xy * want.xy) / n),
            (yy - want.yy) / (want.yy * std::sqrt(2 / n))};
}

// Levels evenly spaced in λ = log(a/τ), without the one to clean.
inline std::vector<double> logSnrLevels(const Process& process, double high, double low, int steps) {
    const double from = 0.5 * process.logSnr(high), to = 0.5 * process.logSnr(low);
    std::vector<double> levels;
    for (int i = 0; i <= steps; ++i) levels.push_back(process.tauOfLogSnr(2 * (from + (to - from) * i / steps)));
    return levels;
}

struct Space {
    const char* name;
    Process process;
    double high, low;  // levels for convergence
};
inline const std::vector<Space>& spaces() {
    static const std::vector<Space> list = {{"ve", Process::varianceExploding(0.002, 80), 10, 0.1},
                                            {"vp", Process::vpLinear(1000, 1e-4, 0.02), 10, 0.1},
                                            {"flow", Process::rectifiedFlow(), 0.95, 0.1}};
    return list;
}

}  // namespace meander::bench
