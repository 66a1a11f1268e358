// A program that is killed at any moment: the project opens, runs that were reported safe are whole, others keep their
// steps.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtTest>
#include <map>
#include <set>

#include "engine/project/project_store.h"
#include "tests/engine/project/fake_run.h"

using namespace meander;

namespace {

// Ids and paths as lines: "run <id>", "path <path>". One write each, so that a line is whole or absent.
void tell(int pipe, const std::string& line) {
    const std::string text = line + "\n";
    if (::write(pipe, text.data(), text.size()) < 0) ::_exit(3);
}

// The child: streams runs, finishes some, edits the draft, saves under the other name now and then, until it is killed.
[[noreturn]] void work(const std::string& path, const std::string& other, int pipe, unsigned seed) {
    auto opened = ProjectStore::open(path);
    if (!opened) {
        tell(pipe, "problem " + opened.error().text);
        ::_exit(2);
    }
    auto& store = **opened;
    bool isOther = false;
    for (unsigned n = 0;; ++n) {
        const Run r = fake::finished(fake::run(seed * 1000 + n, 3, 1));
        store.beginRun(fake::begun(r));
        for (std::size_t k = 0; k < 3; ++k) {
            store.appendEvaluation(r.id, r.trajectory->evaluations[k]);
            store.appendStep(r.id, r.trajectory->steps[k]);
            if ((n + k) % 2 == 0)
                static_cast<void>(store.flush());  // so that a kill may fall between the steps of a run
        }
        store.autosaveDraft(r.recipe);
        store.finishRun(r, [pipe, id = r.id] { tell(pipe, "run " + id); });
        if (n % 3 == 2) static_cast<void>(store.flush());
        if (n % 5 == 4) {
            isOther = !isOther;
            tell(pipe, "saving");
            if (const Status s = store.saveAs(isOther ? other : path); !s) tell(pipe, "problem " + s.error().text);
            tell(pipe, "path " + store.path());
        }
        if (n % 7 == 6) store.saveDraft(r.recipe);
    }
}

struct Report {
    std::set<std::string> safe;
    std::string path;
    QStringList problems;
};

Report readAll(int pipe, const std::string& path) {
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(pipe, buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(n));
    Report r;
    r.path = path;
    for (const QString& line : QString::fromStdString(text).split('\n')) {
        if (line.startsWith("run ")) r.safe.insert(line.mid(4).toStdString());
        if (line.startsWith("path ")) r.path = line.mid(5).toStdString();
        if (line.startsWith("problem ")) r.problems << line;
    }
    return r;
}

}  // namespace

class TestKill : public QObject {
    Q_OBJECT
private slots:
    void killedAtRandomMoments() {
        QTemporaryDir folder;
        const auto path = folder.filePath("a.meander").toStdString(),
                   other = folder.filePath("b.meander").toStdString();
        std::mt19937 random(11);
        int finished = 0, interrupted = 0;
        for (unsigned round = 0; round < 100; ++round) {
            // A fresh project now and then keeps the test short; in between files are used again after their kill.
            if (round % 4 == 0) {
                QFile::remove(QString::fromStdString(other));
                QVERIFY(ProjectStore::create(path, true).value()->close().ok());
            }
            std::set<std::string> before;
            {
                auto store = std::move(*ProjectStore::open(path));
                const auto list = store->runs();
                for (const auto& r : *list)
                    if (r.status == RunStatus::Finished) before.insert(r.id);
            }
            int ends[2];
            QCOMPARE(::pipe(ends), 0);
            const pid_t child = ::fork();
            if (child == 0) {
                ::close(ends[0]);
                work(path, other, ends[1], round + 1);
            }
            ::close(ends[1]);
            if (round % 3 != 0) {  // the child is at work; else it may also be killed while it opens
                pollfd first{ends[0], POLLIN, 0};
                ::poll(&first, 1, 5'000);
            }
            ::usleep(1'000 + random() % 50'000);
            ::kill(child, SIGKILL);
            ::waitpid(child, nullptr, 0);
            const Report networkTau = readAll(ends[0], path);
            ::close(ends[0]);
            QVERIFY2(networkTau.problems.isEmpty(), qPrintable(networkTau.problems.join("\n")));

            // Runs are safe in the file that the store wrote last; a kill during saveAs leaves the former one complete.
            std::map<std::string, RunStatus> found;
            for (const auto& p : {path, other}) {
                if (!QFile::exists(QString::fromStdString(p))) continue;
                auto store = ProjectStore::open(p);
                QVERIFY2(store.ok(), store ? "" : store.error().text.c_str());
                QVERIFY2((*store)->note().empty(), (*store)->note().c_str());
                const auto runs = (*store)->runs();
                QVERIFY(runs.ok());
                std::set<std::string> here;
                for (const auto& r : *runs) {
                    QVERIFY(r.status == RunStatus::Finished || r.status == RunStatus::Interrupted);
                    const auto t = (*store)->loadTrajectory(r.id);
                    QVERIFY2(t.ok(), t ? "" : t.error().text.c_str());
                    QVERIFY(!(*t)->empty());
                    if (r.status == RunStatus::Finished) {
                        QCOMPARE((*t)->steps.size(), 3u);
                        here.insert(r.id);
                        ++finished;
                    } else {
                        ++interrupted;
                    }
                    if (found[r.id] != RunStatus::Finished) found[r.id] = r.status;
                }
                if (p == path)
                    for (const auto& id : before) QVERIFY(here.contains(id));
            }
            for (const auto& id : networkTau.safe)
                QVERIFY2(found.contains(id) && found[id] == RunStatus::Finished,
                         "a run that was reported safe is not there");
        }
        qInfo("%d finished and %d interrupted runs looked at", finished, interrupted);
        QVERIFY(finished > 0);
    }
};

QTEST_GUILESS_MAIN(TestKill)
#include "tst_kill.moc"
