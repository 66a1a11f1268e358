// Operators on schedules: as functions, as data in a recipe, in the plan and on the command line; and runs whose last
// level is above 0.
#include <QtTest>
#include <cmath>
#include <iostream>
#include <sstream>

#include "engine/cli/cli.h"
#include "engine/cli/recipe_input.h"
#include "engine/run/engine.h"
#include "engine/run/recipe_differences.h"
#include "engine/schedule/operators.h"
#include "engine/schedule/schedule.h"

using namespace meander;
using List = std::vector<double>;

namespace {

void compare(const List& got, const List& want, double relative = 1e-12) {
    QCOMPARE(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        QVERIFY2(std::abs(got[i] - want[i]) <= relative * std::abs(want[i]),
                 qPrintable(QString("%1: %2 instead of %3").arg(i).arg(got[i], 0, 'g', 17).arg(want[i], 0, 'g', 17)));
}

Recipe recipeOn(const char* process, Choice schedule, std::vector<Choice> operators = {}, int steps = 8) {
    Recipe r;
    r.model = std::string("analytic:gaussian?d=4&process=") + process;
    r.sampler = {"heun", {}};
    r.schedule = std::move(schedule);
    r.scheduleOperators = std::move(operators);
    r.steps = steps;
    r.images = 3;
    return r;
}

std::string problemOf(const Recipe& r) {
    const auto p = plan(r);
    return p ? std::string() : p.error().text;
}

std::string notesOf(const Plan& p) {
    std::string all;
    for (const auto& n : p.notes) all += n.text + "\n";
    return all;
}

std::shared_ptr<const Run> finished(const Plan& p) {
    std::shared_ptr<const Run> run;
    Engine engine({"cpu"}, [&](const RunEvent& e) {
        if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) run = e.run;
    });
    engine.submit(p, nullptr);
    engine.waitIdle();
    return run;
}

struct DenoiseResult {
    int status;
    std::string out, err;
};
DenoiseResult call(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "meander-run");
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    std::ostringstream out, err;
    auto *oldOut = std::cout.rdbuf(out.rdbuf()), *oldErr = std::cerr.rdbuf(err.rdbuf());
    const int status = cli::run(int(argv.size()), argv.data());
    std::cout.rdbuf(oldOut);
    std::cerr.rdbuf(oldErr);
    return {status, out.str(), err.str()};
}

}  // namespace

