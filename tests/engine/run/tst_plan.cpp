// What a plan says before anything runs: what will be ignored, what cannot be known, what does not exist, and how much
// memory it takes.
#include <QtTest>

#include "tests/engine/run/engine_fixture.h"

using namespace meander;

namespace {

Recipe sprites() {
    Recipe r = recommendedRecipe(*inspectModel("builtin:sprites-unet"));
    r.prompt = "a red circle above a blue square on a green background";
    r.steps = 3;
    return r;
}

QStringList notesOf(const Result<Plan>& p, const std::string& key) {
    QStringList notes;
    for (const PlanNote& n : p->notes)
        if (n.key == key) notes.append(QString::fromStdString(n.text));
    return notes;
}

}  // namespace

class TestPlan : public QObject {
    Q_OBJECT
private slots:
    void tooLongPromptsAreTold() {
        Recipe r = sprites();
        auto p = plan(r);
        QVERIFY(p.ok());
        QVERIFY(notesOf(p, "prompt").isEmpty());
        // Words of the vocabulary, one token each: 24 hold start, 22 words and end.
        r.prompt = "a red circle above a blue square on a green background a red circle above a blue square on a green "
                   "background";
        p = plan(r);
        QVERIFY(p.ok());
        QVERIFY2(notesOf(p, "prompt").isEmpty(), qPrintable(notesOf(p, "prompt").join('\n')));
        r.prompt += " red circle";
        p = plan(r);
        QCOMPARE(notesOf(p, "prompt"), QStringList("The prompt is longer than the 24 tokens that Sprites U-Net reads: "
                                                   "after \"a green background\" the last 2 words are ignored."));
        r.negativePrompt = std::exchange(r.prompt, "a red circle");
        p = plan(r);
        QVERIFY(notesOf(p, "prompt").isEmpty());
        QCOMPARE(notesOf(p, "negative_prompt").size(), 1);
    }

    void stepsThatAreChosenOnTheWay() {
        Recipe r = sprites();
        QVERIFY(notesOf(plan(r), "sampler").isEmpty());
        r.sampler = {"dpm_adaptive", {}};
        QVERIFY(notesOf(plan(r), "sampler").join(' ').contains("chooses its own steps"));
    }

    void devicesThatDoNotExist() {
        Recipe r = sprites();
        for (const char* good : {"auto", "cpu", "cuda:0", "cuda:3"}) {
            r.device = good;
            QVERIFY2(plan(r).ok(), good);
        }
        for (const char* bad : {"", "cpu9", "cuda", "cuda:", "cuda:x", "gpu"}) {
            r.device = bad;
            const auto p = plan(r);
            QVERIFY2(!p.ok(), bad);
            QVERIFY2(p.error().text.find("Choose auto, cpu") != std::string::npos, p.error().text.c_str());
        }
    }

    void tooManyImages() {
        Recipe r = sprites();
        r.images = mostImages(StateSpec()) + 1;
        QCOMPARE(plan(r).error().text, std::string("The number of images must lie between 1 and 256."));
        Recipe ring = recommendedRecipe(*inspectModel("analytic:ring8"));
        ring.images = 1000;
        QVERIFY(plan(ring).ok());
    }

    // The estimate is for somebody who wonders whether it fits: within a factor of two of what the run takes.
    void memoryIsNearWhatTheRunTakes_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("images");
        for (const char* model : {"builtin:sprites-unet", "builtin:sprites-dit"})
            for (int images : {4, 64}) QTest::addRow("%s, %d", model, images) << QString(model) << images;
    }
    void memoryIsNearWhatTheRunTakes() {
        QFETCH(QString, model);
        QFETCH(int, images);
        Recipe r = recommendedRecipe(*inspectModel(model.toStdString()));
        r.images = images;
        r.steps = 2;
        r.attention = AttentionLevel::Off;
        r.recordStates = false;
        const auto p = plan(r);
        QVERIFY(p.ok());
        std::mutex mutex;
        std::shared_ptr<const Run> run;
        int planned = 0;
        Engine engine({"cpu"}, [&](const RunEvent& e) {
            const std::lock_guard lock(mutex);
            if (e.kind == RunEventKind::Finished) run = e.run;
            if (e.kind == RunEventKind::Evaluated) planned = e.evaluations;
        });
        engine.submit(*p);
        engine.waitIdle();
        const std::lock_guard lock(mutex);
        QVERIFY(run);
        const double ratio = double(p->bytes) / double(run->peakBytes);
        QVERIFY2(ratio > 0.5 && ratio < 2,
                 qPrintable(QString("planned %1, took %2").arg(p->bytes).arg(run->peakBytes)));
        // One count of evaluations everywhere: 2 steps with both branches of guidance.
        QCOMPARE(planned, p->evaluations);
        QCOMPARE(run->evaluations, p->evaluations);
    }

    // Known after one run, the time of other sizes and numbers of steps is right within a factor.
    void timesAreNearWhatRunsTake_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("first");
        QTest::addColumn<int>("second");
        // One model a row: what the rows before have measured must not help.
        const auto row = [](const char* model, int first, int second) {
            QTest::addRow("%s, %d, then %d", model, first, second) << model << first << second;
        };
        row("analytic:ring8", 1, 2000);
        row("analytic:two-classes", 2000, 1);
        row("analytic:gaussian2", 512, 1024);
        row("builtin:flow2d-moons", 1, 2000);
        row("builtin:flow2d-spiral", 2000, 1);
        row("builtin:flow2d-checkerboard", 512, 1024);
        row("builtin:sprites-unet", 1, 6);
        row("builtin:sprites-dit", 6, 1);
    }
    void timesAreNearWhatRunsTake() {
        QFETCH(QString, model);
        QFETCH(int, first);
        QFETCH(int, second);
        Recipe r = recommendedRecipe(*inspectModel(model.toStdString()));
        r.attention = AttentionLevel::Off;
        const auto secondsOf = [&](int images, int steps) {
            r.images = images;
            r.steps = steps;
            const Plan p = fixture::planned(r);
            return std::pair(p.seconds, fixture::carryOut(p)->seconds);
        };
        // Another program's turn on the processor is not the plan's fault: one quiet moment of several is enough.
        QString said;
        for (int attempt = 0; attempt < 5; ++attempt) {
            secondsOf(first, 8);
            secondsOf(first, 8);
            const auto [planned, once] = secondsOf(second, 20);
            const double took = std::min({once, secondsOf(second, 20).second, secondsOf(second, 20).second});
            QVERIFY(planned > 0);
            said += QStringLiteral(" planned %1 s, took %2 s;").arg(planned).arg(took);
            if (std::max(planned / took, took / planned) < 4 || std::abs(planned - took) < 0.03) return;
        }
        QFAIL(qPrintable(said));
    }
};

QTEST_GUILESS_MAIN(TestPlan)
#include "tst_plan.moc"
