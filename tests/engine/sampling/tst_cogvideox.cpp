// CogVideoX's solver written out as its scheduler has it, against the rules that make it up: DPM++ 2M SDE of midpoint
// form with η = 1, on levels shifted in SNR.
#include <QtTest>
#include <cmath>

#include "engine/schedule/operators.h"
#include "tests/engine/sampling/few_step_bench.h"

using namespace meander;
using namespace meander::bench;

class TestCogVideoX : public QObject {
    Q_OBJECT
private slots:
    // ᾱ' = ᾱ/(s + (1 − s) ᾱ) divides the SNR by s: the operator "Shift" by √s.
    void snrShift() {
        const Process p = Process::vpScaledLinear(1000, 0.00085, 0.012);
        for (double s : {1.0, 3.0, 0.4})
            for (double step : {0.0, 100.0, 731.0, 999.0}) {
                const double tau = p.tauOfStep(step), alphaBar = 1 / (1 + tau * tau),
                             shifted = alphaBar / (s + (1 - s) * alphaBar);
                const double got = levels::shifted({tau, 0}, p, std::sqrt(s))[0],
                             want = std::sqrt((1 - shifted) / shifted);
                QVERIFY(std::abs(got / want - 1) < 1e-12);
            }
    }
    void solver() {
        const Process p = Process::vpScaledLinear(1000, 0.00085, 0.012);
        std::vector<double> levels;
        for (int k = 9; k >= 0; --k) levels.push_back(std::sqrt(3.0) * p.tauOfStep(100 * k + 99));
        levels.push_back(0);
        const auto estimate = [](std::vector<double> x) {
            for (double& v : x) v = std::sin(1.3 * v) - 0.2 * v;
            return x;
        };
        const RequestEstimator network = [&](const DenoiseRequest& q) {
            auto x = download(q.x).toDoubles();
            for (double& v : x) v *= p.nativeScale(q.tau);
            return DenoiseResult{tensorOf(q.x.shape(), estimate(x)), {}, {}};
        };
        std::vector<std::vector<double>> drawn;
        const NoiseFunction noise = [&, source = philox(3)](const NoiseRequest& q, const Tensor& like) {
            const Tensor z = source(q, like);
            drawn.push_back(download(z).toDoubles());
            return z;
        };
        const Tensor start = combine({{levels[0], normals(2, 3, 8)}});
        const auto got = solve(*findSampler("dpmpp_2m_sde"), p, levels, start, {{"eta", 1.0}}, network, noise).values();

        auto x = download(start).toDoubles();
        for (double& v : x) v *= p.nativeScale(levels[0]);
        std::vector<double> old;
        double lastStep = 0;
        for (std::size_t k = 0; k < 10; ++k) {
            const auto alphaBar = [&](std::size_t i) { return 1 / (1 + levels[i] * levels[i]); };
            const auto lambda = [&](std::size_t i) { return std::log(std::sqrt(alphaBar(i) / (1 - alphaBar(i)))); };
            const auto d = estimate(x);
            if (k == 9) {  // ᾱ = 1: h is infinite and x becomes the estimate
                x = d;
                break;
            }
            const double h = lambda(k + 1) - lambda(k), r = lastStep / h,
                         kept = std::sqrt((1 - alphaBar(k + 1)) / (1 - alphaBar(k))) * std::exp(-h),
                         estimateCoeff = -std::expm1(-2 * h) * std::sqrt(alphaBar(k + 1));
            const double fresh = std::sqrt(1 - alphaBar(k + 1)) * std::sqrt(1 - std::exp(-2 * h));
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double ahead = old.empty() ? d[i] : (1 + 1 / (2 * r)) * d[i] - 1 / (2 * r) * old[i];
                x[i] = kept * x[i] + estimateCoeff * ahead + fresh * drawn[k][i];
            }
            old = d;
            lastStep = h;
        }
        QCOMPARE(drawn.size(), std::size_t(9));
        QVERIFY2(worstDifference(got, x) < 1e-12, qPrintable(QString::number(worstDifference(got, x))));
    }
};

QTEST_GUILESS_MAIN(TestCogVideoX)
#include "tst_cogvideox.moc"
