// Every parametrization read as every other, over processes and times including the ends, and the boundaries of
// consistency models.
#include <QtTest>
#include <cmath>

#include "engine/process/parametrization.h"
#include "engine/process/terminal.h"

using namespace meander;

namespace {

constexpr double sigmaData = 0.7, x0 = 0.7, eps = -1.3;

Process zeroTerminal() {
    const auto p = Process::vpScaledLinear(1000, 0.00085, 0.012);
    std::vector<double> alphas;
    for (int k = 0; k < 1000; ++k) alphas.push_back(1 / (1 + p.tauOfStep(k) * p.tauOfStep(k)));
    return Process::variancePreserving(zeroTerminalSnr(alphas), "zero terminal SNR");
}
std::vector<std::pair<std::string, Process>> processes() {
    return {{"edm", Process::varianceExploding(0.002, 80)},
            {"vp linear", Process::vpLinear(1000, 1e-4, 0.02)},
            {"vp scaled linear", Process::vpScaledLinear(1000, 0.00085, 0.012)},
            {"vp cosine", Process::vpCosine(1000)},
            {"vp, zero terminal SNR", zeroTerminal()},
            {"flow", Process::rectifiedFlow(1000)}};
}
std::vector<double> timesOf(const Process& p) {
    std::vector<double> list;
    for (double u : {0.01, 0.2, 0.4, 0.6, 0.8, 0.95, 0.999})
        list.push_back(std::exp(std::log(p.minimum()) + u * (std::log(p.maximum()) - std::log(p.minimum()))));
    return list;
}
Parametrization at(int i) { return Parametrization(i); }
bool isLcm(Parametrization p) { return p == Parametrization::LcmEpsilon || p == Parametrization::LcmV; }

}  // namespace

