// Strong order of stochastic samplers: along one Brownian path, against its exact solution.
#include <QtTest>
#include <cmath>

#include "tests/engine/sampling/mixture_bench.h"

using namespace meander;
using namespace meander::bench;

class TestStrongOrder : public QObject {
    Q_OBJECT
private slots:
    void strongOrder_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<bool>("reciprocal");  // clock of its noise: 1/τ² of the exponential solvers, or τ²
        QTest::addColumn<double>("order");
        QTest::newRow("euler_maruyama") << "euler_maruyama" << false << 1.0;
        QTest::newRow("dpmpp_2m_sde") << "dpmpp_2m_sde" << true << 1.0;
        QTest::newRow("dpmpp_3m_sde") << "dpmpp_3m_sde" << true << 1.0;
        QTest::newRow("seeds_2") << "seeds_2" << true << 1.0;
        QTest::newRow("seeds_3") << "seeds_3" << true << 1.0;
        QTest::newRow("sa_solver") << "sa_solver" << true << 1.0;
    }
    // Mean distance to the solution with 1024 steps along the same Brownian path (Kloeden & Platen 1992), on a mixture.
    // Noise is additive, so Euler–Maruyama has order 1, and no order above 1 is possible from increments of the path
    // without its integrals (Rümelin 1982), whatever the number of stages. Several stages come to it from below (see
    // strongOrderOnAGaussian): 0.1 is left for that, and three standard errors for the paths, of which those between
    // the modes err most.
    void strongOrder() {
        QFETCH(QString, sampler);
        QFETCH(bool, reciprocal);
        QFETCH(double, order);
        const Mixture m{{-1, 1}, {0.5, 0.5}, {0.4, 0.6}};
        const Process p = Process::varianceExploding(0.05, 10);
        const std::size_t n = 8000;
        const int fine = 4096;
        const double high = 5, low = 0.2;
        const auto clock = [&](double tau) { return reciprocal ? 1 / (tau * tau) : tau * tau; };
        const auto fineLevels = logSnrLevels(p, high, low, fine);
        // W at every fine level, from the noisiest down.
        std::vector<std::vector<float>> path(std::size_t(fine) + 1, std::vector<float>(n, 0.0f));
        std::mt19937 g(17);
        std::normal_distribution<double> z;
        for (std::size_t k = 1; k < path.size(); ++k)
            for (std::size_t i = 0; i < n; ++i)
                path[k][i] =
                    float(path[k - 1][i] + std::sqrt(std::abs(clock(fineLevels[k]) - clock(fineLevels[k - 1]))) * z(g));
        const auto index = [&](double tau) {
            return std::size_t(std::lround(std::log(high / tau) / std::log(high / low) * fine));
        };
        const auto noise = [&](const NoiseRequest& q, const Tensor& like) {
            const auto &a = path[index(q.from)], &b = path[index(q.to)];
            std::vector<double> v;
            for (std::size_t i = 0; i < n; ++i)
                v.push_back((double(b[i]) - double(a[i])) / std::sqrt(std::abs(clock(q.to) - clock(q.from))));
            return upload(cpu(), HostTensor::fromDoubles(like.shape(), v));
        };
        auto start = m.samples(n, 19);
        for (double& v : start) v += high * z(g);
        Params params;
        if (sampler == "sa_solver") params = {{"tau_start", 0.0}, {"tau_end", 1.0}};
        if (sampler == "seeds_3") params = {{"r_1", 0.25}, {"r_2", 0.75}};  // nodes on the fine levels
        const auto at = [&](int steps) {
            return solve(*findSampler(sampler.toStdString()), p, logSnrLevels(p, high, low, steps), row(start), params,
                         mixtureEstimator(p, m), noise)
                .values();
        };
        const auto reference = at(1024);
        std::vector<std::vector<double>> errors;
        std::vector<double> means;
        for (int steps : {32, 64, 128}) {
            auto got = at(steps);
            for (std::size_t i = 0; i < n; ++i) got[i] = std::abs(got[i] - reference[i]);
            means.push_back(mean(got));
            errors.push_back(std::move(got));
        }
        const double measured = std::log2(means[1] / means[2]);
        std::vector<double> relative;  // of the paths, to first order
        for (std::size_t i = 0; i < n; ++i)
            relative.push_back((errors[1][i] / means[1] - errors[2][i] / means[2]) / std::log(2.0));
        const double error = std::sqrt(variance(relative) / double(n));
        qInfo("%s: %.2e %.2e %.2e, order %.2f %.3f ± %.3f", qPrintable(sampler), means[0], means[1], means[2],
              std::log2(means[0] / means[1]), measured, error);
        QVERIFY(error < 0.03);
        QVERIFY2(std::abs(measured - order) < 0.1 + 3 * error, qPrintable(QString::number(measured)));
    }

    void strongOrderOnAGaussian_data() { strongOrder_data(); }
    // On a Gaussian the result is linear in the path, so that the mean square error is an integral and nothing is
    // sampled: the solution of the reverse SDE (η = 1, a = 1, unit variance) is y' = (v'/v) y + ∫ (v'/v_τ) √(2τ) dW
    // with v = 1 + τ²; a sampler weighs the path evenly inside each increment that it draws.
    void strongOrderOnAGaussian() {
        QFETCH(QString, sampler);
        QFETCH(bool, reciprocal);
        const Process p = Process::varianceExploding(0.05, 10);
        const double high = 5, low = 0.2, v = 1 + low * low;
        const SamplerInfo& info = *findSampler(sampler.toStdString());
        const auto clock = [&](double tau) { return reciprocal ? 1 / (tau * tau) : tau * tau; };
        Params params;
        if (sampler == "sa_solver") params = {{"tau_start", 0.0}, {"tau_end", 1.0}};
        const auto error = [&](int steps) {
            std::vector<std::pair<double, double>> increments;
            const auto run = [&](std::size_t count) {  // element 0 is the start's, k + 1 that of the k-th increment
                increments.clear();
                const auto noise = [&](const NoiseRequest& q, const Tensor& like) {
                    increments.emplace_back(q.from, q.to);
                    std::vector<double> z(std::size_t(like.count()), 0.0);
                    if (increments.size() < z.size()) z[increments.size()] = 1;
                    return upload(cpu(), HostTensor::fromDoubles(like.shape(), z));
                };
                std::vector<double> start(count, 0.0);
                start[0] = 1;
                return solve(info, p, logSnrLevels(p, high, low, steps), row(start), params,
                             gaussianEstimator(p, Gaussian{0, 1}), noise)
                    .values();
            };
            run(1);
            const auto weights = run(increments.size() + 1);
            double sum = std::pow(weights[0] - v / (1 + high * high), 2) * (1 + high * high);
            for (std::size_t k = 0; k < increments.size(); ++k) {
                const double a = clock(increments[k].first), b = clock(increments[k].second), length = std::abs(b - a);
                // Gauss–Legendre, three points; dy = τ² dB on the clock 1/τ², dB on τ²
                for (const auto& [node, weight] :
                     {std::pair{-std::sqrt(0.6), 5.0 / 18}, {0.0, 8.0 / 18}, {std::sqrt(0.6), 5.0 / 18}}) {
                    const double at = (a + b + node * (b - a)) / 2, square = reciprocal ? 1 / at : at;
                    sum += weight * length
                           * std::pow(weights[k + 1] / std::sqrt(length) - v / (1 + square) * (reciprocal ? square : 1),
                                      2);
                }
            }
            return std::sqrt(sum);
        };
        const double e[] = {error(64), error(128), error(256)}, first = std::log2(e[0] / e[1]),
                     second = std::log2(e[1] / e[2]);
        qInfo("%s: %.3e %.3e %.3e, order %.3f %.3f", qPrintable(sampler), e[0], e[1], e[2], first, second);
        QVERIFY(std::abs(second - 1) < std::abs(first - 1) && std::abs(second - 1) < 0.03);
    }
};

QTEST_GUILESS_MAIN(TestStrongOrder)
#include "tst_strong_order.moc"
