// meander-run fit: what it tells, in words and as JSON, and that its result is a recipe that runs as announced.
#include <QtTest>

#include "engine/core/json.h"
#include "engine/optimise/fit_methods.h"
#include "engine/recipe/recipe.h"
#include "tests/engine/cli/command_line.h"

using namespace meander;
using Words = std::vector<std::string>;

namespace {

const Words small{"--set",
                  "model=analytic:gaussian?d=16&eigenvalues=powerlaw",
                  "--set",
                  "sampler=euler",
                  "--steps",
                  "5",
                  "--paths",
                  "8",
                  "--held-out",
                  "8",
                  "--reference-steps",
                  "30"};

test::Output fit(Words more, Words base = small) {
    Words all{"fit"};
    all.insert(all.end(), base.begin(), base.end());
    all.insert(all.end(), more.begin(), more.end());
    return test::call(all);
}
std::vector<Json> lines(const std::string& text) {
    std::vector<Json> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line));
    return all;
}

}  // namespace

class TestFitCommand : public QObject {
    Q_OBJECT
private slots:
    void tellsInWords() {
        const auto o = fit({"--form", "comfyui"});
        QVERIFY2(o.status == 0, o.err.c_str());
        for (const char* part : {"fitted (", "Karras ρ = 7", "uniform in t", "Measured on 8 held-out seeds",
                                 "Use it with: --set schedule=custom --set steps=5 --set schedule.values=80,"})
            QVERIFY2(o.out.find(part) != std::string::npos, (o.out + part).c_str());
        QCOMPARE(o.out.substr(o.out.rfind('\n', o.out.size() - 2) + 1, 4), std::string("80, "));
    }
    void tellsAsJson() {
        const auto o = fit({"--json", "--method", "boss"});
        QVERIFY2(o.status == 0, o.err.c_str());
        const auto all = lines(o.out);
        QVERIFY(all.size() > 1);
        for (std::size_t i = 0; i + 1 < all.size(); ++i)
            QCOMPARE(all[i].at("event").get<std::string>(), std::string("progress"));
        const Json& done = all.back();
        QCOMPARE(done.at("event").get<std::string>(), std::string("done"));
        QCOMPARE(done.at("levels").size(), std::size_t(6));
        QVERIFY(done.at("wins").is_boolean() && !done.at("findings").empty());
        QCOMPARE(done.at("settings").at("method").get<std::string>(), std::string("boss"));
        for (const Json& s : done.at("schedules"))
            QVERIFY(s.at("measured").at("low").get<double>() <= s.at("measured").at("rms").get<double>()
                    && s.at("measured").at("rms").get<double>() <= s.at("measured").at("high").get<double>()
                    && s.at("measured").at("seeds") == 8);
    }
    // The recipe that is written visits the levels that were fitted; so do the settings that are printed.
    void resultIsARecipe() {
        QTemporaryDir folder;
        const std::string path = folder.filePath("fitted.json").toStdString();
        const auto o = fit({"--json", "--predict", "--recipe", path});
        QVERIFY2(o.status == 0, o.err.c_str());
        const Json done = lines(o.out).back();
        QVERIFY(!done.contains("wins") && !done.at("schedules")[0].contains("measured"));
        const auto planned = test::call({"plan", path, "--json"});
        QVERIFY2(planned.status == 0, planned.err.c_str());
        QCOMPARE(lines(planned.out).back().at("levels"), done.at("levels"));
        const std::string words = fit({"--predict"}).out;
        const auto at = words.find("schedule.values=");
        const std::string set = words.substr(at, words.find('\n', at) - at);
        const auto again = test::call(
            {"plan", "--set", small[1], "--set", "schedule=custom", "--set", "steps=5", "--set", set, "--json"});
        QVERIFY2(again.status == 0, again.err.c_str());
        QCOMPARE(lines(again.out).back().at("levels"), done.at("levels"));
    }
    // A recorded run of a project is the reference.
    void fitsToARun() {
        QTemporaryDir folder;
        const std::string project = folder.filePath("p.meander").toStdString();
        const auto run = test::call({"run", "--set", small[1], "--set", "sampler=heun", "--set", "steps=40", "--set",
                                     "images=8", "--project", project, "--json"});
        QVERIFY2(run.status == 0, run.err.c_str());
        const auto o = test::call(
            {"fit", project, "--run", "1", "--set", "sampler=dpmpp_2m", "--steps", "6", "--held-out", "4", "--json"});
        QVERIFY2(o.status == 0, o.err.c_str());
        const auto all = lines(o.out);
        for (const Json& j : all) QVERIFY(j.value("what", "measuring on other seeds") == "measuring on other seeds");
        QCOMPARE(all.back().at("levels").size(), std::size_t(7));
        QCOMPARE(all.back().at("schedules")[0].at("predicted").at("seeds").get<int>(), 8);
        const auto coarse = test::call({"fit", project, "--run", "1", "--steps", "20"});
        QCOMPARE(coarse.status, 1);
        QVERIFY2(coarse.err.find("at least 60") != std::string::npos, coarse.err.c_str());
    }
    void onlyTheCost() {
        const auto o = fit({"--dry-run", "--json"});
        QCOMPARE(o.status, 0);
        const Json plan = lines(o.out).back();
        QCOMPARE(plan.at("event").get<std::string>(), std::string("plan"));
        // Two fine runs of 59 evaluations and three schedules of 5, each on 8 seeds.
        QCOMPARE(plan.at("evaluations").get<double>(), 8.0 * (2 * 59 + 3 * 5));
    }
    void refusals() {
        QCOMPARE(fit({"--method", "l3"}).status, 2);
        QCOMPARE(fit({"--gamma", "nan"}).status, 2);
        QCOMPARE(fit({"--form", "excel"}).status, 2);
        QCOMPARE(fit({"--run", "1"}).status, 2);
        QCOMPARE(fit({"--set", "sampler=euler_ancestral"}).status, 1);
        QCOMPARE(test::call({"fit"}).status, 2);
        const auto unknown = fit({"--method", "bos"});
        QVERIFY2(unknown.err.find("boss") != std::string::npos, unknown.err.c_str());
    }
    void helpNamesTheMethods() {
        const auto o = test::call({"fit", "--help"});
        QCOMPARE(o.status, 0);
        for (const FitMethod& m : fitMethods()) QVERIFY2(o.out.find(m.id) != std::string::npos, m.id.c_str());
    }
};

QTEST_GUILESS_MAIN(TestFitCommand)
#include "tst_fit_command.moc"
