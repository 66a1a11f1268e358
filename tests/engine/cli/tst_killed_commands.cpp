// meander-run killed at any moment: what --json announced as finished is in the project, what was interrupted goes on
// with --resume to the same end, and nothing is left beside the project. And files of others do not steer the terminal.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <QtTest>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include "engine/core/json.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/project/project_store.h"
#include "tests/engine/cli/child_command.h"

using namespace meander;
namespace fs = std::filesystem;

namespace {

using test::Command;

int call(std::vector<std::string> arguments, std::string* out = nullptr) {
    const Command c(std::move(arguments));
    const std::string text = c.read();
    if (out) *out = text;
    return c.wait();
}

}  // namespace

class TestKilledCommands : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string at(const std::string& name) { return m_folder.filePath(QString::fromStdString(name)).toStdString(); }
    std::string recipeFile(int steps) {
        Recipe r;
        r.model = "analytic:ring8";
        r.sampler = {"dpmpp_2m", {}};
        r.schedule = {"karras", {}};
        r.guidance.clear();
        r.steps = steps;
        r.images = 50;
        if (!writeRecipeFile(at("recipe.json"), r).ok()) qFatal("no recipe");
        return at("recipe.json");
    }
    QStringList besides() {
        QStringList files;
        for (const QString& f : QDir(m_folder.path()).entryList(QDir::Files))
            if (!f.endsWith(".meander") && !f.endsWith(".json")) files.append(f);
        return files;
    }

