// The queue: what goes first, pauses of all of it, pauses after a run, runs that are taken back.
#include <QtTest>
#include <thread>

#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using fixture::Listener;

namespace {

Recipe ring(int steps, const std::string& model = "analytic:ring8") {
    Recipe r;
    r.model = model;
    r.sampler = {"euler", {}};
    r.schedule = {"karras", {}};
    r.guidance.clear();
    r.steps = steps;
    r.images = 8;
    return r;
}

Submission submission(const Recipe& r, RunPriority priority = RunPriority::Ordinary) {
    return {.plan = fixture::planned(r), .priority = priority};
}

bool holds(std::function<bool()> condition) { return QTest::qWaitFor(std::move(condition), 60000); }

}  // namespace

class TestQueue : public QObject {
    Q_OBJECT
private slots:
    // Whatever its model and however many cells are in progress, an ordinary run starts at once and has the device
    // alone.
    void aRunNeverWaitsForASweep() {
        for (const char* model : {"analytic:ring8", "analytic:gaussian"}) {
            Listener l;
            EngineOptions options = fixture::onCpu();
            options.maximumConcurrentRuns = 4;
            Engine engine(options, l.sink());
            std::vector<Submission> cells;
            for (int i = 0; i < 12; ++i) cells.push_back(submission(ring(4000), RunPriority::Background));
            const auto ids = engine.submit(std::move(cells));
            QVERIFY(l.waitFor(ids[3], RunEventKind::Stepped));
            const std::string run = engine.submit(submission(ring(40, model)));
            QVERIFY(l.waitFor(run, RunEventKind::Finished));
            bool isBetween = false;
            int others = 0;
            for (const RunEvent& e : l.events()) {
                if (e.runId == run && e.kind == RunEventKind::Started) isBetween = true;
                else if (isBetween && e.runId != run && e.kind == RunEventKind::Evaluated) ++others;
                if (e.runId == run && e.kind == RunEventKind::Finished) break;
            }
            QCOMPARE(others, 0);
            for (const auto& id : ids) QVERIFY(!l.result(id));
            engine.cancelAll();
            engine.waitIdle();
        }
    }

    void waitingCellsStartAfterWaitingRuns() {
        Listener l;
        EngineOptions options = fixture::onCpu();
        options.maximumConcurrentRuns = 1;
        Engine engine(options, l.sink());
        engine.pauseQueue();
        std::vector<Submission> all;
        for (int i = 0; i < 3; ++i) all.push_back(submission(ring(3), RunPriority::Background));
        for (int i = 0; i < 3; ++i) all.push_back(submission(ring(3)));
        const auto ids = engine.submit(std::move(all));
        engine.move(ids[5], 0);
        engine.resumeQueue();
        engine.waitIdle();
        std::vector<std::string> started;
        for (const RunEvent& e : l.events())
            if (e.kind == RunEventKind::Started) started.push_back(e.runId);
        QCOMPARE(started, (std::vector<std::string>{ids[5], ids[3], ids[4], ids[0], ids[1], ids[2]}));
    }

    void aPausedQueueRests() {
        Listener l;
        Engine engine(fixture::onCpu(), l.sink());
        const auto first = engine.submit(submission(ring(3000)));
        QVERIFY(l.waitFor(first, RunEventKind::Stepped));
        engine.pauseQueue();
        QVERIFY(l.waitFor("", RunEventKind::QueuePaused));
        const auto second = engine.submit(submission(ring(3)));
        const int done = l.count(first, RunEventKind::Evaluated);
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        QCOMPARE(l.count(first, RunEventKind::Evaluated), done);
        QCOMPARE(l.count(second, RunEventKind::Started), 0);
        engine.step(first);  // a single evaluation goes on all the same
        QVERIFY(holds([&] { return l.count(first, RunEventKind::Evaluated) == done + 1; }));
        engine.resume(first);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        QCOMPARE(l.count(first, RunEventKind::Evaluated), done + 1);
        engine.resumeQueue();
        engine.waitIdle();
        QCOMPARE(l.result(first)->status, RunStatus::Finished);
        QCOMPARE(l.result(second)->status, RunStatus::Finished);
    }

    void pauseAfterARun() {
        Listener l;
        EngineOptions options = fixture::onCpu();
        options.maximumConcurrentRuns = 1;
        Engine engine(options, l.sink());
        engine.pauseQueue();
        const auto first = engine.submit(submission(ring(5))), second = engine.submit(submission(ring(5)));
        engine.pauseAfter(first);
        engine.resumeQueue();
        QVERIFY(l.waitFor(first, RunEventKind::Finished));
        QVERIFY(holds([&] { return l.count("", RunEventKind::QueuePaused) == 2; }));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        QCOMPARE(l.count(second, RunEventKind::Started), 0);
        engine.resumeQueue();
        engine.waitIdle();
        QCOMPARE(l.result(second)->status, RunStatus::Finished);
        // It was for that one time.
        QCOMPARE(l.count("", RunEventKind::QueuePaused), 2);
    }

    void aRunIsTakenBackOnlyBeforeItBegins() {
        Listener l;
        Engine engine(fixture::onCpu(), l.sink());
        const auto first = engine.submit(submission(ring(2000)));
        QVERIFY(l.waitFor(first, RunEventKind::Stepped));
        engine.withdraw(first);
        const auto second = engine.submit(submission(ring(3, "analytic:gaussian")));  // waits: another model
        engine.withdraw(second);
        QVERIFY(l.waitFor(second, RunEventKind::Cancelled));
        QVERIFY(!l.result(second)->trajectory);
        engine.waitIdle();
        QCOMPARE(l.result(first)->status, RunStatus::Finished);
    }
};

QTEST_GUILESS_MAIN(TestQueue)
#include "tst_queue.moc"
