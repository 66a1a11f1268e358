// The project file: what goes in comes out, in order, after a crash too; other files, newer files and second programs
// get a sentence.
#include <sqlite3.h>
#include <sys/resource.h>

#include <QtTest>
#include <csignal>
#include <filesystem>
#include <mutex>

#include "engine/project/project_store.h"
#include "engine/project/schema.h"
#include "tests/engine/project/fake_run.h"

using namespace meander;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<ProjectStore> opened(const std::string& path) {
    auto r = ProjectStore::open(path);
    if (!r) {
        qWarning("%s | %s", r.error().text.c_str(), r.error().detail.c_str());
        return nullptr;
    }
    return std::move(*r);
}

void sql(const std::string& path, const char* text) {
    sqlite3* db = nullptr;
    QCOMPARE(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    QCOMPARE(sqlite3_exec(db, text, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
}

// A store with its program gone: the thread, the locks and the file handles end without a close.
void stream(ProjectStore& store, const Run& r, int evaluations, int steps) {
    store.beginRun(fake::begun(r));
    for (int k = 0; k < evaluations; ++k) {
        store.appendEvaluation(r.id, r.trajectory->evaluations[std::size_t(k)]);
        if (k < steps) store.appendStep(r.id, r.trajectory->steps[std::size_t(k)]);
    }
}

}  // namespace

class TestProjectStore : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    int m_number = 0;
    std::string fresh() { return m_folder.filePath(QString("p%1.meander").arg(++m_number)).toStdString(); }

private slots:
    void runsRoundTrip() {
        const auto path = fresh();
        const Run a = fake::finished(fake::run(1)), b = fake::finished(fake::run(2, 7, 1));
        {
            auto store = std::move(*ProjectStore::create(path));
            stream(*store, a, 4, 4);
            store->finishRun(a);
            store->finishRun(b);  // nothing appended before: all of it is in the run
            QVERIFY(store->close().ok());
        }
        QVERIFY(!fs::exists(path + "-wal"));
        QVERIFY(!fs::exists(path + "-lock"));
        auto store = opened(path);
        QVERIFY(store);
        QVERIFY(store->note().empty());
        const auto runs = store->runs();
        QVERIFY(runs.ok());
        QCOMPARE(runs->size(), 2u);
        for (const auto& [found, put] : {std::pair{(*runs)[0], a}, std::pair{(*runs)[1], b}}) {
            QCOMPARE(found.id, put.id);
            QCOMPARE(found.status, RunStatus::Finished);
            QVERIFY(found.recipe == put.recipe);
            QCOMPARE(found.evaluations, put.evaluations);
            QCOMPARE(found.model.name, put.model.name);
            QCOMPARE(found.model.process.name(), put.model.process.name());
            QVERIFY(std::abs(found.model.process.maximum() / put.model.process.maximum() - 1) < 1e-9);
            QVERIFY(found.model.state.shape == put.model.state.shape);
            QVERIFY(!found.trajectory && !found.images);
            const auto t = store->loadTrajectory(put.id);
            QVERIFY(t.ok());
            QVERIFY(fake::same(**t, *put.trajectory));
            QVERIFY(store->loadImages(put.id)->sameBits(put.images));
        }
        QVERIFY(!store->loadTrajectory("nobody").ok());
    }

    void unfinishedRunsAreInterrupted() {
        const auto path = fresh();
        const Run a = fake::run(3), b = fake::run(4);
        {
            auto store = std::move(*ProjectStore::create(path));
            stream(*store, a, 3, 2);
            stream(*store, b, 0, 0);
        }
        auto store = opened(path);
        const auto runs = *store->runs();
        QCOMPARE(runs.size(), 2u);
        QCOMPARE(runs[0].status, RunStatus::Interrupted);
        const auto t = *store->loadTrajectory(a.id);
        QCOMPARE(t->evaluations.size(), 3u);
        QCOMPARE(t->steps.size(), 2u);
        QVERIFY(t->last().sameBits(a.trajectory->steps[1]->state));
        QVERIFY((*store->loadTrajectory(b.id))->initial.sameBits(b.trajectory->initial));
    }

    void equalStatesAreStoredOnce() {
        const auto path = fresh();
        Run a = fake::finished(fake::run(5, 8, 4, 24));
        {
            auto store = std::move(*ProjectStore::create(path));
            store->finishRun(a);
        }
        // 8 steps: 1 initial, 8 denoised, 16 branches, 8 states; the requests are the states again. 4·24·24·3 floats
        // hardly pack below 24 KiB.
        const auto size = fs::file_size(path);
        QVERIFY2(size < 34u * 26 * 1024 + 300 * 1024, qPrintable(QString::number(size)));
    }

    void labelsRemovalAndRestoring() {
        const auto path = fresh();
        const Run a = fake::finished(fake::run(6)), b = fake::finished(fake::run(7)), c = fake::finished(fake::run(8));
        {
            auto store = std::move(*ProjectStore::create(path));
            for (const auto& r : {a, b, c}) store->finishRun(r);
            store->updateRun(b.id, "the good one", true);
            store->removeRun(a.id);
            store->removeRun(c.id);
            QCOMPARE(store->runs()->size(), 1u);
            store->restoreRun(c.id);
            QCOMPARE(store->runs()->size(), 2u);
            QVERIFY(store->close().ok());
            QVERIFY(store->close().ok());
        }
        auto store = opened(path);
        store->restoreRun(a.id);  // too late: it is gone
        const auto runs = *store->runs();
        QCOMPARE(runs.size(), 2u);
        QCOMPARE(runs[0].name, std::string("the good one"));
        QVERIFY(runs[0].pinned);
        QCOMPARE(runs[1].id, c.id);
        QVERIFY(!store->loadTrajectory(a.id).ok());
    }

    void draftsAndNames() {
        const auto path = fresh();
        Recipe saved, later;
        saved.prompt = "saved";
        later.prompt = "autosaved";
        {
            auto store = std::move(*ProjectStore::create(path));
            QVERIFY(!store->draft());
            store->saveDraft(saved);
            store->autosaveDraft(later);
            store->setName("My tour");
        }
        {
            auto store = opened(path);
            QVERIFY(*store->draft() == saved);
            QVERIFY(*store->recoverableDraft() == later);
            QCOMPARE(store->info().name, std::string("My tour"));
            QVERIFY(store->info().created.size() > 10);
            QVERIFY(!store->info().program.empty());
        }
        {
            auto store = opened(path);  // still there: nobody saved
            QVERIFY(*store->recoverableDraft() == later);
            store->saveDraft(later);
            QVERIFY(!store->recoverableDraft());
        }
        auto store = opened(path);
        QVERIFY(*store->draft() == later);
        QVERIFY(!store->recoverableDraft());
    }

    void savingElsewhere() {
        const auto path = fresh(), other = fresh(), copy = fresh();
        const Run a = fake::finished(fake::run(9)), b = fake::finished(fake::run(10)),
                  c = fake::finished(fake::run(11));
        auto store = std::move(*ProjectStore::create(path));
        store->finishRun(a);
        store->finishRun(b);
        store->removeRun(b.id);
        QVERIFY(store->copyTo(copy).ok());
        QVERIFY(store->saveAs(other).ok());
        QCOMPARE(store->path(), other);
        QVERIFY(!fs::exists(path + "-wal"));
        store->finishRun(c);
        store->restoreRun(b.id);
        QCOMPARE(store->runs()->size(), 3u);
        QVERIFY(!store->saveAs("/nowhere/at/all.meander").ok());
        QVERIFY(store->close().ok());
        QCOMPARE(opened(path)->runs()->size(), 1u);
        QCOMPARE(opened(copy)->runs()->size(), 1u);
        auto second = opened(other);
        QCOMPARE(second->runs()->size(), 3u);
        QVERIFY(fake::same(**second->loadTrajectory(c.id), *c.trajectory));
        QVERIFY(!fs::exists(other + "-new"));
    }

    void secondProgramGetsASentence() {
        const auto path = fresh(), other = fresh();
        auto store = std::move(*ProjectStore::create(path));
        const auto again = ProjectStore::open(path);
        QVERIFY(!again.ok());
        QVERIFY(again.error().text.find("open in another Meander") != std::string::npos);
        auto second = std::move(*ProjectStore::create(other));
        QVERIFY(!second->saveAs(path).ok());
        QVERIFY(!ProjectStore::create(path, true).ok());
        QVERIFY(store->close().ok());
        QVERIFY(ProjectStore::open(path).ok());
        QVERIFY(!ProjectStore::create(path).ok());
    }

    void foreignAndNewerFiles() {
        const auto path = fresh(), newer = fresh();
        for (const char* content : {"", "hello", "SQLite format 3"}) {
            QFile f(QString::fromStdString(path));
            QVERIFY(f.open(QIODevice::WriteOnly));
            f.write(content);
            f.close();
            const auto r = ProjectStore::open(path);
            QVERIFY(!r.ok());
            QVERIFY(!r.error().text.empty());
        }
        fs::remove(path);
        sql(path, "CREATE TABLE t(a)");
        auto r = ProjectStore::open(path);
        QVERIFY(!r.ok());
        QVERIFY2(r.error().text.find("another program") != std::string::npos, r.error().text.c_str());
        ProjectStore::create(newer).value()->close().ok();
        sql(newer, "UPDATE meta SET value = '9.9' WHERE key = 'program'; PRAGMA user_version = 77");
        r = ProjectStore::open(newer);
        QVERIFY(!r.ok());
        QVERIFY2(r.error().text.find("9.9") != std::string::npos && r.error().text.find("77") != std::string::npos,
                 r.error().text.c_str());
        QVERIFY(!ProjectStore::open("/nowhere.meander").ok());
        QVERIFY(!ProjectStore::open(m_folder.path().toStdString()).ok());
    }

    void fullDiskLosesNothing() {
        const auto path = fresh(), other = fresh();
        const Run a = fake::finished(fake::run(12)), big = fake::finished(fake::run(13, 6, 4, 32));
        auto store = std::move(*ProjectStore::create(path));
        std::mutex m;
        std::vector<std::string> problems;
        store->setOnProblem([&](const Error& e) {
            const std::lock_guard lock(m);
            problems.push_back(e.text);
        });
        store->finishRun(a);
        QVERIFY(store->flush().ok());
        // The process may not write past this size any more: what a full disk looks like.
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit old{}, tight{};
        getrlimit(RLIMIT_FSIZE, &old);
        tight = old;
        tight.rlim_cur = 400'000;
        setrlimit(RLIMIT_FSIZE, &tight);
        store->finishRun(big);
        const Status s = store->flush();
        QVERIFY(!s.ok());
        QVERIFY2(s.error().text.find("full") != std::string::npos, s.error().text.c_str());
        {
            const std::lock_guard lock(m);
            QCOMPARE(problems.size(), 1u);
        }
        QCOMPARE(store->runs()->size(), 1u);
        QVERIFY(!store->close().ok());
        setrlimit(RLIMIT_FSIZE, &old);
        QVERIFY(store->saveAs(other).ok());
        QCOMPARE(store->runs()->size(), 2u);
        QVERIFY(store->close().ok());
        QVERIFY(fake::same(**opened(other)->loadTrajectory(big.id), *big.trajectory));
        QCOMPARE(opened(path)->runs()->size(), 2u);  // tried once more before it was left
    }

    // What can never be written is given up, so that the rest goes on; whoever waits for it is told, once.
    void whatCannotBeWrittenIsTold() {
        const auto path = fresh();
        const Run a = fake::finished(fake::run(14)), b = fake::finished(fake::run(15));
        QVERIFY(std::move(*ProjectStore::create(path))->close().ok());
        auto store = opened(path);
        store->finishRun(a);
        QVERIFY(store->flush().ok());
        sql(path, "DROP TABLE tensor");
        store->finishRun(b);
        const Status s = store->flush();
        QVERIFY(!s.ok());
        QVERIFY2(QString::fromStdString(s.error().text).startsWith("Cannot write '"), s.error().text.c_str());
        QVERIFY2(s.error().text.find("kept in memory") == std::string::npos, s.error().text.c_str());
        QVERIFY(store->flush().ok());
    }

    void commitIsTold() {
        auto store = std::move(*ProjectStore::create(fresh()));
        std::atomic<int> networkTau = 0;
        for (unsigned i = 0; i < 5; ++i)
            store->finishRun(fake::finished(fake::run(20 + i, 2, 1)), [&] { ++networkTau; });
        QVERIFY(store->flush().ok());
        QTRY_COMPARE(networkTau.load(), 5);
    }

    void manyThreads() {
        const auto path = fresh();
        auto store = std::move(*ProjectStore::create(path));
        std::vector<std::thread> threads;
        for (unsigned n = 0; n < 4; ++n)
            threads.emplace_back([&, n] {
                for (unsigned i = 0; i < 5; ++i) {
                    const Run r = fake::finished(fake::run(100 + 10 * n + i, 3, 1));
                    stream(*store, r, 3, 3);
                    store->finishRun(r);
                    const auto t = store->loadTrajectory(r.id);
                    if (!t || !fake::same(**t, *r.trajectory)) qFatal("a run changed on its way");
                }
            });
        for (auto& t : threads) t.join();
        QCOMPARE(store->runs()->size(), 20u);
    }

    void storedFileOfVersion1() {
        const auto path = fresh();
        fs::copy_file(MEANDER_SOURCE_DIR "/tests/engine/project/data/version1.meander", path);
        fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
        auto store = opened(path);
        QVERIFY(store);
        const auto runs = *store->runs();
        QCOMPARE(runs.size(), 2u);
        QCOMPARE(runs[0].status, RunStatus::Finished);
        QCOMPARE(runs[1].status, RunStatus::Interrupted);
        QCOMPARE(runs[0].recipe.prompt, std::string("a red circle \"above\" a blue square, ünïcode"));
        const auto t = store->loadTrajectory(runs[0].id);
        QVERIFY(t.ok());
        QCOMPARE((*t)->evaluations.size(), 3u);
        QCOMPARE((*t)->steps.size(), 3u);
        QCOMPARE((*t)->evaluations[0]->attention[0][1].probabilities.shape().text(), std::string("(4, 6, 6, 5)"));
        QCOMPARE((*store->loadTrajectory(runs[1].id))->steps.size(), 1u);
        QCOMPARE(store->draft()->prompt, std::string("stored draft"));
    }

    // A file of every version before the newest opens whole and is as one of the newest.
    void storedFiles() {
        for (int v = 1; v < newestProjectVersion(); ++v) {
            const std::string name = "version" + std::to_string(v) + ".meander", path = fresh();
            std::error_code error;
            fs::copy_file(MEANDER_SOURCE_DIR "/tests/engine/project/data/" + name, path, error);
            QVERIFY2(!error, (name + " is missing: let the version before write it (makeStoredFile)").c_str());
            fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
            auto store = opened(path);
            QVERIFY2(store && store->note().empty(), name.c_str());
            const auto runs = *store->runs();
            QVERIFY2(!runs.empty(), name.c_str());
            for (const Run& r : runs) {
                QVERIFY2(store->damage(r.id)->empty(), name.c_str());
                QVERIFY2(!(*store->loadTrajectory(r.id))->steps.empty(), name.c_str());
            }
            // What is written now lies beside what was there.
            store->finishRun(fake::finished(fake::run(50, 3, 1)));
            QVERIFY(store->flush().ok());
            QCOMPARE(store->runs()->size(), runs.size() + 1);
        }
    }

    void makeStoredFile() {  // not a test: MEANDER_MAKE_STORED=file makes the file of the newest version
        const auto target = qEnvironmentVariable("MEANDER_MAKE_STORED").toStdString();
        if (target.empty()) QSKIP("only on request");
        auto store = std::move(*ProjectStore::create(target, true));
        store->finishRun(fake::finished(fake::run(1, 3, 1)));
        stream(*store, fake::run(2, 3, 1), 2, 1);
        Recipe draft;
        draft.prompt = "stored draft";
        store->saveDraft(draft);
        QVERIFY(store->close().ok());
    }
};

QTEST_GUILESS_MAIN(TestProjectStore)
#include "tst_project_store.moc"