class TestOperators : public QObject {
    Q_OBJECT
private slots:
    void functions() {
        using namespace levels;
        QCOMPARE(reversed({3, 2, 0}), (List{0, 2, 3}));
        compare(rescaled({9, 5, 1, 0}, 5, 1, Scale::Linear), {5, 3, 1, 0});
        compare(rescaled({100, 10, 1, 0}, 16, 1, Scale::Logarithmic), {16, 4, 1, 0});
        compare(resampled({8, 4, 2, 1, 0}, 3, Scale::Logarithmic), {8, std::sqrt(8.0), 1, 0});
        compare(resampled({8, 4, 0}, 4, Scale::Linear), {8, 8 - 4.0 / 3, 8 - 8.0 / 3, 4, 0});
        compare(resampled({8, 2}, 2, Scale::Logarithmic), {8, 4, 2});  // no final 0: both ends stay
        QCOMPARE(levels::split({4, 3, 2, 0}, 1).first, (List{4, 3}));
        QCOMPARE(levels::split({4, 3, 2, 0}, 1).second, (List{3, 2, 0}));
        QCOMPARE(concatenated({4, 3}, {3, 2, 0}), (List{4, 3, 2, 0}));
        QCOMPARE(concatenated({4, 3}, {2, 0}), (List{4, 3, 2, 0}));
        QCOMPARE(clipped({8, 4, 2, 1, 0}, 5, 1.5), (List{5, 4, 2, 1.5}));
        QCOMPARE(clipped({8, 4, 2, 0}, 4, std::nullopt), (List{4, 2, 0}));
        QCOMPARE(clipped({8, 4}, 6, 5), (List{6, 5}));
        QCOMPARE(clipped({0, 2, 8}, 5, 1), (List{1, 2, 5}));
        QVERIFY_THROWS_EXCEPTION(Failure, clipped({8, 4, 0}, 1, 2));
        QVERIFY_THROWS_EXCEPTION(Failure, levels::split({4, 0}, 2));
        QCOMPARE(inserted({4, 2, 0}, 2, std::nullopt, 3, Spacing::Linear), (List{4, 3, 2, 0}));
        compare(inserted({4, 2}, 3, std::nullopt, std::nullopt, Spacing::Cosine), {4, 3, 4 - std::sqrt(3.0), 2});
        compare(inserted({4, 2}, 3, std::nullopt, std::nullopt, Spacing::Sine), {4, 2 + std::sqrt(3.0), 3, 2});
        // One pass of full strength is the mean of the neighbours; the ends and the final 0 stay.
        compare(smoothed({8, 7, 2, 1, 0}, 1, 1, Scale::Linear), {8, 5, 4, 1, 0});
        compare(smoothed({8, 4, 2, 1, 0}, 0.7, 5, Scale::Logarithmic),
                {8, 4, 2, 1, 0});  // a straight line is its own mean
        const auto flow = Process::rectifiedFlow();
        compare(shifted({1, 0.75, 0.5, 0.25, 0}, flow, 3), *makeSchedule("flow_shift", flow, 4, {{"shift", 3.0}}));
        compare(shifted(shifted({1, 0.6, 0.2, 0}, flow, 2), flow, 1.5), shifted({1, 0.6, 0.2, 0}, flow, 3));
        compare(shifted({8, 2, 0}, Process::varianceExploding(0.002, 80), 1.5), {12, 3, 0});
    }
    void operatorsKeepOrder() {
        for (const auto& p : {Process::varianceExploding(0.002, 80), Process::vpScaledLinear(1000, 0.00085, 0.012),
                              Process::rectifiedFlow()})
            for (const auto& o : scheduleOperators())
                for (int n : {5, 20}) {
                    if (o.id == "concat" || (o.id == "terminal" && p.kind() != ProcessKind::RectifiedFlow)
                        || (o.id == "own_steps" && p.kind() == ProcessKind::VarianceExploding))
                        continue;
                    Params params;
                    if (o.id == "split") params["step"] = std::int64_t(3);
                    const auto levels = makeSchedule({"karras", {}}, {{o.id, params}}, p, n);
                    if (!levels && o.id == "shift" && p.kind() != ProcessKind::RectifiedFlow) continue;
                    QVERIFY2(levels.ok(), qPrintable(QString::fromStdString(
                                              o.id + " " + p.name() + (levels ? "" : ": " + levels.error().text))));
                    QVERIFY(levels->size() >= 2);
                }
    }
    void recipeKeepsThem() {
        Recipe r =
            recipeOn("sd15", {"karras", {}}, {{"clip", {{"max", 5.0}}}, {"resample", {{"steps", std::int64_t(6)}}}});
        const auto again = recipeFromJson(toJson(r));
        QVERIFY(again.ok());
        QVERIFY(*again == r);
        Json old = toJson(r);
        old.erase("schedule_operators");  // a recipe of an earlier version
        QVERIFY(recipeFromJson(old)->scheduleOperators.empty());
        QVERIFY(!toJson(Recipe{}).contains("schedule_operators"));
        old["schedule_operators"] = 3;
        QVERIFY(!recipeFromJson(old).ok());

        Recipe other = r;
        other.scheduleOperators[0].params["max"] = 6.0;
        other.scheduleOperators.pop_back();
        const auto list = differences(r, other);
        QCOMPARE(list.size(), std::size_t(3));
        QCOMPARE(list[0].key, std::string("schedule_operators.0.max"));
        QCOMPARE(list[0].right, std::string("6"));
        QCOMPARE(list[1].right, std::string("none"));
    }
    void planAppliesThem() {
        const auto p = *plan(recipeOn("sd15", {"karras", {}}, {{"clip", {{"max", 5.0}, {"min", 0.1}}}}));
        QCOMPARE(p.levels.front(), 5.0);
        QCOMPARE(p.levels.back(), 0.1);
        QCOMPARE(p.resolved.steps, 8);  // what was asked for
        QVERIFY(p.intervals() < 8);
        QCOMPARE(p.requests, 2 * p.intervals());  // Heun's last step is not to clean
        QVERIFY(notesOf(p).find("\"To clean\"") != std::string::npos);
        QVERIFY(notesOf(p).find("\"Resample\"") != std::string::npos);
        // the resolved recipe makes the same plan again
        QCOMPARE(plan(p.resolved)->levels, p.levels);
        // high noise by one rule, low noise by another
        const auto joined =
            *plan(recipeOn("sd15", {"karras", {}},
                           {{"split", {{"step", std::int64_t(4)}}},
                            {"concat", {{"schedule", std::string("exponential")}, {"steps", std::int64_t(5)}}}}));
        QCOMPARE(joined.intervals(), 9);
        QCOMPARE(joined.levels.back(), 0.0);
        QCOMPARE(joined.levels[4], makeSchedule("karras", joined.model.process, 8, {})->at(4));
    }
    // Whatever schedule is concatenated begins where the levels before end.
    void everyScheduleFollows() {
        const auto& params = findScheduleOperator("concat")->params;
        const auto which =
            std::find_if(params.begin(), params.end(), [](const ParamSpec& s) { return s.key == "schedule"; });
        for (const ParamChoice& c : which->choices) {
            if (c.id == "none") continue;
            int fits = 0;
            for (const auto& p : {Process::varianceExploding(0.002, 80), Process::rectifiedFlow()}) {
                const auto levels = makeSchedule({"karras", {}},
                                                 {{"split", {{"step", std::int64_t(4)}, {"part", std::string("high")}}},
                                                  {"concat", {{"schedule", c.id}, {"steps", std::int64_t(5)}}}},
                                                 p, 8);
                if (!levels) continue;
                ++fits;
                QVERIFY2(levels->size() > 5, c.id.c_str());
                QCOMPARE((*levels)[4], makeSchedule("karras", p, 8, {})->at(4));
            }
            QVERIFY2(fits > 0, c.id.c_str());
        }
    }
    void wrongCombinationsAreRefused_data() {
        QTest::addColumn<QString>("process");
        QTest::addColumn<QString>("operators");
        QTest::addColumn<QString>("remedy");
        QTest::newRow("rising levels") << "sd15"
                                       << "reverse"
                                       << "\"Reverse\"";
        QTest::newRow("rising at the joint") << "sd15"
                                             << "clip:min=1|concat:values=3,1,0"
                                             << "fall";
        QTest::newRow("after clean") << "sd15"
                                     << "concat:schedule=karras"
                                     << "Clip";
        QTest::newRow("terminal of a diffusion model") << "sd15"
                                                       << "terminal"
                                                       << "Rescale";
        QTest::newRow("beyond t = 1") << "flow"
                                      << "first:level=2"
                                      << "\"Clip\"";
        QTest::newRow("nothing left") << "sd15"
                                      << "clip:max=100:min=50"
                                      << "between";
        QTest::newRow("split after the end") << "sd15"
                                             << "split:step=50"
                                             << "8 steps";
        QTest::newRow("one level") << "sd15"
                                   << "split:step=0"
                                   << "To clean";
    }
    void wrongCombinationsAreRefused() {
        QFETCH(QString, process);
        QFETCH(QString, operators);
        QFETCH(QString, remedy);
        const std::string problem =
            problemOf(recipeOn(process.toUtf8(), {"karras", {}}, cli::parseOperators(operators.toStdString())));
        QVERIFY2(QString::fromStdString(problem).contains(remedy), problem.c_str());
    }
    void planFlags() {
        QVERIFY(problemOf(recipeOn("edm", {"karras", {}}, {{"klip", {}}})).find("\"clip\"") != std::string::npos);
        QVERIFY(problemOf(recipeOn("flow", {"model_steps", {}})).find("Uniform in t") != std::string::npos);
        QVERIFY(problemOf(recipeOn("flow", {"flow_dynamic", {}})).find("tokens")
                != std::string::npos);  // points have no image
        QVERIFY(problemOf(recipeOn("sd15", {"custom", {{"values", List{5, 6, 1}}}})).find("must fall")
                != std::string::npos);
        const auto list = *plan(recipeOn("sd15", {"custom", {{"values", List{5, 3, 1}}}}));
        QCOMPARE(list.resolved.steps, 3);
        QVERIFY(notesOf(list).find("3 intervals") != std::string::npos);
        const auto beyond = *plan(recipeOn("sd15", {"karras", {{"max", 80.0}}}));
        QVERIFY(std::any_of(beyond.notes.begin(), beyond.notes.end(),
                            [](const auto& n) { return n.kind == NoteKind::Warning && n.key == "schedule"; }));
        QVERIFY(notesOf(*plan(recipeOn("sd15", {"ddim_uniform", {}}, {}, 30))).find("31 steps of the 30")
                != std::string::npos);
        QVERIFY(plan(recipeOn("sd15", {"karras", {}}))->notes.empty());
    }

