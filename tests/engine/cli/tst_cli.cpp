// The command line end to end on exact models, in this process.
#include <QtTest>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <thread>

#include "engine/cli/cli.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/recipe_input.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/project/project_store.h"
#include "engine/sampling/sampling.h"
#include "tests/engine/cli/command_line.h"

using namespace meander;
using test::call;

class TestCli : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string at(const char* name) { return m_folder.filePath(name).toStdString(); }
    std::string ringRecipe(int steps = 6, int images = 16) {
        Recipe r;
        r.model = "analytic:ring8";
        r.sampler = {"heun", {}};
        r.steps = steps;
        r.images = images;
        if (!writeRecipeFile(at("ring.json"), r).ok()) qFatal("no recipe");
        return at("ring.json");
    }

private slots:
    void settings() {
        Recipe r;
        for (const char* s : {"steps=12", "seed=18446744073709551615", "sampler=heun", "schedule=karras",
                              "schedule.rho=5", "guidance.scale=3", "prompt=a = b", "images=4", "attention=off"})
            cli::applySet(r, s);
        QCOMPARE(r.steps, 12);
        QCOMPARE(r.seed, std::numeric_limits<std::uint64_t>::max());
        QCOMPARE(r.sampler.id, std::string("heun"));
        QCOMPARE(std::get<double>(r.schedule.params.at("rho")), 5.0);
        QCOMPARE(std::get<double>(r.guidance.at(0).params.at("scale")), 3.0);
        QCOMPARE(r.prompt, std::string("a = b"));
        cli::applySet(r, "guidance=none");
        QVERIFY(r.guidance.empty());
        const std::pair<const char*, const char*> wrong[] = {{"stepz=3", "\"steps\""},
                                                             {"steps=many", "number"},
                                                             {"schedule.rhoo=3", "\"rho\""},
                                                             {"guidance.cgf.scale=3", "\"cfg\""},
                                                             {"novalue", "KEY=VALUE"}};
        for (const auto& [assignment, hint] : wrong) {
            try {
                cli::applySet(r, assignment);
                QFAIL(assignment);
            } catch (const Failure& e) {
                QVERIFY2(std::string(e.what()).find(hint) != std::string::npos, e.what());
            }
        }
    }

    // The levels that are listed are those that the run steps on, whoever chooses them.
    void levelsOfAPlan() {
        for (const SamplerInfo& sampler : samplers()) {
            if (!sampler.freeSteps) continue;
            const std::vector<std::string> recipe{ringRecipe(7), "--set", "sampler=" + sampler.id, "--json"};
            std::vector<std::string> plan = recipe, run = recipe;
            plan.insert(plan.begin(), "plan");
            run.insert(run.begin(), "run");
            const std::string project = at((sampler.id + ".meander").c_str());
            run.insert(run.end(), {"--project", project});
            const auto planned = Json::parse(call(plan).out)["levels"].get<std::vector<double>>();
            QCOMPARE(call(run).status, 0);
            auto store = std::move(*ProjectStore::open(project));
            const auto visited = (*store->loadTrajectory(store->runs()->front().id))->levels;
            QCOMPARE(planned.front(), visited.front());
            QCOMPARE(planned.back(), visited.back());
            if (sampler.id == "dpm_fast") QVERIFY(planned == visited);
            else QVERIFY(planned.size() == 2);  // known afterwards
        }
    }

    // Every row of a project tells what it is: model, branch, start, and what differs from an equal one.
    void rowsOfAProject() {
        const std::string project = at("rows.meander");
        const auto run = [&](std::vector<std::string> more) {
            more.insert(more.begin(), "run");
            const auto e = call(std::move(more));
            QVERIFY2(e.status == 0, e.err.c_str());
        };
        for (const char* space : {"torus", "sphere", "hyperboloid"})
            run({"--set", std::string("model=analytic:") + space, "--set", "images=8", "--set", "steps=4", "--project",
                 project});
        const std::string ring = ringRecipe();
        run({ring, "--project", project});
        run({ring, "--project", project, "--set", "seed=7"});
        run({ring, "--project", project});
        run({project, "--branch", "4:3"});
        run({ring, "--project", project, "--set", "start=run:run=4:strength=0.5"});
        const auto e = call({"inspect", project});
        QCOMPARE(e.status, 0);
        for (const char* words : {"analytic:torus", "analytic:sphere", "analytic:hyperboloid", "Seed 7", "as run 4",
                                  "branch of run 4 from step 3", "starts from run 4"})
            QVERIFY2(e.out.find(words) != std::string::npos, (std::string(words) + "\n" + e.out).c_str());
        std::istringstream lines(e.out);
        std::set<std::string> rows;
        int count = 0;
        for (std::string line; std::getline(lines, line); ++count) rows.insert(line.substr(line.find("  ")));
        QCOMPARE(int(rows.size()), count);
        // A branch of a recipe that starts elsewhere says that its start is not used.
        const auto both = call({"plan", project, "--branch", "4:3", "--set", "start=run:run=5:strength=0.5"});
        QVERIFY2(both.status == 0 && both.out.find("own start is not used") != std::string::npos,
                 (both.out + both.err).c_str());
        const auto row = call({"schedule", "custom", "--set", "values=5,2,1", "--steps", "7", "--row"});
        QVERIFY2(row.status == 0 && row.err.find("instead of 7") != std::string::npos, row.err.c_str());
    }

    void tablesAndHelp() {
        for (const char* what : {"samplers", "schedules", "guidance", "models"}) {
            const auto plain = call({"list", what}), json = call({"list", what, "--json"});
            QCOMPARE(plain.status, 0);
            std::istringstream lines(json.out);
            int n = 0;
            for (std::string line; std::getline(lines, line); ++n) QVERIFY(Json::parse(line).contains("id"));
            QVERIFY(n > 0);
        }
        QVERIFY(call({"--help"}).out.find("sample-project") != std::string::npos);
        QVERIFY(call({"--version"}).out.find("Meander") != std::string::npos);
        for (const char* c : {"run", "sweep", "plan", "inspect", "list", "verify", "bench", "export", "fidelity",
                              "likelihood", "sample-project"})
            QCOMPARE(call({c, "--help"}).status, 0);
    }

    void wrongArguments() {
        QCOMPARE(call({}).status, 2);
        auto a = call({"rum"});
        QCOMPARE(a.status, 2);
        QVERIFY2(a.err.find("\"run\"") != std::string::npos, a.err.c_str());
        a = call({"list", "sampler"});
        QCOMPARE(a.status, 2);
        QVERIFY(a.err.find("\"samplers\"") != std::string::npos);
        QCOMPARE(call({"run", "/nowhere.json"}).status, 1);
        QCOMPARE(call({"run"}).status, 2);
        a = call({"run", ringRecipe(), "--set", "sampler=heum"});
        QCOMPARE(a.status, 2);
        QVERIFY2(a.err.find("heun") != std::string::npos, a.err.c_str());
        QCOMPARE(std::count(a.err.begin(), a.err.end(), '\n'), 1);
        std::ofstream(at("typo.json")) << "{\n \"steps\": 12,,\n}\n";
        a = call({"run", at("typo.json")});
        QVERIFY2(a.status == 1 && a.err.find("line 2, column 14") != std::string::npos, a.err.c_str());
    }

    void wrongValues() {
        const auto ring = ringRecipe();
        const std::pair<std::vector<std::string>, const char*> wrong[] = {
            {{"plan", ring, "--set", "steps=abc"}, "number"},
            {{"plan", ring, "--set", "device=gpu"}, "cuda:0"},
            {{"run", ring, "-o", ""}, "name"},
            {{"run", ring, "--project", ""}, "name"},
            {{"bench", "sprites", "--device", "foo"}, "cuda:0"},
            {{"verify", "--device", "cuda:x"}, "cuda:0"},
            {{"bench", "stability", "--device", "cuda:0"}, "CPU"},
            {{"bench", "stability", "--samplers", "euler,heum"}, "heun"},
            {{"bench", "matrix", "--samplers", "heum"}, "heun"},
            {{"export", "p.meander", "--run", "0", "-o", "out"}, "1000000000"},
            {{"fidelity", "--set", "model=builtin:sprites-dit"}, "--model"},
            {{"fidelity", "--set", "prompt=a red circle"}, "random"},
            {{"fidelity", "--seed", "-1"}, "seed"},
            {{"likelihood", "analytic:ring8", "--prompt", "a"}, "--prompt"},
            {{"likelihood", "analytic:ring8", "--class", "0"}, "--class"},
        };
        for (const auto& [arguments, hint] : wrong) {
            const auto a = call(arguments);
            QVERIFY2(a.status == 2 && a.err.find(hint) != std::string::npos
                         && std::count(a.err.begin(), a.err.end(), '\n') == 1,
                     (std::to_string(a.status) + a.err).c_str());
        }
        const auto a = call({"likelihood", "analytic:gaussian?distilled=consistency", "--points", "1"});
        QVERIFY2(a.status == 1 && a.err.find("consistency model") != std::string::npos, a.err.c_str());
        QCOMPARE(call({"likelihood", "analytic:gaussian", "--points", "1", "--level", "nan"}).status, 1);
    }

    void lostOutputIsAFailure() {
        struct : std::streambuf {
        } full;  // takes nothing
        std::vector<std::string> arguments{"meander-run", "list", "samplers"};
        std::vector<char*> argv;
        for (auto& a : arguments) argv.push_back(a.data());
        std::ostringstream err;
        auto* oldOut = std::cout.rdbuf(&full);
        auto* oldErr = std::cerr.rdbuf(err.rdbuf());
        const int status = cli::run(int(argv.size()), argv.data());
        std::cout.rdbuf(oldOut);
        std::cerr.rdbuf(oldErr);
        QCOMPARE(status, 1);
        QVERIFY(err.str().find("could not be written") != std::string::npos);
    }

    // Targets are looked at before anything is computed for them, and what is not kept is said.
    void targets() {
        const auto recipe = ringRecipe(10000, 200);  // minutes
        std::ofstream(at("file")) << "mine";
        QElapsedTimer time;
        time.start();
        for (const std::string& target : {at("file"), std::string("/dev/null"), at("file") + "/deeper"}) {
            const auto a = call({"run", recipe, "-o", target, "--project", at("none.meander")});
            QVERIFY2(a.status == 1 && a.err.find("Choose another folder") != std::string::npos, a.err.c_str());
        }
        QVERIFY(time.elapsed() < 1000 && !std::filesystem::exists(at("none.meander")));
        QVERIFY(call({"run", ringRecipe()}).err.find("Nothing of this run is kept") != std::string::npos);
        const auto a = call({"sample-project", at("file")});
        QVERIFY2(a.status == 1 && a.err.find("not a Meander project") != std::string::npos, a.err.c_str());
        QCOMPARE(std::filesystem::file_size(at("file")), 4u);
    }

    void draftsAndLeftovers() {
        QCOMPARE(call({"run", ringRecipe(), "--project", at("d.meander"), "-o", at("d")}).status, 0);
        // A folder holds the files of one run: those of another are refused before it, or removed.
        std::ofstream(at("d/image-3.png")) << "of an earlier run";
        auto a = call({"run", at("d.meander"), "--set", "seed=77", "-o", at("d")});
        QVERIFY2(a.status == 1 && a.err.find("--replace") != std::string::npos, a.err.c_str());
        a = call({"run", at("d.meander"), "--set", "seed=77", "-o", at("d"), "--replace"});
        QVERIFY2(a.status == 0, a.err.c_str());
        QVERIFY(!std::filesystem::exists(at("d/image-3.png")) && std::filesystem::exists(at("d/run.json")));
        auto store = ProjectStore::open(at("d.meander"));
        QVERIFY(store.ok());
        const auto runs = *(*store)->runs();
        QCOMPARE(runs.size(), 2u);
        QVERIFY(runs[1].recipe.seed == 77 && (*store)->draft() && (*store)->draft()->seed == runs[0].recipe.seed);
    }

    // A project that cannot be written is said so before the run, unless its files go to a folder.
    void readOnlyProject() {
        QCOMPARE(call({"run", ringRecipe(), "--project", at("r.meander")}).status, 0);
        std::filesystem::permissions(at("r.meander"), std::filesystem::perms::owner_read);
        if (QFileInfo(QString::fromStdString(at("r.meander"))).isWritable()) QSKIP("this user may write everything");
        const auto a = call({"run", at("r.meander")});
        QVERIFY2(a.status == 1 && a.err.find("would be lost") != std::string::npos, a.err.c_str());
        QCOMPARE(call({"run", at("r.meander"), "-o", at("r")}).status, 0);
    }

    // Projects and images are known by what is in them; a run's problem is shown.
    void inspectByContent() {
        Run run;
        run.id = "r";
        run.number = 1;
        run.recipe.model = "analytic:ring8";
        run.status = RunStatus::Failed;
        run.problem = "The network had no answer.";
        {
            auto store = ProjectStore::create(at("F.MEANDER"));
            QVERIFY(store.ok());
            (*store)->beginRun(run);
            (*store)->finishRun(run);
            QVERIFY((*store)->close().ok());
        }
        std::filesystem::copy(at("F.MEANDER"), at("noending"));
        for (const char* name : {"F.MEANDER", "noending"}) {
            const auto a = call({"inspect", at(name)});
            QVERIFY2(a.status == 0 && a.out.find(run.problem) != std::string::npos, (a.out + a.err).c_str());
        }
        QVERIFY(writePng(at("P.PNG"), Image(4, 4), {{"parameters", "a cat\nSteps: 20, Sampler: Euler"}}).ok());
        std::filesystem::copy(at("P.PNG"), at("image"));
        for (const char* name : {"P.PNG", "image"})
            QVERIFY(call({"inspect", at(name)}).out.find("a cat") != std::string::npos);
    }

    void runPlanExport() {
        const auto recipe = ringRecipe();
        const auto planned = call({"plan", recipe, "--json"});
        QCOMPARE(planned.status, 0);
        QCOMPARE(Json::parse(planned.out)["levels"].size(), 7u);
        const auto run =
            call({"run", recipe, "-o", at("out"), "--project", at("p.meander"), "--json", "--set", "steps=5"});
        QVERIFY2(run.status == 0, run.err.c_str());
        std::istringstream lines(run.out);
        Json last;
        int evaluations = 0;
        for (std::string line; std::getline(lines, line);) {
            last = Json::parse(line);
            evaluations += last["event"] == "evaluated";
        }
        QCOMPARE(evaluations, 9);  // Heun: the last step is Euler
        QCOMPARE(last["status"].get<std::string>(), std::string("finished"));
        for (const char* f : {"out/recipe.json", "out/trajectory.csv", "out/diagnostics.csv", "out/points.npy"})
            QVERIFY2(std::filesystem::exists(at(f)), f);
        QCOMPARE(call({"run", at("p.meander"), "--set", "seed=7"}).status, 0);
        const auto listed = call({"inspect", at("p.meander"), "--json"});
        QCOMPARE(std::count(listed.out.begin(), listed.out.end(), '\n'), 2);
        QCOMPARE(call({"export", at("p.meander"), "--run", "1", "-o", at("again")}).status, 0);
        QFile a(QString::fromStdString(at("out/points.npy"))), b(QString::fromStdString(at("again/points.npy")));
        QVERIFY(a.open(QIODevice::ReadOnly) && b.open(QIODevice::ReadOnly));
        QCOMPARE(a.readAll(), b.readAll());
        const auto none = call({"export", at("p.meander"), "--run", "9", "-o", at("again")});
        QVERIFY(none.status == 1 && none.err.find("1, 2") != std::string::npos);
        QCOMPARE(call({"inspect", "analytic:ring8"}).status, 0);
    }

    void measuresOfRulesAreInEventsAndTables() {
        Recipe r;
        r.model = "analytic:two-classes";
        r.classIndex = 0;
        r.images = 3;
        r.steps = 4;
        r.guidance = {{"concepts", {{"concepts", std::string("lower arc")}}}};
        QVERIFY(writeRecipeFile(at("measured.json"), r).ok());
        const auto a = call({"run", at("measured.json"), "-o", at("measured"), "--json"});
        QVERIFY2(a.status == 0, a.err.c_str());
        std::istringstream lines(a.out);
        int told = 0;
        for (std::string line; std::getline(lines, line);) {
            const Json j = Json::parse(line);
            if (j.value("event", "") != "evaluated") continue;
            const Json& cosine = j.at("metrics").at("cos lower arc");
            QCOMPARE(cosine.at("unit").get<std::string>(), std::string("cos"));
            QCOMPARE(cosine.at("values").size(), 3u);
            ++told;
        }
        QCOMPARE(told, 4);
        std::ifstream csv(at("measured/trajectory.csv"));
        std::string head;
        std::getline(csv, head);
        QVERIFY2(head.find("cos lower arc [cos]") != std::string::npos, head.c_str());
    }

    void interruptedRunsKeepTheirSteps() {  // last: the signal stays remembered in this process
        const auto recipe = ringRecipe(10000, 200);
        cli::watchInterrupts();
        std::thread killer([] {
            std::this_thread::sleep_for(std::chrono::milliseconds(1500));
            std::raise(SIGINT);
        });
        const auto a = call({"run", recipe, "--project", at("i.meander")});
        killer.join();
        QCOMPARE(a.status, 130);
        QCOMPARE(cli::interruptedBy(), SIGINT);
        auto store = ProjectStore::open(at("i.meander"));
        QVERIFY(store.ok());
        const auto runs = *(*store)->runs();
        QCOMPARE(runs.size(), 1u);
        QCOMPARE(runs[0].status, RunStatus::Cancelled);
        QVERIFY((*store)->loadTrajectory(runs[0].id).ok());
        store->reset();
        // The wish to end holds for all that would come after: nothing is passed off as complete, nothing is replaced
        // by less.
        const std::pair<std::vector<std::string>, const char*> others[] = {
            {{"verify", "--json"}, "cases checked: 1, failed: 0"},
            {{"fidelity", "--prompts", "2"}, "interrupted"},
            {{"bench", "sprites", "--json", "--repeats", "1"}, ""},
            {{"sample-project", at("i.meander")}, "incomplete"}};
        for (const auto& [arguments, hint] : others) {
            const auto b = call(arguments);
            QVERIFY2(b.status == 130 && b.err.find(hint) != std::string::npos, (arguments[0] + b.err).c_str());
            QVERIFY2(b.out.empty() || arguments[0] == "verify", b.out.c_str());
        }
        store = ProjectStore::open(at("i.meander"));
        QVERIFY(store.ok() && (*store)->runs()->size() == 1);
        QVERIFY(!std::filesystem::exists(at("i.meander.making")));
    }
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
