// Euler Negative against its loop written out, and where turning the state does nothing.
#include <QtTest>
#include <cmath>

#include "tests/engine/sampling/few_step_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

double bent(double x) { return std::sin(x) + 0.3 * std::cos(2.1 * x); }

}  // namespace

class TestEulerNegative : public QObject {
    Q_OBJECT
private slots:
    // The published loop, steps counted from 0, with the noise that the sampler drew.
    void publishedLoop_data() {
        QTest::addColumn<bool>("published");
        QTest::addColumn<double>("churn");
        for (bool p : {true, false})
            for (double churn : {0.0, 2.0, 9.0})
                QTest::addRow("%s %g", p ? "published" : "Karras", churn) << p << churn;
    }
    void publishedLoop() {
        QFETCH(bool, published);
        QFETCH(double, churn);
        const Process p = processNamed("edm");
        const auto sigmas = karrasLevels(8);
        std::vector<std::vector<double>> drawn;
        const NoiseFunction noise = [&, source = philox(5)](const NoiseRequest& q, const Tensor& like) {
            const Tensor z = source(q, like);
            drawn.push_back(download(z).toDoubles());
            return z;
        };
        const RequestEstimator network = [](const DenoiseRequest& q) {
            auto v = download(q.x).toDoubles();
            for (double& x : v) x = bent(x);
            return DenoiseResult{tensorOf(q.x.shape(), v), {}, {}};
        };
        const Tensor start = combine({{sigmas[0], normals(2, 3, 8)}});
        const Params params = {{"raise", std::string(published ? "published" : "karras")},
                               {"s_churn", churn},
                               {"s_tmin", 0.1},
                               {"s_tmax", 8.0},
                               {"s_noise", 0.9}};
        const auto got = solve(*findSampler("euler_negative"), p, sigmas, start, params, network, noise).values();
        auto x = download(start).toDoubles();
        std::size_t next = 0;
        for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
            const double limit = std::sqrt(2.0) - 1, rate = churn / 8, inside = sigmas[i] >= 0.1 && sigmas[i] <= 8,
                         gamma = inside ? (published ? std::max(rate, limit) : std::min(rate, limit)) : 0;
            const double hat = sigmas[i] * (gamma + 1), dt = sigmas[i + 1] - hat;
            for (std::size_t k = 0; k < x.size(); ++k) {
                if (gamma > 0) x[k] -= 0.9 * drawn[next][k] * std::sqrt(hat * hat - sigmas[i] * sigmas[i]);
                const double d = (x[k] - bent(x[k])) / hat;
                x[k] = sigmas[i + 1] > 0 && i / 2 == 1 ? -x[k] - d * dt : x[k] + d * dt;
            }
            next += gamma > 0;
        }
        QCOMPARE(drawn.size(), next);
        QVERIFY2(worstDifference(got, x) < 1e-12, qPrintable(QString::number(worstDifference(got, x))));
    }
    // Data symmetric about 0: two turns are none, so without churn it is Euler; otherwise it is not.
    void turnsOfSymmetricData() {
        for (const auto& name : processNames) {
            const Process p = processNamed(name);
            const auto levels = *makeSchedule("cosine", p, 8, {});
            const Tensor start = combine({{levels[0], normals(4, 2, 1)}});
            const Params still = {{"raise", std::string("karras")}, {"s_churn", 0.0}};
            const auto end = [&](const char* id, double mean, const Params& params) {
                return solve(*findSampler(id), p, levels, start, params, gaussianEstimator(p, Gaussian{mean, 0.5}))
                    .values();
            };
            QVERIFY(worstDifference(end("euler_negative", 0, still), end("euler", 0, {})) < 1e-13);
            QVERIFY(worstDifference(end("euler_negative", 0.4, still), end("euler", 0.4, {})) > 1e-2);
        }
    }
};

QTEST_GUILESS_MAIN(TestEulerNegative)
#include "tst_euler_negative.moc"
