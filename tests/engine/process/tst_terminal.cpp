// The noisy end: schedules rescaled to zero terminal SNR, and what replaces a start from N(0, 1).
#include <QtTest>
#include <cmath>

#include "engine/process/parametrization.h"
#include "engine/process/terminal.h"

using namespace meander;

namespace {
// KL(p ‖ q) of two Gaussians, in nats.
double klOf(const Gaussian1& p, const Gaussian1& q) {
    const double d = p.mean - q.mean, ratio = p.variance / q.variance;
    return 0.5 * (ratio - 1 - std::log(ratio) + d * d / q.variance);
}

std::vector<double> stableDiffusion() {
    std::vector<double> alphas;
    double product = 1;
    for (int k = 0; k < 1000; ++k) {
        const double root = std::sqrt(0.00085) + (std::sqrt(0.012) - std::sqrt(0.00085)) * k / 999;
        alphas.push_back(product *= 1 - root * root);
    }
    return alphas;
}
}  // namespace

class TestTerminal : public QObject {
    Q_OBJECT
private slots:
    // Lin et al. 2024, algorithm 1, computed with numpy.
    void rescaledSchedule() {
        const auto before = stableDiffusion(), after = zeroTerminalSnr(before);
        QVERIFY(std::abs(before.back() - 0.00466) < 1e-5);
        QCOMPARE(after.size(), before.size());
        QVERIFY(std::abs(after.front() - before.front()) < 1e-15);
        QCOMPARE(after.back(), 0.0);
        const std::pair<int, double> golden[] = {
            {1, 0.99823344614}, {499, 0.242359166556}, {750, 0.0327991181287}, {998, 1.96788805662e-07}};
        for (const auto& [k, alpha] : golden)
            QVERIFY2(std::abs(after[std::size_t(k)] / alpha - 1) < 1e-9,
                     qPrintable(QString::number(after[std::size_t(k)], 'g', 12)));
        for (std::size_t k = 1; k < after.size(); ++k) QVERIFY(after[k] < after[k - 1]);
        QVERIFY_EXCEPTION_THROWN(zeroTerminalSnr({0.5, 0.5}), Failure);
    }
    // Samplers step in σ, so the end is finite, at each program's own level; and it is still the last training step.
    void finiteEnds() {
        const std::pair<double, double> ends[] = {
            {0, 1e4}, {terminalSignalDiffusers, 4095.9998780}, {terminalSignalComfyUi, 4518.7636987}};
        for (const auto& [signal, sigma] : ends) {
            const auto p = Process::variancePreserving(zeroTerminalSnr(stableDiffusion(), signal), "rescaled");
            QVERIFY2(std::abs(p.maximum() / sigma - 1) < 1e-6, qPrintable(QString::number(p.maximum(), 'g', 10)));
            QCOMPARE(p.networkTime(p.maximum()), 999.0);
            QVERIFY(p.startsFromPureNoise());
            QVERIFY(std::isfinite(p.logSnr(p.maximum())));
            // v and x0 tell the image there to the precision of numbers; ε only what is left of it
            const double tau = p.maximum(), x0 = 0.4, eps = 1.1, y = x0 + tau * eps;
            for (const auto kind : {Parametrization::V, Parametrization::X0, Parametrization::FlowVelocity}) {
                const PredictionCoeffs m = predictionCoeffsAt(p, kind, tau);
                const Conversion c = conversionAt(p, kind, tau);
                QVERIFY(std::abs(c.fromState * y + c.fromOutput * (m.x0Coeff * x0 + m.noiseCoeff * eps) - x0) < 1e-12);
            }
            QVERIFY(std::abs(conversionAt(p, Parametrization::Epsilon, tau).fromOutput) > 4000);
        }
        QVERIFY(!Process::variancePreserving(stableDiffusion(), "plain").startsFromPureNoise());
        QVERIFY(Process::rectifiedFlow().startsFromPureNoise());
    }
    // Analytic-Init is the true Gaussian marginal; N(0, 1) in native coordinates is off by more the more signal is
    // left, and the gap closes with it.
    void analyticStartIsClosest() {
        const auto p = Process::vpScaledLinear(1000, 0.00085, 0.012);
        const double mean = 0.8, variance = 0.3;
        double last = 1e9;
        for (int step : {200, 400, 600, 800, 999}) {
            const double tau = p.tauOfStep(step), scale = p.nativeScale(tau);
            // E and Var of y over data and noise
            const Gaussian1 truth{p.signal(tau) * mean, p.signal(tau) * p.signal(tau) * variance + tau * tau},
                start = analyticStart(p.signal(tau), tau, mean, variance);
            const Gaussian1 unit{0, 1 / (scale * scale)}, noiseOnly{0, tau * tau};
            QVERIFY(std::abs(klOf(truth, start)) < 1e-12);
            QVERIFY(klOf(truth, unit) > 0 && klOf(truth, noiseOnly) > 0);
            QVERIFY(klOf(truth, unit) < last);
            last = klOf(truth, unit);
            // no other Gaussian is closer
            for (double d : {-0.01, 0.01}) {
                QVERIFY(klOf(truth, {start.mean + d, start.variance}) > 0);
                QVERIFY(klOf(truth, {start.mean, start.variance * (1 + d)}) > 0);
            }
        }
        QVERIFY(last < 0.005);
        const auto zero = Process::variancePreserving(zeroTerminalSnr(stableDiffusion()), "rescaled");
        QVERIFY(klOf(analyticStart(1, zero.maximum(), mean, variance), {0, 1 + zero.maximum() * zero.maximum()})
                < 1e-8);
        QVERIFY(std::abs(klOf({1, 4}, {0, 1}) - 0.5 * (4 + 1 - 1 - std::log(4))) < 1e-15);  // closed form
    }
};

QTEST_GUILESS_MAIN(TestTerminal)
#include "tst_terminal.moc"
