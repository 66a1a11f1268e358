// Classifier-free guidance: the formula, its interval, its cost, and rescale.
#include <QtTest>
#include <cmath>

#include "engine/guidance/guidance.h"

using namespace meander;

class TestGuidance : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend();
    const GuidanceRule& m_cfg = *findGuidance("cfg");

    Params params(Params given) { return *resolveParams(m_cfg.params, given, m_cfg.label); }
    Tensor tensor(std::vector<float> v) { return upload(*m_backend, HostTensor::fromFloats(Shape{2, std::int64_t(v.size()) / 2}, v)); }
    std::vector<float> apply(const Params& p, int step = 0, int steps = 10, double tau = 1) {
        const Process process = Process::varianceExploding(0.002, 80);
        const Tensor c = tensor({1, 2, 3, 4, 5, 7}), u = tensor({0, 2, 2, 1, 5, 9});
        GuidanceParts parts{c, u, c};
        m_cfg.apply(p, {process, tau, step, steps, c}, parts);
        return download(parts.combined).toFloats();
    }

private slots:
    void formula() {  // u + w (c − u)
        const auto got = apply(params({{"scale", 3.0}}));
        const std::vector<float> want = {3, 2, 5, 10, 5, 3};
        for (std::size_t i = 0; i < want.size(); ++i) QCOMPARE(got[i], want[i]);
    }
    void scaleOneCostsNothing() {
        const auto p = params({{"scale", 1.0}});
        QVERIFY(!m_cfg.needsUnconditional(p, 0, 0.5));
        QVERIFY(!m_cfg.idle(p).empty());
        QCOMPARE(apply(p)[0], 1.f);
    }
    void intervalOfSteps() {
        const auto p = params({{"scale", 3.0}, {"from", 0.2}, {"to", 0.6}});
        const bool expected[] = {false, false, true, true, true, true, false, false, false, false};
        for (int k = 0; k < 10; ++k) {
            QCOMPARE(m_cfg.needsUnconditional(p, 0, k / 10.0), expected[k]);
            QCOMPARE(apply(p, k)[0], expected[k] ? 3.f : 1.f);
        }
    }
    void intervalOfNoise() {  // Kynkäänniemi et al. 2024: (σ_low, σ_high]
        const auto p = params({{"scale", 3.0}, {"sigma_low", 0.3}, {"sigma_high", 5.0}});
        for (double sigma : {0.1, 0.29, 0.31, 1.0, 4.9, 5.1, 50.0}) {
            const bool inside = sigma > 0.3 && sigma < 5;
            QCOMPARE(m_cfg.needsUnconditional(p, -2 * std::log(sigma), 0.5), inside);
            QCOMPARE(apply(p, 5, 10, sigma)[0], inside ? 3.f : 1.f);
        }
    }
    // φ = 1 gives every picture the conditional estimate's standard deviation.
    void rescaleRestoresTheDeviation() {
        const auto got = apply(params({{"scale", 4.0}, {"rescale", 1.0}}));
        const auto deviation = [](const float* v) {
            const double m = (double(v[0]) + v[1] + v[2]) / 3;
            return std::sqrt(((v[0] - m) * (v[0] - m) + (v[1] - m) * (v[1] - m) + (v[2] - m) * (v[2] - m)) / 3);
        };
        const float first[] = {1, 2, 3}, second[] = {4, 5, 7};
        QVERIFY(std::abs(deviation(&got[0]) - deviation(first)) < 1e-5);
        QVERIFY(std::abs(deviation(&got[3]) - deviation(second)) < 1e-5);
    }
    void emptyIntervalSaysSo() { QVERIFY(!m_cfg.idle(params({{"from", 0.5}, {"to", 0.5}})).empty()); }
};

QTEST_GUILESS_MAIN(TestGuidance)
#include "tst_guidance.moc"