    // Heun to a last level above 0, against the exact path of a Gaussian: x − a·mean shrinks like √(a²λ + τ²).
    void runsMayStopAboveZero_data() {
        QTest::addColumn<QString>("process");
        for (const char* p : {"edm", "sd15", "flow"}) QTest::newRow(p) << p;
    }
    void runsMayStopAboveZero() {
        QFETCH(QString, process);
        const auto p = *plan(
            recipeOn(process.toUtf8(), {"kl_optimal", {{"dialect", std::string("a1111")}, {"min", 0.05}}}, {}, 60));
        QCOMPARE(p.levels.back(), 0.05);
        const auto run = finished(p);
        QVERIFY(run && run->status == RunStatus::Finished);
        QCOMPARE(int(run->trajectory->steps.size()), 60);
        QCOMPARE(int(run->trajectory->evaluations.size()), p.requests);
        const auto start = run->trajectory->initial.toDoubles(), end = run->trajectory->last().toDoubles();
        const Process& q = p.model.process;
        const auto spread = [&](double tau) { return std::sqrt(q.signal(tau) * q.signal(tau) * 0.25 + tau * tau); };
        for (std::size_t i = 0; i < start.size(); ++i) {
            const double want = start[i] * spread(p.levels.back()) / spread(p.levels.front());
            QVERIFY2(std::abs(end[i] / want - 1) < 2e-3, qPrintable(QString("%1 instead of %2").arg(end[i]).arg(want)));
        }
    }

