// Both ends of the noise range: every training schedule in every length, with and without zero terminal SNR, is a
// process whose steps all have levels of their own, and every prediction can be read there.
#include <QtTest>
#include <cmath>

#include "engine/process/parametrization.h"
#include "engine/process/terminal.h"

using namespace meander;

namespace {

struct Rule {
    const char* name;
    Process (*make)(int steps);
};
const Rule rules[] = {{"linear", [](int n) { return Process::vpLinear(n, 1e-4, 0.02); }},
                      {"linear, sd15", [](int n) { return Process::vpLinear(n, 0.00085, 0.012); }},
                      {"scaled linear, sd15", [](int n) { return Process::vpScaledLinear(n, 0.00085, 0.012); }},
                      {"scaled linear", [](int n) { return Process::vpScaledLinear(n, 1e-4, 0.02); }},
                      {"cosine", [](int n) { return Process::vpCosine(n); }}};
const int lengths[] = {10, 50, 100, 500, 1000, 2000, 4000, 10'000, 100'000};
// "none", and the rest of signal that each program keeps at the end.
struct End {
    const char* name;
    double signal;
};
const End ends[] = {{"as trained", 0},
                    {"zero SNR", terminalSignal},
                    {"zero SNR, diffusers", terminalSignalDiffusers},
                    {"zero SNR, ComfyUI", terminalSignalComfyUi}};

Process made(const Rule& rule, int steps, const End& end) {
    const Process p = rule.make(steps);
    return end.signal > 0 ? p.withZeroTerminalSnr(end.signal) : p;
}

}  // namespace

class TestNoiseEnds : public QObject {
    Q_OBJECT
private slots:
    void everyTrainingSchedule_data() {
        QTest::addColumn<int>("rule");
        QTest::addColumn<int>("steps");
        QTest::addColumn<int>("end");
        for (int r = 0; r < int(std::size(rules)); ++r)
            for (const int n : lengths)
                for (int e = 0; e < int(std::size(ends)); ++e)
                    QTest::addRow("%s, %d steps, %s", rules[r].name, n, ends[e].name) << r << n << e;
    }
    void everyTrainingSchedule() {
        QFETCH(int, rule);
        QFETCH(int, steps);
        QFETCH(int, end);
        const Process p = made(rules[rule], steps, ends[end]);
        QCOMPARE(p.trainingSteps(), steps);
        QVERIFY(p.minimum() > 0 && std::isfinite(p.maximum()) && p.maximum() < 1.0001e4);
        if (ends[end].signal > 0) {
            const double wanted = std::sqrt((1 - ends[end].signal) / ends[end].signal);
            QVERIFY2(std::abs(p.maximum() / wanted - 1) < 1e-12, qPrintable(QString::number(p.maximum(), 'g', 12)));
            QVERIFY(p.startsFromPureNoise());
        }
        double before = 0;
        for (int k = 0; k < steps; k += k < 200 || k > steps - 200 ? 1 : steps / 97 + 1) {
            const double tau = p.tauOfStep(k);
            QVERIFY2(tau > before, qPrintable(QString("step %1: %2 after %3").arg(k).arg(tau).arg(before)));
            QCOMPARE(p.networkTime(tau), double(k));  // a level made from a step gives that step back
            before = tau;
        }
    }

    // Every parametrization at the first and the last training step, read as x̂0: finite, and the prediction made of
    // known data gives the data back.
    void everyPrediction_data() {
        QTest::addColumn<int>("rule");
        QTest::addColumn<int>("end");
        QTest::addColumn<int>("parametrization");
        for (int r = 0; r < int(std::size(rules)); ++r)
            for (int e = 0; e < int(std::size(ends)); ++e)
                for (int k = 0; k < parametrizationCount; ++k)
                    QTest::addRow("%s, %s, %s", rules[r].name, ends[e].name, nameOf(Parametrization(k))) << r << e << k;
    }
    void everyPrediction() {
        QFETCH(int, rule);
        QFETCH(int, end);
        QFETCH(int, parametrization);
        const auto kind = Parametrization(parametrization);
        const Process p = made(rules[rule], 1000, ends[end]);
        for (const double tau : {p.maximum(), p.tauOfStep(998), p.tauOfStep(1), p.minimum()}) {
            const Conversion c = conversionAt(p, kind, tau);
            QVERIFY(std::isfinite(c.input) && std::isfinite(c.time) && std::isfinite(c.fromState)
                    && std::isfinite(c.fromOutput));
            const PredictionCoeffs f = predictionCoeffsAt(p, kind, tau);
            if (!std::isfinite(f.x0Coeff) || !std::isfinite(f.noiseCoeff)) {  // the boundary of a consistency model
                QCOMPARE(c.fromOutput, 0.0);
                continue;
            }
            const double x0 = 0.7, noise = -0.4, y = x0 + tau * noise, output = f.x0Coeff * x0 + f.noiseCoeff * noise,
                         got = c.fromState * y + c.fromOutput * output;
            // ε and score carry the data as a small difference of large numbers where there is hardly a signal.
            QVERIFY2(std::abs(got - x0) < 1e-12 * (1 + tau), qPrintable(QString::number(got, 'g', 16)));
        }
    }
};

QTEST_GUILESS_MAIN(TestNoiseEnds)
#include "tst_noise_ends.moc"
