// A program that ends in the middle: runs that waited come back in their order and start only when asked; an
// interrupted run goes on behind its last recorded evaluation and ends in the same bits; any run can be carried out
// again. MEANDER_WALK_ALL=1 interrupts every sampler at three places instead of one.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtTest>

#include "engine/project/continuation.h"
#include "engine/project/record_event.h"
#include "engine/sampling/sampling.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using fixture::Listener, fixture::planned, fixture::sameRecord;

namespace {

Recipe recipeFor(const std::string& sampler) {
    Recipe r;
    r.model = "analytic:ring8";
    r.images = 4;
    r.steps = 9;
    r.sampler = {sampler, {}};
    r.schedule = {"karras", {}};
    r.guidance.clear();
    if (const auto& s = *findSampler(sampler); s.needsData || s.inverts) r.start = {"data", {}};
    return r;
}

// Carries a submission out and records it.
std::shared_ptr<const Run> recorded(ProjectStore& store, Submission s) {
    Listener l;
    std::string id;
    {
        const auto keep = l.sink();
        Engine engine(fixture::onCpu(), [&](const RunEvent& e) {
            recordEvent(store, e);
            keep(e);
        });
        id = engine.submit(std::move(s));
        engine.waitIdle();
    }
    if (!store.flush().ok()) qFatal("not written");
    return l.result(id);
}

}  // namespace

class TestContinuation : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    int m_files = 0;
    std::string fresh() { return m_folder.filePath(QString("%1.meander").arg(++m_files)).toStdString(); }
    static std::unique_ptr<ProjectStore> opened(const std::string& path) {
        auto store = ProjectStore::open(path);
        if (!store) qFatal("%s", store.error().text.c_str());
        return std::move(*store);
    }

    // The file of a program that was killed after so many recorded evaluations of the run.
    std::string killedAfter(const Plan& p, int evaluations, const std::string& id) {
        const std::string path = fresh();
        auto store = std::move(*ProjectStore::create(path));
        int seen = 0;
        Engine engine(fixture::onCpu(), [&](const RunEvent& e) {
            if (e.kind == RunEventKind::Evaluated) ++seen;
            if (seen <= evaluations && (e.kind != RunEventKind::Finished)) recordEvent(*store, e);
        });
        engine.submit(Submission{.plan = p, .id = id, .number = 1});
        engine.waitIdle();
        if (!store->flush().ok()) qFatal("not written");
        return path;
    }