    void commandLine() {
        const auto row = call({"schedule", "karras", "--model", "analytic:gaussian?process=sd15", "--steps", "4",
                               "--set", "rho=5", "--row"});
        QVERIFY2(row.status == 0, row.err.c_str());
        std::istringstream numbers(row.out);
        List got;
        for (double v; numbers >> v;) got.push_back(v);
        compare(got, *makeSchedule("karras", Process::vpScaledLinear(1000, 0.00085, 0.012), 4, {{"rho", 5.0}}), 1e-8);
        const auto json =
            Json::parse(call({"schedule", "flow_shift", "--model", "analytic:gaussian?process=flow&shift=3", "--steps",
                              "6", "--operator", "clip:max=0.8", "--operator", "resample:steps=3", "--json"})
                            .out);
        QCOMPARE(json["levels"].size(), std::size_t(4));
        QCOMPARE(json["levels"][0].get<double>(), 0.8);
        QVERIFY(json["notes"].size() >= 1);
        for (const char* model :
             {"analytic:gaussian?process=edm&sigma_min=0.01&sigma_max=120", "analytic:gaussian?process=ve",
              "analytic:gaussian?process=vp-linear&train_steps=500&beta_start=0.0002",
              "analytic:gaussian?process=sd15&zero_snr=1",
              "analytic:gaussian?process=flow&shift=3.15819&train_steps=10000",
              "analytic:gaussian?process=vp-cosine"}) {
            const auto a = call({"schedule", "simple", "--model", model});
            QVERIFY2(a.status == 0 && a.out.find("sigma") != std::string::npos, a.err.c_str());
        }
        auto wrong = call({"schedule", "karas"});
        QVERIFY2(wrong.status == 2 && wrong.err.find("\"karras\"") != std::string::npos, wrong.err.c_str());
        wrong = call({"schedule", "karras", "--operator", "clip:maxx=3"});
        QVERIFY2(wrong.status == 2 && wrong.err.find("\"max\"") != std::string::npos, wrong.err.c_str());
        QCOMPARE(call({"schedule", "karras", "--model", "analytic:gaussian?process=edm&sigma_max=0.001"}).status, 1);
        for (const char* what : {"schedules", "operators"}) {
            const auto plain = call({"list", what}), lines = call({"list", what, "--json"});
            QCOMPARE(plain.status, 0);
            QCOMPARE(std::size_t(std::count(lines.out.begin(), lines.out.end(), '\n')),
                     std::string(what) == "operators" ? scheduleOperators().size() : schedules().size());
        }
        QVERIFY(call({"list", "schedules"}).out.find("# Noise-level rules") == 0);
    }
    void settings() {
        Recipe r;
        for (const char* s :
             {"schedule=karras", "schedule_operators=clip:max=5|to_clean", "schedule_operators.clip.min=0.1",
              "schedule_operators.smooth.passes=3", "schedule_operators.0.max=4"})
            cli::applySet(r, s);
        QCOMPARE(r.scheduleOperators.size(), std::size_t(3));
        QCOMPARE(r.scheduleOperators[0], (Choice{"clip", {{"max", 4.0}, {"min", 0.1}}}));
        QCOMPARE(r.scheduleOperators[1].id, std::string("to_clean"));
        QCOMPARE(r.scheduleOperators[2], (Choice{"smooth", {{"passes", std::int64_t(3)}}}));
        cli::applySet(r, "schedule_operators=none");
        QVERIFY(r.scheduleOperators.empty());
        for (const char* s : {"schedule_operators=klip", "schedule_operators.7.max=3", "schedule_operators.clip=3",
                              "schedule_operators=clip:max"})
            QVERIFY_THROWS_EXCEPTION(Failure, cli::applySet(r, s));
    }
};

QTEST_GUILESS_MAIN(TestOperators)
#include "tst_operators.moc"
