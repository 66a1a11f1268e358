// What the tests of few-step rules share: a Gaussian whose flow is known, networks distilled from it without error, and
// the bench of diffusers' tests.
#pragma once
#include <QtTest>
#include <cmath>

#include "engine/models/analytic/exact_jump.h"
#include "engine/process/parametrization.h"
#include "engine/sampling/noise/torch_random.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/sampling/noise_bench.h"

namespace meander::bench {

inline const Mixture gaussian(2, {0.6, -0.3}, {0.25, 2.25});

// Draws of the exact marginal at τ.
inline Tensor marginal(const Process& p, double tau, std::int64_t rows, std::uint64_t seed) {
    auto v = download(normals(rows, 2, seed)).toDoubles();
    const double a = p.signal(tau);
    for (std::size_t i = 0; i < v.size(); ++i)
        v[i] =
            a * gaussian.mean(0, int(i % 2)) + std::sqrt(a * a * gaussian.variance(0, int(i % 2)) + tau * tau) * v[i];
    return tensorOf({rows, 2}, v);
}

inline RequestEstimator perfect(const Process& p, Distillation d) {
    return [&p, d](const DenoiseRequest& q) {
        const auto y = download(q.x).toDoubles();
        std::vector<double> x0(y.size());
        for (std::size_t i = 0; i < y.size(); i += 2)
            exactJump(gaussian, p, d, q.tau, q.target, std::span(y).subspan(i, 2), std::span(x0).subspan(i, 2));
        return DenoiseResult{tensorOf(q.x.shape(), x0), {}, {}};
    };
}

inline std::vector<double> flowEnd(const Process& p, const Tensor& start, double tau, double to = 0) {
    const auto y = download(start).toDoubles();
    std::vector<double> end;
    for (std::size_t i = 0; i < y.size(); i += 2)
        for (double v : exactFlowMap(gaussian, p, tau, to, std::span(y).subspan(i, 2))) end.push_back(v);
    return end;
}

inline double worstDifference(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return INFINITY;
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]) / (1 + std::abs(b[i])));
    return worst;
}

inline Params filled(const SamplerInfo& info, const Params& given) {
    return *resolveParams(info.params, given, info.label);
}

// The levels a run has: the schedule's, or the rule's own in their place.
inline std::vector<double> levelsOf(const SamplerInfo& info, const Process& p, const QString& schedule, int steps,
                                    const Params& params) {
    const auto levels = *makeSchedule(schedule.toStdString(), p, steps, {});
    return info.ownLevels ? info.ownLevels(p, levels, filled(info, params)) : levels;
}

inline Solution run(const char* id, const Process& p, const std::vector<double>& levels, const Tensor& start,
                    const Params& params, const RequestEstimator& estimator, std::uint64_t seed = 7) {
    return solve(*findSampler(id), p, levels, start, params, estimator, philox(seed));
}

// One generator of PyTorch on the CPU, whose calls continue its stream.
inline NoiseFunction torchNoise(std::uint64_t seed) {
    auto random = std::make_shared<noise::TorchCpuRandom>(seed);
    return [random](const NoiseRequest&, const Tensor& like) {
        std::vector<float> v(std::size_t(like.count()));
        random->normals(std::span<float>(v));
        return upload(cpu(), HostTensor::fromFloats(like.shape(), v)).converted(like.type());
    };
}

// The bench of diffusers' scheduler tests: element [b, c, y, x] of (4, 3, 8, 8) is (((c·8 + y)·8 + x)·4 + b)/768, the
// network F(x, t) = x t/(t + 1).
inline Tensor benchSample(double scale) {
    std::vector<double> v(768);
    for (std::size_t i = 0; i < 768; ++i) {
        const std::size_t x = i % 8, y = i / 8 % 8, c = i / 64 % 3, b = i / 192;
        v[i] = scale * double(((c * 8 + y) * 8 + x) * 4 + b) / 768;
    }
    return tensorOf({4, 3, 8, 8}, v);
}
inline DenoiseResult benchAnswer(const Conversion& c, double time, const DenoiseRequest& q) {
    const double gain = time / (time + 1);
    return {combine({{c.fromState + c.fromOutput * gain * c.input, q.x}}), {}, {}};
}

}  // namespace meander::bench
