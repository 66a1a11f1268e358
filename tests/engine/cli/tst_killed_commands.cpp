// meander-run killed at any moment: what --json announced as finished is in the project, what was interrupted goes on
// with --resume to the same end, and nothing is left beside the project. And files of others do not steer the terminal.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtTest>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include "engine/cli/cli.h"
#include "engine/core/json.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/project/project_store.h"

using namespace meander;
namespace fs = std::filesystem;

namespace {

// A command in a process of its own, whose output is read through a pipe.
struct Command {
    pid_t pid = 0;
    int output = -1;

    explicit Command(std::vector<std::string> arguments) {
        int ends[2];
        if (::pipe(ends) != 0) qFatal("no pipe");
        pid = ::fork();
        if (pid == 0) {
            ::dup2(ends[1], 1);
            ::close(ends[0]);
            arguments.insert(arguments.begin(), "meander-run");
            std::vector<char*> argv;
            for (auto& a : arguments) argv.push_back(a.data());
            ::_exit(cli::run(int(argv.size()), argv.data()));
        }
        ::close(ends[1]);
        output = ends[0];
    }
    std::string read() const {
        std::string text;
        char buffer[4096];
        for (ssize_t n; (n = ::read(output, buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(n));
        ::close(output);
        return text;
    }
    int wait() const {
        int status = 0;
        ::waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
};

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
