// Sweeps: axes as text, the grid, what a plan refuses, what is computed once, and what came of it.
#include <QtTest>
#include <set>

#include "engine/sampling/sampling.h"
#include "engine/sweep/sweep_plan.h"
#include "engine/sweep/sweep_results.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using fixture::Listener;
using fixture::sameRecord;

namespace {

Recipe sprites() {
    Recipe r = recommendedRecipe(*inspectModel("builtin:sprites-unet"));
    r.prompt = "a red circle above a blue square on a green background";
    r.steps = 4;
    return r;
}

Sweep sweepOf(const Recipe& base, std::initializer_list<const char*> axes) {
    Sweep s{.id = newRunId(), .created = nowUtc(), .base = base, .axes = {}, .cells = {}};
    for (const char* a : axes) s.axes.push_back(sweepAxis(a));
    s.cells.resize(s.size());
    return s;
}

// As the cells of one sweep, on one engine.
std::vector<std::shared_ptr<const Run>> together(std::vector<Submission> all, std::size_t sharedMemory = 1 << 28) {
    Listener l(false);
    EngineOptions options = fixture::onCpu();
    options.sharedMemory = sharedMemory;
    Engine engine(options, l.sink());
    const auto ids = engine.submit(std::move(all));
    engine.waitIdle();
    std::vector<std::shared_ptr<const Run>> runs;
    for (const auto& id : ids) runs.push_back(l.result(id));
    return runs;
}

std::vector<Submission> grouped(const std::vector<Recipe>& recipes) {
    std::vector<Submission> all;
    for (const Recipe& r : recipes) all.push_back({.plan = fixture::planned(r), .group = "one"});
    return all;
}

bool sameAttention(const Run& a, const Run& b) {
    const auto &x = a.trajectory->evaluations, &y = b.trajectory->evaluations;
    for (std::size_t e = 0; e < x.size(); ++e) {
        if (x[e]->attention.size() != y[e]->attention.size()) return false;
        for (std::size_t i = 0; i < x[e]->attention.size(); ++i)
            for (std::size_t m = 0; m < x[e]->attention[i].size(); ++m)
                if (!x[e]->attention[i][m].probabilities.sameBits(y[e]->attention[i][m].probabilities)) return false;
    }
    return true;
}

}  // namespace