class TestParametrization : public QObject {
    Q_OBJECT
private slots:
    void everyPair_data() {
        QTest::addColumn<int>("from");
        QTest::addColumn<int>("to");
        for (int i = 0; i < parametrizationCount; ++i)
            for (int j = 0; j < parametrizationCount; ++j)
                QTest::addRow("%s to %s", nameOf(at(i)), nameOf(at(j))) << i << j;
    }
    // There and back is the identity, as an identity of the coefficients: to 1e-12 of their size.
    void everyPair() {
        QFETCH(int, from);
        QFETCH(int, to);
        for (const auto& [name, p] : processes())
            for (const double tau : timesOf(p)) {
                // A latent consistency model's boundary holds at its step 0: nothing to read.
                if ((isLcm(at(from)) || isLcm(at(to))) && p.networkTime(tau) < 1e-3) continue;
                const PredictionConversion there = convert(p, at(from), at(to), tau, sigmaData),
                                           back = convert(p, at(to), at(from), tau, sigmaData);
                const QString where = QString("%1 at %2").arg(name.c_str()).arg(tau);
                QVERIFY2(std::abs(there.outputCoeff * back.outputCoeff - 1) < 1e-12, qPrintable(where));
                const double rest = back.stateCoeff + back.outputCoeff * there.stateCoeff,
                             size = std::abs(back.stateCoeff) + std::abs(back.outputCoeff * there.stateCoeff);
                QVERIFY2(std::abs(rest) <= 1e-12 * size + 1e-15,
                         qPrintable(QString("%1: %2 of %3").arg(where).arg(rest).arg(size)));
            }
    }
    // The output made from x0 and ε by its definition becomes the other's by its definition, within 1e-12 of the
    // numbers added.
    void meaningsAgree() {
        double worst = 0;
        for (const auto& [name, p] : processes())
            for (const double tau : timesOf(p))
                for (int i = 0; i < parametrizationCount; ++i)
                    for (int j = 0; j < parametrizationCount; ++j) {
                        if ((isLcm(at(i)) || isLcm(at(j))) && p.networkTime(tau) < 1e-3) continue;
                        const auto output = [&](int k) {
                            const PredictionCoeffs m = predictionCoeffsAt(p, at(k), tau, sigmaData);
                            return m.x0Coeff * x0 + m.noiseCoeff * eps;
                        };
                        const double y = p.signal(tau) * x0 + tau * eps;
                        const PredictionConversion r = convert(p, at(i), at(j), tau, sigmaData);
                        const double size = std::abs(r.stateCoeff * y) + std::abs(r.outputCoeff * output(i))
                                            + std::abs(output(j)),
                                     error = std::abs(r(y, output(i)) - output(j)) / size;
                        worst = std::max(worst, error);
                        QVERIFY2(error < 1e-12, qPrintable(QString("%1, %2 to %3 at %4: %5")
                                                               .arg(name.c_str(), nameOf(at(i)), nameOf(at(j)))
                                                               .arg(tau)
                                                               .arg(error)));
                    }
        qInfo("largest relative error %.2g", worst);
    }
    // What conversionAt gives the sampler is the same reading, and the definitions written by hand.
    void conversionsAreReadingsAsX0() {
        for (const auto& [name, p] : processes())
            for (const double tau : timesOf(p))
                for (int i = 0; i < parametrizationCount; ++i) {
                    if (isLcm(at(i)) && p.networkTime(tau) < 1e-3) continue;
                    const Conversion c = conversionAt(p, at(i), tau, sigmaData);
                    const PredictionConversion r = convert(p, at(i), Parametrization::X0, tau, sigmaData);
                    QVERIFY2(std::abs(c.fromState - r.stateCoeff) <= 1e-12 * (std::abs(r.stateCoeff) + 1e-3)
                                 && std::abs(c.fromOutput - r.outputCoeff) <= 1e-12 * std::abs(r.outputCoeff),
                             qPrintable(QString("%1, %2 at %3: %4 %5")
                                            .arg(name.c_str(), nameOf(at(i)))
                                            .arg(tau)
                                            .arg(c.fromState - r.stateCoeff)
                                            .arg(c.fromOutput - r.outputCoeff)));
                }
    }
    void definitions() {
        for (const auto& [name, p] : processes())
            for (const double tau : timesOf(p)) {
                const double s = p.nativeSignal(tau), n = p.nativeNoise(tau), sigma = n / s,
                             angle = std::atan(sigma / sigmaData), unit = std::atan(sigma);
                const double skip = sigmaData * sigmaData / (sigma * sigma + sigmaData * sigmaData),
                             out = sigma * sigmaData / std::hypot(sigma, sigmaData);
                const double above = sigma - p.minimum(),
                             boundarySkip = sigmaData * sigmaData / (above * above + sigmaData * sigmaData),
                             boundaryOut = sigmaData * above / std::hypot(sigma, sigmaData);
                const double big = x0 + sigma * eps;  // the state in EDM coordinates
                const std::pair<Parametrization, double> expected[] = {
                    {Parametrization::Epsilon, eps},
                    {Parametrization::X0, x0},
                    {Parametrization::V, s * eps - n * x0},
                    {Parametrization::Score, -eps / n},
                    {Parametrization::FlowVelocity, eps - x0},
                    {Parametrization::FlowVelocityReversed, x0 - eps},
                    {Parametrization::Edm, (x0 - skip * big) / out},
                    {Parametrization::Consistency, (x0 - boundarySkip * big) / boundaryOut},
                    {Parametrization::TrigFlow,
                     (std::cos(angle) * std::cos(angle) * big - x0) / (std::sin(angle) * sigmaData)},
                    {Parametrization::FPrediction, std::cos(unit) * eps - std::sin(unit) * x0}};
                for (const auto& [kind, output] : expected) {
                    const PredictionCoeffs m = predictionCoeffsAt(p, kind, tau, sigmaData);
                    const double got = m.x0Coeff * x0 + m.noiseCoeff * eps;
                    // (x0 − skip X)/out by hand cancels at the ends
                    QVERIFY2(std::abs(got - output) < 1e-9 * (1 + std::abs(output)) * (1 + sigma),
                             qPrintable(QString("%1 %2 at %3: %4 %5")
                                            .arg(name.c_str(), nameOf(kind))
                                            .arg(tau)
                                            .arg(got)
                                            .arg(output)));
                    QVERIFY(std::abs(m.determinant - (s * m.noiseCoeff - n * m.x0Coeff))
                            <= 1e-11
                                   * (std::abs(m.determinant) + std::abs(s * m.noiseCoeff) + std::abs(n * m.x0Coeff)));
                }
            }
    }
    void timesAndInputs() {
        const auto flow = Process::rectifiedFlow(1000);
        QCOMPARE(conversionAt(flow, Parametrization::FlowVelocity, 0.3).time, 300.0);
        QCOMPARE(conversionAt(flow, Parametrization::FlowVelocityReversed, 0.3).time, 700.0);
        const auto edm = Process::varianceExploding(0.002, 80);
        // TrigFlow: t_max = arctan(80/0.5) = 1.5645; the network sees x of unit variance in all of these
        QVERIFY(std::abs(conversionAt(edm, Parametrization::TrigFlow, 80, 0.5).time - 1.5645463) < 1e-6);
        for (const auto kind : {Parametrization::Edm, Parametrization::Consistency, Parametrization::TrigFlow})
            QVERIFY(std::abs(conversionAt(edm, kind, 3, 0.5).input - 1 / std::hypot(3, 0.5)) < 1e-15);
        QVERIFY(std::abs(conversionAt(edm, Parametrization::FPrediction, 3).input - 1 / std::hypot(3, 1)) < 1e-15);
        // a flow network wrapped as F-prediction: c_in = c_skip = 1/(sin t + cos t), c_out = −sin t/(sin t + cos t) at
        // s = sin t/(sin t + cos t)
        const double t = 0.8, flowTime = std::sin(t) / (std::sin(t) + std::cos(t));
        const Conversion c = conversionAt(flow, Parametrization::FlowVelocity, flowTime);
        QVERIFY(std::abs(conversionAt(flow, Parametrization::FPrediction, flowTime).time - t) < 1e-12);
        QVERIFY(std::abs(c.fromOutput + std::sin(t) / (std::sin(t) + std::cos(t))) < 1e-12);
    }
    // f(x) = x at the boundary, whatever the network says: σ_min for consistency models, step 0 for latent ones.
    void boundaries() {
        const auto edm = Process::varianceExploding(0.002, 80);
        const Conversion c = conversionAt(edm, Parametrization::Consistency, 0.002, 0.5);
        QCOMPARE(c.fromState, 1.0);
        QCOMPARE(c.fromOutput, 0.0);
        QVERIFY_EXCEPTION_THROWN(convert(edm, Parametrization::X0, Parametrization::Consistency, 0.002), Failure);
        const auto vp = Process::vpScaledLinear(1000, 0.00085, 0.012);
        for (const auto kind : {Parametrization::LcmEpsilon, Parametrization::LcmV}) {
            const Conversion lcm = conversionAt(vp, kind, vp.tauOfStep(0));
            QCOMPARE(std::abs(lcm.fromOutput), 0.0);
            QVERIFY(std::abs(lcm.fromState - vp.nativeScale(vp.tauOfStep(0))) < 1e-12);
            QVERIFY_EXCEPTION_THROWN(convert(vp, kind, Parametrization::X0, vp.tauOfStep(0)), Failure);
        }
        // TrigFlow holds at t → 0
        const Conversion trig = conversionAt(edm, Parametrization::TrigFlow, 1e-12, 0.5);
        QVERIFY(std::abs(trig.fromState - 1) < 1e-15 && std::abs(trig.fromOutput) < 2e-12);
    }
    // Clean: v, velocity, EDM, TrigFlow and ε still tell x0 (it is the state); x0 does not tell them.
    void cleanEnd() {
        for (const auto& [name, p] : processes()) {
            for (const auto kind : {Parametrization::Epsilon, Parametrization::V, Parametrization::FlowVelocity,
                                    Parametrization::FlowVelocityReversed, Parametrization::FPrediction}) {
                const PredictionConversion r = convert(p, kind, Parametrization::X0, 0);
                QCOMPARE(r(x0, 123.0), x0);
                QVERIFY_EXCEPTION_THROWN(convert(p, Parametrization::X0, kind, 0), Failure);
            }
            QCOMPARE(convert(p, Parametrization::X0, Parametrization::X0, 0)(x0, 5.0), 5.0);
            QCOMPARE(convert(p, Parametrization::FlowVelocity, Parametrization::Epsilon, 0)(x0, eps - x0), eps);
            QVERIFY_EXCEPTION_THROWN(convert(p, Parametrization::Epsilon, Parametrization::Score, 0), Failure);
            QVERIFY_EXCEPTION_THROWN(convert(p, Parametrization::Score, Parametrization::V, 0), Failure);
        }
    }
    // Pure noise (flow at t = 1): ε and score say nothing, with a sentence; v, x0, velocities, EDM and TrigFlow are
    // fine.
    void pureNoise() {
        const auto flow = Process::rectifiedFlow();
        for (const auto kind : {Parametrization::Epsilon, Parametrization::Score, Parametrization::LcmEpsilon}) {
            QVERIFY_EXCEPTION_THROWN(convert(flow, kind, Parametrization::X0, 1), Failure);
            QVERIFY_EXCEPTION_THROWN(conversionAt(flow, kind, 1), Failure);
        }
        for (const auto kind : {Parametrization::V, Parametrization::FlowVelocity,
                                Parametrization::FlowVelocityReversed, Parametrization::TrigFlow,
                                Parametrization::FPrediction, Parametrization::Edm, Parametrization::Consistency}) {
            const PredictionCoeffs m = predictionCoeffsAt(flow, kind, 1, sigmaData);
            const double output = m.x0Coeff * x0 + m.noiseCoeff * eps, y = eps;
            QVERIFY2(std::abs(convert(flow, kind, Parametrization::X0, 1, sigmaData)(y, output) - x0) < 1e-12,
                     nameOf(kind));
            QVERIFY2(std::abs(convert(flow, Parametrization::X0, kind, 1, sigmaData)(y, x0) - output) < 1e-12,
                     nameOf(kind));
            QVERIFY2(std::abs(convert(flow, kind, Parametrization::Epsilon, 1, sigmaData)(y, output) - eps) < 1e-12,
                     nameOf(kind));
            const Conversion c = conversionAt(flow, kind, 1, sigmaData);
            QVERIFY2(std::abs(c.fromState * y + c.fromOutput * output - x0) < 1e-12, nameOf(kind));
        }
        // v at zero SNR is −x0: the step that "one more step" takes
        QCOMPARE(convert(flow, Parametrization::V, Parametrization::X0, 1)(eps, -x0), x0);
    }
};

QTEST_GUILESS_MAIN(TestParametrization)
#include "tst_parametrization.moc"