private slots:
    void announcedIsSafe() {
        const std::string recipe = recipeFile(60), path = at("kill.meander");
        std::mt19937 random(3);
        int announced = 0, resumed = 0;
        HostTensor right;
        QCOMPARE(call({"run", recipe, "--project", path, "--json"}), 0);
        {
            auto store = std::move(*ProjectStore::open(path));
            right = (*store->loadTrajectory(store->runs()->front().id))->last();
        }
        for (int round = 0; round < 30; ++round) {
            const Command c({"run", recipe, "--project", path, "--json"});
            ::usleep(useconds_t(2'000 + random() % 60'000));
            ::kill(c.pid, SIGKILL);
            std::istringstream lines(c.read());
            c.wait();
            std::set<std::string> safe;
            for (std::string line; std::getline(lines, line);) {
                const Json j = Json::parse(line, nullptr, false);
                if (j.is_object() && j["event"] == "finished") safe.insert(j["run"]);
            }
            announced += int(safe.size());
            int number = 0;
            {
                auto store = std::move(*ProjectStore::open(path));
                QVERIFY(store->note().empty());
                for (const Run& r : std::vector<Run>(*store->runs())) {
                    if (safe.contains(r.id)) QCOMPARE(r.status, RunStatus::Finished);
                    QVERIFY(store->damage(r.id)->empty());
                    if (r.status == RunStatus::Queued) number = r.number;
                    if (r.status == RunStatus::Interrupted && !(*store->loadTrajectory(r.id))->evaluations.empty())
                        number = r.number;
                }
                for (const auto& id : safe) QVERIFY(store->loadRun(id).ok());
            }
            QCOMPARE(besides(), QStringList());
            if (number == 0) continue;
            ++resumed;
            QCOMPARE(call({"run", path, "--resume", std::to_string(number)}), 0);
            auto store = std::move(*ProjectStore::open(path));
            const auto runs = *store->runs();
            const auto it = std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return r.number == number; });
            QVERIFY(it != runs.end() && it->status == RunStatus::Finished);
            QVERIFY((*store->loadTrajectory(it->id))->last().sameBits(right));
        }
        qInfo("%d runs announced, %d interrupted or waiting ones gone on with", announced, resumed);
        QVERIFY(resumed > 0);
    }

    // A run whose program was killed counts what its record holds.
    void killedRunsKeepTheirCounts() {
        const std::string path = at("counts.meander");
        for (int round = 0; round < 40; ++round) {
            const Command c({"run", recipeFile(5000), "--project", path, "--set", "images=3"});
            ::usleep(useconds_t(60'000 + 20'000 * round));
            ::kill(c.pid, SIGKILL);
            c.read();
            c.wait();
            if (!fs::exists(path)) continue;
            auto store = std::move(*ProjectStore::open(path));
            const std::vector<Run> runs = *store->runs();
            if (runs.empty() || runs.back().status != RunStatus::Interrupted) continue;
            const auto record = *store->loadTrajectory(runs.back().id);
            if (record->evaluations.empty()) continue;
            double milliseconds = 0;
            for (const auto& e : record->evaluations) milliseconds += e->milliseconds;
            QCOMPARE(runs.back().evaluations, int(record->evaluations.size()));
            QVERIFY(runs.back().seconds >= milliseconds / 1000 * (1 - 1e-9));
            QVERIFY(store->damage(runs.back().id)->empty());
            qInfo("%d evaluations counted", runs.back().evaluations);
            return;
        }
        QFAIL("No run was killed between its first evaluation and its end.");
    }

    // A run that the disk does not take is not announced, and nothing is promised that a program that ends cannot do.
    void fullDisk() {
        const std::string recipe = recipeFile(2000);
        for (const bool isJson : {true, false}) {
            const std::string path = at(isJson ? "full_json.meander" : "full.meander"), errors = at("errors.txt");
            std::vector<std::string> arguments{"run", recipe, "--project", path};
            if (isJson) arguments.emplace_back("--json");
            const int kept = ::dup(2), file = ::open(errors.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
            ::dup2(file, 2);
            const Command c(arguments, 400'000);
            const std::string out = c.read();
            const int status = c.wait();
            ::dup2(kept, 2);
            ::close(kept);
            ::close(file);
            QFile said(QString::fromStdString(errors));
            QVERIFY(said.open(QIODevice::ReadOnly));
            const QByteArray sentence = said.readAll();
            QCOMPARE(status, 1);
            QVERIFY2(!sentence.contains("tried again") && !sentence.contains("kept in memory"), sentence.constData());
            QVERIFY2(sentence.contains("not stored"), sentence.constData());
            QVERIFY2(out.find("finished") == std::string::npos, out.c_str());
            QVERIFY2(out.find(isJson ? "not_stored" : "not stored") != std::string::npos, out.c_str());
        }
    }

    void retry() {
        const std::string path = at("retry.meander");
        QCOMPARE(call({"run", recipeFile(5), "--project", path}), 0);
        QCOMPARE(call({"run", path, "--retry", "1"}), 0);
        auto store = std::move(*ProjectStore::open(path));
        const auto runs = *store->runs();
        QCOMPARE(runs.size(), 2u);
        QCOMPARE(runs[1].number, 2);
        QVERIFY((*store->loadTrajectory(runs[0].id))->last().sameBits((*store->loadTrajectory(runs[1].id))->last()));
        QVERIFY(store->close().ok());
        QCOMPARE(call({"run", path, "--resume", "1"}), 1);
        QCOMPARE(call({"run", path, "--resume", "7"}), 1);
        QCOMPARE(call({"run", path, "--retry", "1", "--branch", "1:2"}), 2);
        QCOMPARE(call({"run", path, "--resume", "1", "--branch", "1:2"}), 2);
        QCOMPARE(call({"run", path, "--resume", "1", "--retry", "1"}), 2);
    }

    void filesDoNotSteerTheTerminal() {
        const std::string evil = "\x1b[2J\x1b]0;owned\x07\x9b"
                                 "1m\u202eabc\r",
                          path = at("evil.meander");
        {
            auto store = std::move(*ProjectStore::create(path, true));
            Run r;
            r.id = newRunId();
            r.number = 1;
            r.name = evil;
            r.recipe.prompt = evil;
            r.recipe.sampler.id = evil;
            r.status = RunStatus::Failed;
            r.problem = evil;
            store->finishRun(r);
            QVERIFY(store->close().ok());
        }
        const auto harmless = [](const std::string& text) {
            return std::none_of(text.begin(), text.end(),
                                [](char c) {
                                    return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == '\x7f'
                                           || c == '\x9b';
                                })
                   && text.find("\u202e") == std::string::npos;
        };
        for (const std::vector<std::string>& arguments :
             {std::vector<std::string>{"inspect", path}, {"inspect", path, "--json"}, {"plan", path}}) {
            std::string out;
            call(arguments, &out);
            QVERIFY2(harmless(out), out.c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestKilledCommands)
#include "tst_killed_commands.moc"
