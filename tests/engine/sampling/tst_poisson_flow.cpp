// PFGM++ against the field of point charges and the radii of its prior.
#include <QtTest>
#include <numbers>

#include "engine/sampling/few_step_common.h"
#include "tests/engine/sampling/few_step_bench.h"

using namespace meander;
using namespace meander::bench;

class TestPoissonFlow : public QObject {
    Q_OBJECT
private slots:
    // Quantiles of χ²: tabulated ones, and the median and tails of very many degrees.
    void chiSquaredQuantiles() {
        const auto close = [](double got, double want) { return std::abs(got / want - 1) < 1e-9; };
        QVERIFY(close(chiSquared(1, 0), 0.45493642311957283));  // median
        QVERIFY(close(chiSquared(2, 0), 2 * std::numbers::ln2));
        QVERIFY(close(chiSquared(2, 1.6448536269514722), -2 * std::log(0.05)));
        QVERIFY(close(chiSquared(2, -3), -2 * std::log1p(-0.5 * std::erfc(3 / std::sqrt(2.0)))));
        QVERIFY(close(chiSquared(1, 1.6448536269514722), 3.841458820694124));
        QVERIFY(close(chiSquared(10, 1.6448536269514722), 18.307038053275146));
        QVERIFY(std::abs(chiSquared(99999, 1.0) / chiSquared(100001, 1.0) - 1) < 2.1e-5);  // both methods meet
    }
    // PFGM++ prior: R = σmax √D √(B/(1 − B)), N = 3072. Mean over σmax√N: 1.005, 1.000, 1.000; relative spread 0.065,
    // 0.020, 0.013.
    void poissonPrior_data() {
        QTest::addColumn<double>("dimensions");
        QTest::addColumn<double>("mean");
        QTest::addColumn<double>("spread");
        QTest::newRow("128") << 128.0 << 1.005 << 0.065;
        QTest::newRow("2048") << 2048.0 << 1.000 << 0.020;
        QTest::newRow("million") << 1e6 << 1.000 << 0.013;
    }
    void poissonPrior() {
        QFETCH(double, dimensions);
        QFETCH(double, mean);
        QFETCH(double, spread);
        const Process p = processNamed("edm");
        const int n = 3072, rows = 2000;
        Tensor first;
        const RequestEstimator zero = [&](const DenoiseRequest& q) {
            if (!first) first = q.x;
            return DenoiseResult{combine({{0, q.x}}), {}, {}};
        };
        const Tensor start = combine({{80, normals(rows, n, 21)}});
        run("pfgmpp", p, {80, 0}, start, {{"dimensions", dimensions}}, zero);
        double sum = 0, squares = 0;
        for (double rms : rmsRows(first)) {
            sum += rms / 80;
            squares += rms * rms / 6400;
        }
        const double got = sum / rows, stddev = std::sqrt(squares / rows - got * got);
        qInfo("D = %g: mean %.4f, spread %.4f", dimensions, got, stddev / got);
        QVERIFY(std::abs(got - mean) < 0.005);
        QVERIFY(std::abs(stddev / got - spread) < 0.0025);
        // The direction stays that of the Gaussian.
        const auto a = download(start).toDoubles(), b = download(first).toDoubles();
        for (std::size_t i = 0; i < 3072; i += 97)
            QVERIFY(std::abs(b[i] / b[0] - a[i] / a[0]) < 1e-9 * std::abs(a[i] / a[0]));
    }
    // The exact field of point charges with weights 0.2 and 0.8 (kernel (‖x − y‖² + σ² D)^(−(N + D)/2), N = 2): the
    // right prior fills them by their weights.
    void poissonFieldFillsItsCharges() {
        const Process p = processNamed("edm");
        for (double dimensions : {1.0, 16.0}) {
            const RequestEstimator field = [&](const DenoiseRequest& q) {
                auto v = download(q.x).toDoubles();
                const double r2 = q.tau * q.tau * dimensions, power = -(2 + dimensions) / 2;
                for (std::size_t i = 0; i < v.size(); i += 2) {
                    const double left =
                        std::log(0.2) + power * std::log(std::pow(v[i] + 1, 2) + v[i + 1] * v[i + 1] + r2);
                    const double right =
                        std::log(0.8) + power * std::log(std::pow(v[i] - 1, 2) + v[i + 1] * v[i + 1] + r2);
                    v[i] = std::tanh((right - left) / 2);
                    v[i + 1] = 0;
                }
                return DenoiseResult{tensorOf(q.x.shape(), v), {}, {}};
            };
            const int n = 20000;
            // A state whose tail began k times farther out than the others' is still k σ from its charge at σ, so the
            // levels go down until even the farthest of them, k about 10⁵ for D = 1, has arrived.
            const auto x = run("pfgmpp", p, karrasLevels(80, 80, 1e-8), combine({{80, normals(n, 2, 31)}}),
                               {{"dimensions", dimensions}}, field)
                               .values();
            int right = 0, near = 0;
            for (std::size_t i = 0; i < x.size(); i += 2) {
                right += x[i] > 0;
                near += std::abs(std::abs(x[i]) - 1) < 1e-3 && std::abs(x[i + 1]) < 1e-3;
            }
            qInfo("D = %g: %.4f of 0.8 at the right charge, %d of %d at a charge", dimensions, double(right) / n, near,
                  n);
            QVERIFY(std::abs(double(right) / n - 0.8) < 4 * std::sqrt(0.16 / n) + 0.003);
            QCOMPARE(near, n);
        }
    }
};

QTEST_GUILESS_MAIN(TestPoissonFlow)
#include "tst_poisson_flow.moc"