class TestSweep : public QObject {
    Q_OBJECT
private slots:
    void axesAsText_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("values");  // empty: refused
        QTest::newRow("numbers") << "guidance.scale=1,2,4"
                                 << "1|2|4";
        QTest::newRow("range") << "steps=4:20:4"
                               << "4|8|12|16|20";
        QTest::newRow("short range") << "steps=4:6"
                                     << "4|5|6";
        QTest::newRow("falling range") << "guidance.scale=2:1:-0.5"
                                       << "2|1.5|1";
        QTest::newRow("reals without drift") << "guidance.scale=0:0.3:0.1"
                                             << "0|0.1|0.2|0.3";
        QTest::newRow("both") << "steps=1,4:6,20"
                              << "1|4|5|6|20";
        QTest::newRow("commas in texts") << "prompt=a\\, b,c"
                                         << "a, b|c";
        QTest::newRow("an operator is no range") << "schedule_operators=none,clip:max=5"
                                                 << "none|clip:max=5";
        QTest::newRow("endless") << "steps=1:5:0"
                                 << "";
        QTest::newRow("away") << "steps=5:1:1"
                              << "";
        QTest::newRow("no values") << "steps"
                                   << "";
        QTest::newRow("of unequal length") << "sampler=heun,euler;steps=1,2,3"
                                           << "";
    }
    void axesAsText() {
        QFETCH(QString, text);
        QFETCH(QString, values);
        if (values.isEmpty()) {
            QVERIFY_EXCEPTION_THROWN(sweepAxis(text.toStdString()), Failure);
            return;
        }
        const SweepAxis axis = sweepAxis(text.toStdString());
        QStringList read;
        std::vector<std::string> list;
        for (const auto& v : axis.values) read.append(QString::fromStdString(v.front())), list.push_back(v.front());
        QCOMPARE(read.join('|'), values);
        QCOMPARE(sweepValues(textOfValues(list)), list);
    }

    void valuesFromAFile() {
        QTemporaryDir folder;
        QFile file(folder.filePath("prompts.txt"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("a red circle, small\r\n\nb; c\n");
        file.close();
        const auto values = sweepValues("@" + file.fileName().toStdString());
        QCOMPARE(values, (std::vector<std::string>{"a red circle, small", "b; c"}));
        QVERIFY_EXCEPTION_THROWN(sweepValues("@/nowhere/at/all.txt"), Failure);
    }

    void theGridHasEveryCellOnce() {
        const Sweep s = sweepOf(Recipe(), {"sampler=euler,heun;steps=10,5", "seed=1:3", "schedule.rho=3,5,7,9"});
        QCOMPARE(s.size(), 24u);
        std::set<std::string> labels;
        for (std::size_t i = 0; i < s.size(); ++i) {
            QCOMPARE(s.cellAt(s.place(i)), i);
            labels.insert(s.label(i));
            const Recipe r = s.recipe(i);
            QCOMPARE(r.steps, r.sampler.id == "heun" ? 5 : 10);
        }
        QCOMPARE(labels.size(), 24u);
        QCOMPARE(*sweepFromJson(toJson(s)), s);
        for (const Json& bad : {Json(3), Json::object(), Json{{"axes", 7}}}) QVERIFY(!sweepFromJson(bad).ok());
    }

    // A whole setting is set before the parameters of what it chooses, whatever the order of the axes.
    void parametersBelongToTheChosenRow() {
        const Sweep s = sweepOf(Recipe(), {"sampler.eta=0.25,0.5", "sampler=ddim,euler_ancestral"});
        for (std::size_t i = 0; i < s.size(); ++i) QCOMPARE(s.recipe(i).sampler.params.count("eta"), 1u);
    }

    void axesAreChecked() {
        const auto refused = [](std::initializer_list<const char*> axes) {
            const auto p = planSweep(sweepOf(Recipe(), axes));
            return p ? std::string() : p.error().text;
        };
        QVERIFY(refused({}).find("at least one") != std::string::npos);
        QVERIFY(refused({"stepss=1,2"}).find("steps") != std::string::npos);
        QVERIFY(refused({"steps=1,2", "steps=3,4"}).find("two axes") != std::string::npos);
        QVERIFY(refused({"steps=1", "seed=1", "images=1", "prompt=a", "sampler=euler"}).find("four")
                != std::string::npos);
        QVERIFY(refused({"steps=1:100", "seed=1:100"}).find("4096") != std::string::npos);
    }

    void refusedCellsSayWhy() {
        Recipe base = sprites();
        const Sweep s = sweepOf(base, {"sampler=euler,no_such_sampler", "steps=0,4"});
        const auto p = planSweep(s);
        QVERIFY(p.ok());
        QCOMPARE(p->refused, 3u);
        QCOMPARE(p->order, std::vector<std::size_t>{1});
        for (const std::size_t i : {0, 2, 3}) {
            QVERIFY(!p->cells[i].plan.ok());
            QVERIFY(!p->cells[i].plan.error().text.empty());
        }
    }

    void fromCoarseToFine() {
        const auto p = planSweep(sweepOf(sprites(), {"steps=1:9", "seed=1:9"}));
        QVERIFY(p.ok());
        QCOMPARE(p->order.size(), 81u);
        const std::set<std::size_t> first(p->order.begin(), p->order.begin() + 4);
        QCOMPARE(first, (std::set<std::size_t>{0, 8, 72, 80}));
        const std::set<std::size_t> second(p->order.begin() + 4, p->order.begin() + 9);
        QCOMPARE(second, (std::set<std::size_t>{4, 36, 40, 44, 76}));
        QCOMPARE(std::set<std::size_t>(p->order.begin(), p->order.end()).size(), 81u);
    }

    void equalCellsAreOneRun() {
        Sweep s = sweepOf(sprites(), {"steps=4,4,5", "seed=7,8"});
        const auto p = planSweep(s);
        QVERIFY(p.ok());
        QCOMPARE(p->repeated, 2u);
        const auto all = submissionsOf(s, *p, nullptr, 10);
        QCOMPARE(all.size(), 4u);
        QCOMPARE(s.cells[0].run, s.cells[2].run);
        QCOMPARE(s.cells[1].run, s.cells[3].run);
        QVERIFY(s.cells[0].run != s.cells[1].run);
        std::set<int> numbers;
        for (const auto& one : all) {
            numbers.insert(one.number);
            QCOMPARE(one.group, s.id);
            QVERIFY(one.priority == RunPriority::Background);
        }
        QCOMPARE(numbers, (std::set<int>{10, 11, 12, 13}));
    }

    // Cells carried out together have the numbers that each has alone, in every bit: states, estimates, images, maps.
    void sharedNumbersAreThoseOfRunsAlone() {
        Recipe base = sprites();
        Sweep s = sweepOf(base, {"sampler=euler,heun,dpmpp_2m,euler_ancestral", "steps=2,4", "guidance.scale=1,2,5"});
        const auto p = planSweep(s);
        QVERIFY(p.ok());
        QCOMPARE(p->refused, 0u);
        const auto runs = together(submissionsOf(s, *p, nullptr, 1));
        int shared = 0, evaluations = 0;
        for (const auto& run : runs) {
            QCOMPARE(run->status, RunStatus::Finished);
            const auto alone = fixture::carryOut(fixture::planned(run->recipe));
            QVERIFY(sameRecord(*run, *alone));
            QVERIFY(sameAttention(*run, *alone));
            QCOMPARE(run->evaluations, alone->evaluations);
            QCOMPARE(alone->sharedEvaluations, 0);
            shared += run->sharedEvaluations;
            evaluations += run->evaluations;
        }
        qInfo("%d of %d evaluations were answered together with equal ones", shared, evaluations);
        QVERIFY(shared >= 22);  // at least the first of each but one
    }

    // How much two runs share is exactly how long they are the same.
    void prefixesAreSharedAsFarAsTheyGo() {
        const Recipe one = sprites();
        const auto sharedWith = [&](const Recipe& other) {
            const auto runs = together(grouped({one, other}));
            return std::pair(runs[0]->sharedEvaluations + runs[1]->sharedEvaluations, runs[1]->evaluations);
        };
        Recipe twin = one;
        twin.recordStates = false;
        auto [shared, all] = sharedWith(twin);
        QCOMPARE(shared, all);
        Recipe stronger = one;
        stronger.guidance.front().params["scale"] = 6.0;
        QCOMPARE(sharedWith(stronger).first, 2);  // the two answers to the first state
        Recipe elsewhere = one;
        elsewhere.seed = 1;
        QCOMPARE(sharedWith(elsewhere).first, 0);
        Recipe otherPrompt = one;
        otherPrompt.prompt = "a blue square on a green background";
        QCOMPARE(sharedWith(otherPrompt).first, 1);  // the unconditional one
        // One after the other shares as well as at the same time.
        EngineOptions options = fixture::onCpu();
        options.maximumConcurrentRuns = 1;
        Listener l(false);
        Engine engine(options, l.sink());
        const auto ids = engine.submit(grouped({one, twin}));
        engine.waitIdle();
        QCOMPARE(l.result(ids[1])->sharedEvaluations, all);
        QVERIFY(l.result(ids[0])->images.sameBits(l.result(ids[1])->images));
    }

    void withoutAGroupNothingIsShared() {
        const auto runs = fixture::carryOut(std::vector{fixture::planned(sprites()), fixture::planned(sprites())});
        for (const auto& r : runs) QCOMPARE(r->sharedEvaluations, 0);
    }

    void littleMemorySharesLessAndChangesNothing() {
        Recipe other = sprites();
        other.steps = 5;
        const auto plenty = together(grouped({sprites(), other})), none = together(grouped({sprites(), other}), 1);
        for (std::size_t i = 0; i < 2; ++i) QVERIFY(sameRecord(*plenty[i], *none[i]));
    }

    // Rules with memory inside the network, particles, several evaluations at once: whatever runs, runs the same.
    void everyKindOfSamplerIsTheSameInAGroup() {
        std::vector<Recipe> recipes;
        for (const auto& info : samplers()) {
            Recipe r = sprites();
            r.attention = AttentionLevel::Off;
            r.steps = 3;
            r.sampler = {info.id, {}};
            if (plan(r).ok()) recipes.push_back(r);
        }
        QVERIFY(recipes.size() > 20);
        const auto runs = together(grouped(recipes));
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const auto alone = fixture::carryOut(fixture::planned(recipes[i]));
            QVERIFY2(runs[i]->status == alone->status, recipes[i].sampler.id.c_str());
            if (alone->status == RunStatus::Finished)
                QVERIFY2(sameRecord(*runs[i], *alone), recipes[i].sampler.id.c_str());
        }
    }

    // Sampler × steps × guidance on the sprites, 6 × 6 × 4 (MEANDER_MEASURE_SWEEP=1; a few cells without it): the same
    // images as one run after the other, and how long both take. The model is loaded and warm in both.
    void measured() {
        const bool isWhole = qEnvironmentVariableIsSet("MEANDER_MEASURE_SWEEP");
        Recipe base = sprites();
        base.attention = AttentionLevel::Off;
        Sweep s = isWhole ? sweepOf(base, {"sampler=euler,ddim,heun,dpmpp_2m,dpmpp_2s_ancestral,euler_ancestral",
                                           "steps=4,6,8,12,16,20", "guidance.scale=1,2,4,6"})
                          : sweepOf(base, {"sampler=euler,ddim", "steps=3,4", "guidance.scale=2,4"});
        const auto p = planSweep(s);
        QVERIFY(p.ok());
        QCOMPARE(p->refused, 0u);
        EngineOptions options = fixture::onCpu();
        options.threads = 0;
        const auto timed = [&](bool isTogether) {
            Listener l(false);
            Engine engine(options, l.sink());
            engine.submit(fixture::planned(base));
            engine.waitIdle();
            auto all = submissionsOf(s, *p, nullptr, 1);
            QElapsedTimer timer;
            timer.start();
            std::vector<std::string> ids;
            if (isTogether) ids = engine.submit(std::move(all));
            else
                for (auto& one : all) {
                    one.group.clear();
                    ids.push_back(engine.submit(std::move(one)));
                    engine.waitIdle();
                }
            engine.waitIdle();
            std::vector<HostTensor> images;
            int shared = 0, evaluations = 0;
            for (const auto& id : ids) {
                const auto run = l.result(id);
                images.push_back(run->images);
                shared += run->sharedEvaluations;
                evaluations += run->evaluations * run->recipe.images;
            }
            const double seconds = timer.elapsed() / 1000.0;
            qInfo("%s: %.2f s, %d of %d evaluations shared", isTogether ? "together" : "one after the other", seconds,
                  shared * base.images, evaluations);
            return std::pair(seconds, images);
        };
        const auto [alone, right] = timed(false);
        const auto [together, images] = timed(true);
        for (std::size_t i = 0; i < right.size(); ++i) QVERIFY(right[i] && images[i].sameBits(right[i]));
        qInfo("%zu runs, %.2f of the time", right.size(), together / alone);
    }

    void qualityAgainstCost() {
        const std::vector<CostQuality> points{{1, 0.1}, {2, 0.8}, {3, 0.7}, {4, 0.9}, {2, 0.5}, {8, 0.95}, {8, 0.95}};
        const auto line = paretoLine(points);
        QCOMPARE(line, (std::vector<std::size_t>{0, 1, 3, 5}));
        QCOMPARE(kneeOf(points, line), std::optional<std::size_t>(1));
        QVERIFY(!kneeOf(points, {0, 1}));
        QVERIFY(paretoLine({}).empty());
    }

    void resultsAsATable() {
        Sweep s = sweepOf(sprites(), {"prompt=a\\, b,c", "seed=1,2"});
        s.cells[3].problem = "no, not \"this\"";
        std::vector<std::optional<CellResult>> results(4);
        for (std::size_t i = 0; i < 3; ++i)
            results[i] = CellResult{RunStatus::Finished, int(i) + 1, 8, 2, 0.5, double(i % 2), {}};
        const QStringList lines = QString::fromStdString(csvOf(s, results)).split('\n');
        QCOMPARE(lines[0], "prompt,seed,run,status,evaluations,shared_evaluations,seconds,fidelity,distance,problem");
        QCOMPARE(lines[1], "\"a, b\",1,1,finished,8,2,0.5,0,,");
        QCOMPARE(lines[4], "c,2,,refused,,,,,,\"no, not \"\"this\"\"\"");
        const QStringList means = QString::fromStdString(seedMeansCsv(s, results)).split('\n');
        QCOMPARE(means[1], "\"a, b\",2,8,0.5,0.5,");
        QCOMPARE(means[2], "c,1,8,0.5,0,");
    }

    void sheetHasColumnsAlongTheLastAxis() {
        const Sweep s = sweepOf(sprites(), {"seed=1,2", "steps=1,2,3"});
        std::vector<std::optional<Image>> images(6);
        for (std::size_t i = 0; i < 5; ++i) images[i] = Image(8, 8, {std::uint8_t(40 * i + 40), 0, 0});
        const Image sheet = contactSheet(s, images, 2);
        QCOMPARE(sheet.width, 2 + 3 * 10);
        QCOMPARE(sheet.height, 2 + 2 * 10);
        for (int i = 0; i < 5; ++i) QCOMPARE(int(*sheet.at(4 + 10 * (i % 3), 4 + 10 * (i / 3))), 40 * i + 40);
        QCOMPARE(int(*sheet.at(24, 14)), 22);  // the cell without an image
    }
};

QTEST_GUILESS_MAIN(TestSweep)
#include "tst_sweep.moc"
