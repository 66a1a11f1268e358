// Shared bench of the sampler tests: the exact Gaussian as a denoiser, on the problem of the golden rows, and the
// reader of those rows.
//
// The problem. Denoiser of x0 ~ N(0.25, 0.5²): variance exploding D = μ + s²/(s²+σ²)(x − μ), flow D = μ +
// (1−t)s²/((1−t)²s²+t²)(x − (1−t)μ). Samplers that use the unconditional estimate (CFG++) get guidance at scale 1.5
// against N(−0.1, 0.6²). Start cos(0.37 k), k = 0 … 255, shape (1, 4, 8, 8), times σmax for variance exploding. Ten
// steps: Karras levels 14.614642 … 0.0291675 with ρ = 7 and then 0, or the flow levels linspace(1, 0, 11) with shift 3.
// Random rows: seed 0.
#pragma once
#include <QFile>
#include <QString>
#include <QStringList>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/sampling/solve.h"

namespace meander::bench {

inline Backend& cpu() {
    static const std::unique_ptr<Backend> backend = kernels::createCpuBackend();
    return *backend;
}

inline constexpr double sigmaMin = 0.0291675, sigmaMax = 14.614642;
inline constexpr GaussianPair oraclePair{{0.25, 0.5}, {-0.1, 0.6}, 1.5};

// (n − 1 levels spaced by ρ between high and low, then 0): Karras et al. 2022, eq. 5.
inline std::vector<double> karrasLevels(int steps, double high = sigmaMax, double low = sigmaMin, double rho = 7) {
    std::vector<double> levels;
    for (int i = 0; i < steps; ++i) {
        const double w = steps > 1 ? double(i) / (steps - 1) : 0;
        levels.push_back(
            std::pow(std::pow(high, 1 / rho) + w * (std::pow(low, 1 / rho) - std::pow(high, 1 / rho)), rho));
    }
    levels.push_back(0);
    return levels;
}
// t' = s t/(1 + (s − 1) t) of t = 1 … 0 in equal steps.
inline std::vector<double> flowLevels(int steps, double shift = 3) {
    std::vector<double> levels;
    for (int i = 0; i <= steps; ++i) {
        const double t = 1 - double(i) / steps;
        levels.push_back(shift * t / (1 + (shift - 1) * t));
    }
    return levels;
}
// scale · cos(rate k)
inline Tensor cosineStart(double scale, DType type = DType::F64, double rate = 0.37, Shape shape = {1, 4, 8, 8}) {
    std::vector<double> values(std::size_t(shape.count()));
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = scale * std::cos(rate * double(k));
    return upload(cpu(), HostTensor::fromDoubles(shape, values)).converted(type);
}

struct GoldenProblem {
    Process process;
    std::vector<double> levels;
    Tensor start;
};
// space: "ve" or "flow"
inline GoldenProblem goldenProblem(const QString& space, DType type = DType::F64) {
    if (space == "flow") return {Process::rectifiedFlow(), flowLevels(10), cosineStart(1, type)};
    // Stable Diffusion's process, whose coordinates are variance exploding: some samplers ask it for shares of the
    // training time.
    return {Process::vpScaledLinear(1000, 0.00085, 0.012), karrasLevels(10), cosineStart(sigmaMax, type)};
}
inline Estimator oracleEstimator(const SamplerInfo& info, const Process& process) {
    return info.unconditional ? gaussianEstimator(process, oraclePair)
                              : gaussianEstimator(process, oraclePair.conditional);
}

struct GoldenRow {
    QString space, sampler;
    int evaluations = 0;
    double sumAbs = 0, first = 0, second = 0, last = 0, rms = 0;
    bool random = false;  // the RMS column of a random row is a spread, not an error
};

// Fields of a tab-separated file of tests/golden without its comment lines.
inline std::vector<QStringList> readGolden(const char* name) {
    QFile file(QStringLiteral(MEANDER_SOURCE_DIR "/tests/golden/") + name);
    if (!file.open(QIODevice::ReadOnly))
        throw Failure("The golden file " + file.fileName().toStdString() + " is missing.");
    std::vector<QStringList> rows;
    for (const QString& line : QString::fromUtf8(file.readAll()).split('\n', Qt::SkipEmptyParts))
        if (!line.startsWith('#')) rows.push_back(line.split('\t'));
    return rows;
}

inline std::vector<GoldenRow> gaussianRows() {
    const QStringList random = {"euler_ancestral",
                                "euler_ancestral_cfg_pp",
                                "dpm_2_ancestral",
                                "dpmpp_2s_ancestral",
                                "dpmpp_2s_ancestral_cfg_pp",
                                "dpmpp_sde",
                                "dpmpp_2m_sde",
                                "dpmpp_2m_sde_heun",
                                "dpmpp_3m_sde",
                                "ddpm",
                                "lcm",
                                "res_multistep_ancestral",
                                "res_multistep_ancestral_cfg_pp",
                                "er_sde",
                                "seeds_2",
                                "seeds_3",
                                "sa_solver",
                                "sa_solver_pece"};
    std::vector<GoldenRow> rows;
    for (const auto& f : readGolden("gaussian_oracle.tsv"))
        rows.push_back({f[0], f[1], f[2].toInt(), f[3].toDouble(), f[4].toDouble(), f[5].toDouble(), f[6].toDouble(),
                        f[7].toDouble(), random.contains(f[1])});
    return rows;
}

struct Summary {
    double sumAbs = 0, first = 0, second = 0, last = 0;
};
inline Summary summary(const std::vector<double>& x) {
    Summary s{0, x.at(0), x.at(1), x.back()};
    for (double v : x) s.sumAbs += std::abs(v);
    return s;
}
// The same with elements measured by the mean size of one: random states have elements near 0, of which the table has
// few digits.
inline double worstBySize(const Summary& got, const GoldenRow& want) {
    const double size = want.sumAbs / 256;
    return std::max({std::abs(got.sumAbs / want.sumAbs - 1), std::abs(got.first - want.first) / size,
                     std::abs(got.second - want.second) / size, std::abs(got.last - want.last) / size});
}
// The largest relative difference of the four columns.
inline double worst(const Summary& got, const GoldenRow& want) {
    const auto relative = [](double a, double b) { return std::abs(a - b) / std::abs(b); };
    return std::max({relative(got.sumAbs, want.sumAbs), relative(got.first, want.first),
                     relative(got.second, want.second), relative(got.last, want.last)});
}

}  // namespace meander::bench
