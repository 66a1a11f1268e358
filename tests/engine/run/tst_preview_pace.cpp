// Previews never hold up the sampler: however slow a codec is, it gets a twentieth of the run's time, and 30 images a
// second at most.
#include <QtTest>

#include "engine/run/preview_pace.h"

using namespace meander;
using namespace std::chrono_literals;

class TestPreviewPace : public QObject {
    Q_OBJECT
    // Of a run of `length` that offers a preview every `step`, each of which takes `cost`: how many are decoded, and
    // how long that takes.
    static std::pair<int, PreviewPace::Clock::duration> decoded(PreviewPace::Clock::duration length,
                                                                PreviewPace::Clock::duration step,
                                                                PreviewPace::Clock::duration cost) {
        PreviewPace pace;
        const auto start = PreviewPace::Clock::now();
        int count = 0;
        for (auto t = start; t < start + length; t += step)
            if (pace.isDue(t)) {
                pace.decoded(t, t + cost);
                t += cost;
                ++count;
            }
        return {count, count * cost};
    }

private slots:
    void fastCodec() {
        const auto [count, spent] = decoded(10s, 1ms, 100us);
        QVERIFY2(count > 250 && count <= 300, qPrintable(QString::number(count)));
    }
    void slowCodec() {
        for (const auto cost : {20ms, 100ms, 500ms, 2000ms}) {
            const auto [count, spent] = decoded(60s, 10ms, cost);
            QVERIFY(count >= 1);
            QVERIFY2(spent <= 60s / 20 + cost, qPrintable(QString("%1 of %2 ms").arg(count).arg(cost / 1ms)));
        }
    }
};

QTEST_GUILESS_MAIN(TestPreviewPace)
#include "tst_preview_pace.moc"
