// Stochastic samplers against what their papers promise, on closed-form scores: an SDE contracts a wrong marginal and
// an ODE keeps it, recorded noise reconstructs, Langevin keeps the weights of its start, MALA has no bias, the
// accelerated sampler has the smaller law error.
#include <QtTest>
#include <cmath>

#include "tests/engine/sampling/mixture_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

// Noise level of the variance-preserving SDE with β from 0.1 to 20 at time t.
double vpTau(double t) { return std::sqrt(std::expm1(0.1 * t + 0.5 * 19.9 * t * t)); }

}  // namespace

class TestStochasticOracles : public QObject {
    Q_OBJECT
private slots:
    void sdeContracts_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<bool>("stochastic");
        QTest::newRow("euler") << "euler" << false;
        for (const char* id :
             {"euler_ancestral", "ddpm", "dpmpp_2m_sde", "seeds_2", "euler_maruyama", "accelerated_sde", "cycle_sde"})
            QTest::newRow(id) << id << true;
    }
    // Mixture ±2, a state off its marginal at t = 0.6: the ODE keeps the divergence of 0.28 nats, the SDE takes it
    // below 0.03 (Nie et al. 2024).
    void sdeContracts() {
        QFETCH(QString, sampler);
        QFETCH(bool, stochastic);
        const Mixture m{{-2, 2}, {0.3, 0.3}, {0.3, 0.7}};
        const Process p = Process::vpLinear(1000, 1e-4, 0.02);
        const std::size_t n = 40000;
        const double start = vpTau(0.6), scale = std::sqrt(1 + start * start);
        std::mt19937 g(3);
        std::normal_distribution<double> z;
        auto y = m.samples(n, 5);
        for (double& v : y) v = (0.6 * ((v + start * z(g)) / scale) + 0.5) * scale;
        const auto divergence = [&](const std::vector<double>& state, double tau) {  // of native states, 120 bins
            const double s = 1 / std::sqrt(1 + tau * tau);
            std::vector<double> h(120, 1e-9), q(120);
            double total = 0, kl = 0;
            for (double v : state)
                if (std::abs(v * s) < 6) h[std::size_t((v * s + 6) / 0.1)] += 1;
            for (int i = 0; i < 120; ++i) total += q[std::size_t(i)] = m.density((-6 + 0.1 * (i + 0.5)) / s, 1, tau);
            for (int i = 0; i < 120; ++i) {
                const double a = h[std::size_t(i)] / double(n);
                kl += a * std::log(a / (q[std::size_t(i)] / total + 1e-300));
            }
            return kl;
        };
        std::vector<double> levels;
        for (int i = 0; i <= 150; ++i) levels.push_back(vpTau(0.6 + (1e-3 - 0.6) * i / 150));
        const double before = divergence(y, start);
        const auto after = divergence(
            solve(*findSampler(sampler.toStdString()), p, levels, row(y), {}, mixtureEstimator(p, m), addressedNoise(9))
                .values(),
            levels.back());
        qInfo("%s: %.4f -> %.4f nats", qPrintable(sampler), before, after);
        QVERIFY(std::abs(before - 0.2825) < 0.02);
        QVERIFY(stochastic ? after < 0.03 : std::abs(after - before) < 0.01);
    }

    void cycleReconstructs_data() {
        QTest::addColumn<bool>("single");
        QTest::newRow("double") << false;
        QTest::newRow("single") << true;
    }
    // Up 60 of 1000 DDPM steps and back with the recorded noise: the data again. A state edited at the top does not
    // come back to it.
    void cycleReconstructs() {
        QFETCH(bool, single);
        const Mixture m{{-2, 2}, {0.3, 0.3}, {0.3, 0.7}};
        const Process p = Process::vpLinear(1000, 1e-4, 0.02);
        std::vector<double> up{0};
        for (int k = 9; k < 600; k += 10) up.push_back(p.tauOfStep(k));
        std::vector<double> levels = up;
        levels.insert(levels.end(), up.rbegin() + 1, up.rend());
        const auto x = m.samples(2000, 7);
        const Tensor start = row(x, single ? DType::F32 : DType::F64);
        const auto solution =
            solve(*findSampler("cycle_sde"), p, levels, start, {}, mixtureEstimator(p, m), addressedNoise(1));
        const auto got = solution.values(), want = download(start).toDoubles();
        double worst = 0;
        for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
        qInfo("reconstruction error %.1e", worst);
        QVERIFY(worst < (single ? 1e-5 : 1e-12));
        QCOMPARE(solution.requests, 120);
        // another estimate on the way down changes the result: the replayed noise is not a copy of the path
        int calls = 0;
        const auto other = [&](const Tensor& y, double tau) {
            DenoiseResult a = mixtureEstimator(p, m)(y, tau);
            if (++calls % 2 == 1) a.denoised = combine({{1.05, a.denoised}});
            return a;
        };
        const auto edited = solve(*findSampler("cycle_sde"), p, levels, start, {}, other, addressedNoise(1)).values();
        double moved = 0;
        for (std::size_t i = 0; i < got.size(); ++i) moved += std::abs(edited[i] - want[i]) / double(got.size());
        QVERIFY(moved > 0.02 && moved < 1);
    }

    void langevinKeepsItsStart_data() {
        QTest::addColumn<QString>("start");
        QTest::addColumn<bool>("wrong");  // the score believes in equal weights
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::newRow("data") << "data" << false << 0.19 << 0.21;
        QTest::newRow("data, wrong weights") << "data" << true << 0.19 << 0.21;
        QTest::newRow("normal, wrong weights") << "normal" << true << 0.45 << 0.55;
        QTest::newRow("one point") << "point" << false << 0.999 << 1.0;
    }
    // Modes ±6 of weights 0.2 and 0.8, h = 0.05, 200 steps: the left mode's weight (Koehler & Vuong 2023).
    void langevinKeepsItsStart() {
        QFETCH(QString, start);
        QFETCH(bool, wrong);
        QFETCH(double, low);
        QFETCH(double, high);
        const double tau = 0.5, stddev = std::sqrt(1 - tau * tau);  // unit variance at the level
        const Process p = Process::varianceExploding(0.1, 1);
        const Mixture truth{{-6, 6}, {1, 1}, {0.2, 0.8}},
            believed{{-6, 6}, {stddev, stddev}, {wrong ? 0.5 : 0.2, wrong ? 0.5 : 0.8}};
        const std::size_t n = 20000;
        const auto x = start == "data"    ? truth.samples(n, 11)
                       : start == "point" ? std::vector<double>(n, -6.0)
                                          : Mixture{{0}, {1}, {1}}.samples(n, 12);
        const auto got =
            solve(*findSampler("langevin"), p, {tau, 0}, row(x),
                  {{"langevin_steps", std::int64_t(200)}, {"step", 0.05 / (tau * tau)}, {"denoise", false}},
                  mixtureEstimator(p, believed), addressedNoise(21))
                .values();
        const double left = double(std::count_if(got.begin(), got.end(), [](double v) { return v < 0; })) / double(n);
        qInfo("%s: %.3f", QTest::currentDataTag(), left);
        QVERIFY(left >= low && left <= high);
    }

    // On a Gaussian of variance S a Langevin step h has the stationary variance S/(1 − h/2S); MALA has S, from a wrong
    // start and with a long step.
    void malaHasNoBias() {
        const PlaneGaussian g;
        const Process p = Process::varianceExploding(0.1, 10);
        const double tau = 1, h = 0.9;
        const std::int64_t n = 40000;
        const auto start = combine({{1.4, planeStart(g, p, tau, n, 3, n)}});
        for (bool mala : {false, true}) {
            const Params params{{"langevin_steps", std::int64_t(60)}, {"step", h}, {"mala", mala}, {"denoise", false}};
            const auto got =
                solve(*findSampler("langevin"), p, {tau, 0}, start, params, planeEstimator(p, g), addressedNoise(5))
                    .values();
            double m[2], v[2];
            for (int i = 0; i < 2; ++i) {
                const double s = g.variances[i] + tau * tau;
                m[i] = g.axisMean(i);
                v[i] = mala ? s : s / (1 - h / (2 * s));
            }
            const auto z = deviations(got, rotated(m, v));
            qInfo("%s: %.2f %.2f %.2f %.2f %.2f standard errors", mala ? "MALA" : "Langevin", z[0], z[1], z[2], z[3],
                  z[4]);
            for (double d : z) QVERIFY(std::abs(d) < 3);
        }
    }

    // Law error by the characteristic function at 1 … 4, three-component mixture, β from 0.1 to 20 (Li et al. 2024):
    // the accelerated sampler against plain reverse diffusion.
    void acceleratedLawError_data() {
        QTest::addColumn<int>("steps");
        QTest::addColumn<double>("plain");
        QTest::addColumn<double>("accelerated");
        QTest::newRow("20") << 20 << 0.228 << 0.111;
        QTest::newRow("40") << 40 << 0.118 << 0.047;
        QTest::newRow("80") << 80 << 0.060 << 0.023;
    }
    void acceleratedLawError() {
        QFETCH(int, steps);
        QFETCH(double, plain);
        QFETCH(double, accelerated);
        const Mixture m{{-1.5, 0.5, 2}, {0.3, 0.2, 0.4}, {0.3, 0.4, 0.3}};
        const Process p = Process::vpLinear(1000, 1e-4, 0.02);
        std::vector<double> levels;
        for (int i = 0; i <= steps; ++i) levels.push_back(vpTau(1 + (1e-3 - 1) * i / steps));
        const std::size_t n = 100000;
        const auto y = row(Mixture{{0}, {std::sqrt(1 + levels[0] * levels[0])}, {1}}.samples(n, 31));
        const double scale = 1 / std::sqrt(1 + levels.back() * levels.back());
        const auto error = [&](const char* id, const Params& params) {
            const auto got =
                solve(*findSampler(id), p, levels, y, params, mixtureEstimator(p, m), addressedNoise(41)).values();
            double sum = 0;
            for (int k = 1; k <= 4; ++k) {
                double c = 0, s = 0, wantC = 0, wantS = 0;
                for (double v : got) {
                    c += std::cos(k * v * scale) / double(n);
                    s += std::sin(k * v * scale) / double(n);
                }
                for (std::size_t j = 0; j < 3; ++j) {
                    const double mu = m.means[j] * scale,
                                 var = (m.deviations[j] * m.deviations[j] - 1) * scale * scale + 1,
                                 e = m.weights[j] * std::exp(-0.5 * k * k * var);
                    wantC += e * std::cos(k * mu);
                    wantS += e * std::sin(k * mu);
                }
                sum += (c - wantC) * (c - wantC) + (s - wantS) * (s - wantS);
            }
            return std::sqrt(sum);
        };
        const double one = error("predictor_corrector", {{"corrector_steps", std::int64_t(0)}}),
                     two = error("accelerated_sde", {});
        qInfo("%d steps: %.4f and %.4f", steps, one, two);
        QVERIFY2(std::abs(one - plain) < 0.012, qPrintable(QString::number(one)));
        QVERIFY2(std::abs(two - accelerated) < 0.012, qPrintable(QString::number(two)));
    }

    // The Langevin corrector against the recursion of the second moments, with the step that the mean norms of many
    // particles give.
    void correctorFollowsItsRecursion() {
        const PlaneGaussian g;
        const Process p = Process::varianceExploding(0.002, 80);
        const double snr = 0.2;
        const auto levels = karrasLevels(6, 5, 0.5);
        double v[2], m[2];
        for (int i = 0; i < 2; ++i) {
            v[i] = g.variances[i] + levels[0] * levels[0];
            m[i] = g.axisMean(i);
        }
        for (std::size_t k = 0; k + 1 < levels.size(); ++k) {
            const double t2 = levels[k] * levels[k], to2 = levels[k + 1] * levels[k + 1];
            double s[2], gradient = 0;
            for (int i = 0; i < 2; ++i) {
                s[i] = g.variances[i] + t2;
                gradient += v[i] / (s[i] * s[i]) / 2;
            }
            const double step = 2 * snr * snr / gradient, share = to2 == 0 ? 1 : 1 - to2 / t2,
                         spread = to2 == 0 ? 0 : t2 - to2;
            for (int i = 0; i < 2; ++i) {
                v[i] = std::pow(1 - step / s[i], 2) * v[i] + 2 * step;
                const double kept = 1 - share * t2 / s[i];  // y − share (y − D) about the mean
                v[i] = kept * kept * v[i] + spread;
            }
        }
        const auto start = planeStart(g, p, levels[0], 200000, 23);
        const auto got =
            solve(*findSampler("predictor_corrector"), p, levels, start,
                  {{"snr", snr}, {"corrector_steps", std::int64_t(1)}}, planeEstimator(p, g), addressedNoise(29))
                .values();
        const auto z = deviations(got, rotated(m, v));
        qInfo("%.2f %.2f %.2f %.2f %.2f standard errors", z[0], z[1], z[2], z[3], z[4]);
        for (double d : z) QVERIFY(std::abs(d) < 3);
    }
};

QTEST_GUILESS_MAIN(TestStochasticOracles)
#include "tst_stochastic_oracles.moc"