private slots:
    void interruptedRunsGoOn_data() {
        QTest::addColumn<QString>("sampler");
        for (const auto& s : samplers()) QTest::newRow(s.id.c_str()) << QString::fromStdString(s.id);
    }
    void interruptedRunsGoOn() {
        QFETCH(QString, sampler);
        const Recipe r = recipeFor(sampler.toStdString());
        const auto p = plan(r);
        if (!p) QSKIP(p.error().text.c_str());
        const auto right = fixture::carryOut(*p);
        if (right->status != RunStatus::Finished) QSKIP(right->problem.c_str());
        const int all = int(right->trajectory->evaluations.size());
        for (const int done : {1, all / 2, all - 1}) {
            if (done < 1 || done >= all) continue;
            if (done != all / 2 && !qEnvironmentVariableIsSet("MEANDER_WALK_ALL")) continue;
            const std::string id = newRunId();
            auto store = opened(killedAfter(*p, done, id));
            QCOMPARE(store->runs()->front().status, RunStatus::Interrupted);
            auto s = prepareRun(*store, id, Continuation::GoOn);
            QVERIFY2(s.ok(), s ? "" : s.error().text.c_str());
            const auto run = recorded(*store, std::move(*s));
            QVERIFY2(run && run->status == RunStatus::Finished, run ? run->problem.c_str() : "no end");
            QCOMPARE(run->id, id);
            QVERIFY2(sameRecord(*run, *right), qPrintable(QString("after %1 of %2").arg(done).arg(all)));
            QCOMPARE(run->evaluations, right->evaluations);
            // And so it is in the file, once.
            QCOMPARE(store->runs()->size(), 1u);
            const auto stored = store->loadRun(id);
            QVERIFY2(stored.ok(), stored ? "" : stored.error().text.c_str());
            QCOMPARE(stored->status, RunStatus::Finished);
            QVERIFY(sameRecord(*stored, *right));
            QVERIFY(store->damage(id)->empty());
        }
    }
    // Only what is missing costs the network anything.
    void goingOnCostsTheRest() {
        const Plan p = planned(recipeFor("dpmpp_2m"));
        const std::string id = newRunId();
        auto store = opened(killedAfter(p, 6, id));
        const auto run = recorded(*store, std::move(*prepareRun(*store, id, Continuation::GoOn)));
        QCOMPARE(run->networkCalls, int(run->trajectory->evaluations.size()) - 6);
    }
    void whatCannotGoOnSaysWhy() {
        const Plan p = planned(recipeFor("heun"));
        auto store = std::move(*ProjectStore::create(fresh()));
        const auto done = recorded(*store, Submission{.plan = p, .number = 4});
        const auto finished = prepareRun(*store, done->id, Continuation::GoOn);
        QVERIFY(!finished.ok() && finished.error().text.find("Run 4 is finished") == 0);
        QVERIFY(!prepareRun(*store, "nothing", Continuation::GoOn).ok());
        QVERIFY(!prepareRun(*store, done->id, Continuation::Start).ok());
    }
    void again() {
        const Plan p = planned(recipeFor("euler_ancestral"));
        auto store = std::move(*ProjectStore::create(fresh()));
        const auto first = recorded(*store, Submission{.plan = p, .number = 1});
        auto s = prepareRun(*store, first->id, Continuation::Again);
        QVERIFY(s.ok());
        s->number = 2;
        const auto second = recorded(*store, std::move(*s));
        QVERIFY(second->id != first->id && sameRecord(*first, *second));
        QCOMPARE(store->runs()->size(), 2u);
    }

    // kill −9 with one run in progress and three that wait.
    void waitingRunsSurvive() {
        const std::string path = fresh();
        const std::string ids[] = {newRunId(), newRunId(), newRunId(), newRunId()};
        const pid_t child = ::fork();
        if (child == 0) {
            auto store = ProjectStore::create(path);
            for (int i = 0; i < 4; ++i) {
                Recipe r = recipeFor("heun");
                r.seed = std::uint64_t(i);
                Run run = waitingRunOf(Submission{.plan = *plan(r), .id = ids[i], .number = i + 1});
                if (i == 0) run.status = RunStatus::Running;
                (*store)->beginRun(run);
            }
            (*store)->setWaitingOrder({ids[2], ids[3], ids[1]});
            static_cast<void>((*store)->flush());
            ::kill(::getpid(), SIGKILL);
        }
        ::waitpid(child, nullptr, 0);
        for (int look = 0; look < 2; ++look) {  // they wait on, however often the project is opened
            auto store = opened(path);
            const auto waiting = *store->waitingRuns();
            QCOMPARE(waiting.size(), 3u);
            QCOMPARE(waiting[0].id, ids[2]);
            QCOMPARE(waiting[1].id, ids[3]);
            QCOMPARE(waiting[2].id, ids[1]);
            QCOMPARE(store->runs()->front().status, RunStatus::Interrupted);
        }
        auto store = opened(path);
        auto s = prepareRun(*store, ids[3], Continuation::Start);
        QVERIFY2(s.ok(), s ? "" : s.error().text.c_str());
        QCOMPARE(s->plan.resolved.seed, std::uint64_t(3));
        const auto run = recorded(*store, std::move(*s));
        QCOMPARE(run->status, RunStatus::Finished);
        QCOMPARE(run->id, ids[3]);
        QCOMPARE(store->waitingRuns()->size(), 2u);
        QCOMPARE(store->runs()->size(), 4u);
    }

    // Nothing but the project itself lies in its folder after a clean end, whatever a kill left there.
    void noFilesAreLeftBeside() {
        QTemporaryDir folder;
        const std::string path = folder.filePath("a.meander").toStdString();
        for (const bool savesElsewhere : {false, true}) {
            const pid_t child = ::fork();
            if (child == 0) {
                auto store = ProjectStore::create(path, true);
                (*store)->beginRun(waitingRunOf(Submission{.plan = *plan(recipeFor("heun")), .id = newRunId()}));
                static_cast<void>((*store)->flush());
                // As if killed between the parts of a save.
                if (savesElsewhere)
                    for (const char* ending : {"-new", "-new-wal", "-new-shm", "-new-journal"})
                        QFile::copy(QString::fromStdString(path), QString::fromStdString(path + ending));
                ::kill(::getpid(), SIGKILL);
            }
            ::waitpid(child, nullptr, 0);
            QVERIFY(QFile::exists(QString::fromStdString(path + "-wal")));
            auto store = opened(path);
            QCOMPARE(store->waitingRuns()->size(), 1u);
            QVERIFY(store->close().ok());
            QCOMPARE(QDir(folder.path()).entryList(QDir::Files), QStringList{"a.meander"});
        }
    }
};

QTEST_GUILESS_MAIN(TestContinuation)
#include "tst_continuation.moc"
