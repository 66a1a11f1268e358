// Processes: known constants and inverses.
#include <QtTest>
#include <cmath>

#include "engine/process/process.h"

using namespace meander;

namespace {
std::vector<std::pair<const char*, Process>> all() {
    return {{"edm", Process::varianceExploding(0.002, 80)},
            {"vp linear", Process::vpLinear(1000, 1e-4, 0.02)},
            {"vp scaled linear", Process::vpScaledLinear(1000, 0.00085, 0.012)},
            {"vp cosine", Process::vpCosine(1000)},
            {"flow", Process::rectifiedFlow(1000)}};
}
}  // namespace

class TestProcess : public QObject {
    Q_OBJECT
private slots:
    void stableDiffusionLevels() {
        // reference values of Stable Diffusion 1.5, computed with torch by k-diffusion and diffusers
        const auto p = Process::vpScaledLinear(1000, 0.00085, 0.012);
        const double expected[][2] = {{0, 0.0291671585}, {1, 0.041314412}, {249, 0.69320488}, {499, 1.6128862},
                                      {749, 4.0817294},  {998, 14.526276}, {999, 14.6146412}};
        for (const auto& [step, sigma] : expected)
            QVERIFY2(std::abs(p.tauOfStep(step) / sigma - 1) < 2e-6,
                     qPrintable(QString::number(p.tauOfStep(step), 'g', 10)));
    }
    void inverses() {
        for (const auto& [name, p] : all())
            for (double u = 0.02; u < 1; u += 0.07) {
                const double tau =
                    std::exp(std::log(p.minimum()) + u * (std::log(p.maximum()) - std::log(p.minimum())));
                QVERIFY2(std::abs(p.tauOfTime(p.networkTime(tau)) / tau - 1) < 1e-9, name);
                QVERIFY2(std::abs(p.tauOfLogSnr(p.logSnr(tau)) / tau - 1) < 1e-9, name);
                QVERIFY2(std::abs(p.tauOfSigma(p.sigma(tau)) / tau - 1) < 1e-9, name);
            }
    }
    void wholeStepsComeBackWhole() {
        for (const auto& [name, p] : all())
            for (int k = 0; k < p.trainingSteps(); ++k) QCOMPARE(p.networkTime(p.tauOfStep(k)), double(k));
    }
    void variancePreservingPreservesVariance() {
        const auto p = Process::vpCosine(1000);
        for (double tau : {0.01, 0.5, 3.0, 100.0})
            QVERIFY(std::abs(p.nativeSignal(tau) * p.nativeSignal(tau) + p.nativeNoise(tau) * p.nativeNoise(tau) - 1)
                    < 1e-12);
    }
    void pureNoiseOfFlow() {
        const auto p = Process::rectifiedFlow();
        QVERIFY(std::isinf(p.sigma(1)) && p.sigma(1) > 0);
        QVERIFY(std::isinf(p.logSnr(1)) && p.logSnr(1) < 0);
        QVERIFY(std::isinf(p.logSnr(0)) && p.logSnr(0) > 0);
        QCOMPARE(p.tauOfSigma(std::numeric_limits<double>::infinity()), 1.0);
    }
    void damagedScheduleIsRefused() {
        QVERIFY_EXCEPTION_THROWN(Process::variancePreserving({0.5, 0.6}, "x"), Failure);
        QVERIFY_EXCEPTION_THROWN(Process::variancePreserving({0.5}, "x"), Failure);
    }
};

QTEST_GUILESS_MAIN(TestProcess)
#include "tst_process.moc"
