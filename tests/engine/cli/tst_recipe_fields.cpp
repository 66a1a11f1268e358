// The table of the recipe's fields, walked through whatever follows from it: files, --set, differences, the plan's
// checks. And one rule where there were two ways around it.
#include <QTemporaryDir>
#include <QtTest>

#include "engine/cli/recipe_input.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/recipe/recipe_fields.h"
#include "engine/run/recipe_differences.h"
#include "engine/run/recipe_tables.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/cli/command_line.h"

using namespace meander;
using test::call;

namespace {

// Values other than the default, as --set writes them: of rows of tables, and where a harder one than the next is worth
// it.
const std::map<std::string, std::string> others{{"model", "analytic:two-classes"},
                                                {"prompt", "a = b"},
                                                {"seed", "18446744073709551615"},
                                                {"start", "data"},
                                                {"source", "image"},
                                                {"sampler", "heun"},
                                                {"schedule", "uniform_t"},
                                                {"schedule_operators", "clip:max=5|to_clean"},
                                                {"noise", "torch_cpu"},
                                                {"guidance", "cfg:scale=3|apg"},
                                                {"checkpoint", "declared"},
                                                {"adapters", "lora:strength=0.5"},
                                                {"weights", "Q8_0"},
                                                {"attention", "off"},
                                                {"branch", "0123456789abcdef:2"}};

std::string another(const RecipeField& field) {
    if (const auto it = others.find(field.key); it != others.end()) return it->second;
    const auto next = [&]<class T>(const T& value) -> std::string {
        if constexpr (std::is_same_v<T, bool>) return value ? "off" : "on";
        else if constexpr (std::is_integral_v<T>) return std::to_string(value + 1);
        else if constexpr (std::is_same_v<T, std::optional<int>>) return std::to_string(field.minimum + 1);
        else if constexpr (std::is_same_v<T, std::string>) {
            for (const FieldChoice& c : field.choices)
                if (c.id != value) return c.id;
            return value + "another";
        } else {
            return {};  // give it a row above
        }
    };
    return std::visit([&](auto member) { return next(Recipe().*member); }, field.member);
}

Json lastLine(const std::string& text) {
    std::istringstream lines(text);
    Json last;
    for (std::string line; std::getline(lines, line);) last = Json::parse(line);
    return last;
}

}  // namespace

class TestRecipeFields : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string at(const char* name) { return m_folder.filePath(name).toStdString(); }

private slots:
    // A setting on the command line is a setting in the file is a difference, for every field of the table.
    void everyField() {
        for (const auto& field : recipeFields()) {
            const Recipe defaults;
            Recipe changed;
            cli::applySet(changed, field.key + "=" + another(field));
            QVERIFY2(!isEqual(field, changed, defaults), field.key.c_str());
            for (const auto& other : recipeFields())
                QVERIFY2(&other == &field || isEqual(other, changed, defaults), (field.key + other.key).c_str());
            const Json j = toJson(changed);
            QVERIFY2(j.contains(field.key) && toJson(defaults).contains(field.key) != field.isOmitted,
                     field.key.c_str());
            const auto back = recipeFromJson(j);
            QVERIFY2(back && *back == changed, field.key.c_str());
            const auto list = differences(defaults, changed);
            QVERIFY2(!list.empty(), field.key.c_str());
            for (const auto& d : list) QVERIFY2(d.key.substr(0, d.key.find('.')) == field.key, d.key.c_str());
            Recipe copied;
            copyField(field, changed, copied);
            QVERIFY2(copied == changed, field.key.c_str());
        }
    }

    // A wrong type in a file names the field; so does an unknown key.
    void wrongTypes() {
        for (const auto& field : recipeFields()) {
            const auto r = recipeFromJson({{field.key, Json::array({Json::object()})}});
            if (!std::holds_alternative<std::vector<Choice> Recipe::*>(field.member)) QVERIFY2(!r, field.key.c_str());
            if (!r) QVERIFY2(r.error().text.find("recipe") != std::string::npos, r.error().text.c_str());
        }
        QVERIFY(recipeFromJson({{"stepz", 3}}).error().text.find("\"stepz\"") != std::string::npos);
        for (const auto& [key, value] : {std::pair("class", Json(4294967297)), std::pair("steps", Json(4294967316)),
                                         std::pair("seed", Json(-1)), std::pair("seed", Json(1.5))})
            QVERIFY2(!recipeFromJson({{key, value}}), key);
    }

    // Recipes written by every earlier version read the same.
    void storedRecipes() {
        const auto r = recipeFromJson(Json::parse(
            R"({"model":"builtin:sprites-unet","prompt":"p","seed":7,"images":2,"steps":9,"sampler":"heun",
                "schedule":{"id":"karras","params":{"rho":5.0}},"noise":null,
                "guidance":[{"id":"cfg","params":{"scale":3}}],
                "class":null,"device":"auto","attention":"layers","record_states":false,
                "branch":{"run":"ab","step":4}})"));
        QVERIFY2(r.ok(), r ? "" : r.error().text.c_str());
        QCOMPARE(r->sampler.id, std::string("heun"));
        QCOMPARE(real(r->guidance.at(0).params, "scale"), 3.0);
        QVERIFY(r->attention == AttentionLevel::Layers && !r->recordStates && r->branch->step == 4 && !r->classIndex);
        QCOMPARE(toJson(*r).begin().key(), std::string("model"));
    }

    void sentences() {
        const std::pair<const char*, const char*> wrong[] = {
            {"class=-1", "from 0 to 2147483647"},
            {"class=4294967297", "from 0 to 2147483647"},
            {"class=9999999999", "from 0 to 2147483647"},
            {"images=4294967297", "from 1 to 2147483647"},
            {"branch=1:18446744073709551616", "from 0 to 2147483647"},
            {"sampler.order=4294967297", "between 1 and"},
            {"sampler.order=18446744073709551616", "between 1 and"},
            {"sampler.order=1e300", "between 1 and"},
            {"steps=0", "from 1 to 10000"},
            {"steps=12.5", "whole number"},
            {"images=0", "from 1 to 2147483647"},
            {"seed=18446744073709551616", "from 0 to 18446744073709551615"},
            {"seed=-1", "from 0 to 18446744073709551615"},
            {"noise.seed=18446744073709551616", "between 0 and 18446744073709551615"},
            {"noise.seed=-1", "between 0 and 18446744073709551615"},
            {"device=gpu", "cuda:0"},
            {"precision=f99", "bf16"},
            {"attention=much", "summary"},
            {"sampler=heum", "\"heun\""},
            {"sampler.eta=0.5", "deterministic"},
            {"guidance.7.scale=2", "no guidance rule number 7"},
            {"guidance=cgf", "\"cfg\""},
            {"schedule_operators.max=2", "clip.max"},
            {"prompt.size=3", "no parameters"},
            {"branch=5", "RUN:STEP"},
            {"branch=5:x", "RUN:STEP"},
            {"record_states=perhaps", "on or off"},
        };
        for (const auto& [assignment, hint] : wrong) {
            Recipe r;
            r.sampler = {std::string(assignment).starts_with("sampler.order") ? "deis" : "euler", {}};
            const Recipe before = r;
            try {
                cli::applySet(r, assignment);
                QFAIL(assignment);
            } catch (const Failure& e) {
                QVERIFY2(std::string(e.what()).find(hint) != std::string::npos, e.what());
            }
            QVERIFY2(r == before, assignment);
        }
        Recipe r;
        cli::applySet(r, "noise.seed=9007199254740993");
        QCOMPARE(integer(r.noise.params, "seed"), std::int64_t(9007199254740993));
        // The whole range of a seed, as text, in files and in use.
        for (const std::uint64_t seed :
             {std::uint64_t(9200000000000000001), ~std::uint64_t(0), std::uint64_t(1) << 63}) {
            cli::applySet(r, "noise.seed=" + std::to_string(seed));
            QCOMPARE(noiseSeed(r.noise, 0), seed);
            const auto back = recipeFromJson(Json::parse(toJson(r).dump()));
            QVERIFY(back && *back == r);
            Json number = toJson(r);
            number["noise"]["params"]["seed"] = seed;
            const auto read = recipeFromJson(number);
            QVERIFY(read && noiseSeed(read->noise, 0) == seed);
            Recipe ring;
            ring.model = "analytic:ring8";
            ring.guidance.clear();
            ring.noise = r.noise;
            const auto planned = plan(ring);
            QVERIFY2(planned.ok(), planned ? "" : planned.error().text.c_str());
            QCOMPARE(noiseSeed(planned->resolved.noise, 0), seed);
        }
        Json tooLarge = toJson(Recipe());
        tooLarge["images"] = 4294967297;
        QVERIFY(recipeFromJson(tooLarge).error().text.find("from 1 to 2147483647") != std::string::npos);
        // The plan checks by the same table.
        r = {};
        r.model = "analytic:two-classes";
        r.guidance.clear();
        r.classIndex = -1;
        QVERIFY(plan(r).error().text.find("from 0 to") != std::string::npos);
    }

    // Values with the separators of rows and parameters.
    void separatorsInsideValues() {
        Recipe r;
        cli::applySet(r, R"(guidance=cfg:scale=3|concepts:concepts=upper arc\|lower\: arc|nag:prompt=C\d)");
        QCOMPARE(r.guidance.size(), 3u);
        QCOMPARE(text(r.guidance[1].params, "concepts"), std::string("upper arc|lower: arc"));
        QCOMPARE(text(r.guidance[2].params, "prompt"), std::string("C\\d"));
        QVERIFY(call({"run", "--help"}).out.find("\\|") != std::string::npos);
    }

    // --- one rule, one place ---
    void aModelAloneIsARecipe() {
        const auto p = call({"plan", "--set", "model=builtin:sprites-dit", "--json"});
        QVERIFY2(p.status == 0, p.err.c_str());
        const Json recipe = Json::parse(p.out)["recipe"];
        QCOMPARE(recipe["sampler"]["id"].get<std::string>(), std::string("euler"));
        // What the model's own file recommends.
        QCOMPARE(recipe["guidance"][0]["params"]["scale"].get<double>(), 2.0);
        QCOMPARE(recipe["steps"].get<int>(), 20);
        QCOMPARE(call({"plan"}).status, 2);
        QCOMPARE(call({"plan", "--set", "steps=4"}).status, 2);
    }

    void branchesAndStartsFromTheCommandLine() {
        const std::string project = at("b.meander");
        const std::vector<std::string> ring{"run",   "--set",  "model=analytic:ring8", "--set", "images=8",
                                            "--set", "steps=6"};
        const auto with = [&](std::vector<std::string> more) {
            auto all = ring;
            all.insert(all.end(), more.begin(), more.end());
            return all;
        };
        QCOMPARE(call(with({"--project", project})).status, 0);
        // The run itself continued with nothing changed ends where it ended.
        auto a = call({"run", project, "--branch", "1:3", "-o", at("branch"), "--json"});
        QVERIFY2(a.status == 0, a.err.c_str());
        QCOMPARE(lastLine(a.out)["status"].get<std::string>(), std::string("finished"));
        QCOMPARE(call({"export", project, "--run", "1", "-o", at("parent")}).status, 0);
        const auto bytes = [&](const char* folder) {
            QFile file(m_folder.filePath(QString("%1/points.npy").arg(folder)));
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        QVERIFY(!bytes("branch").isEmpty());
        QCOMPARE(bytes("branch"), bytes("parent"));
        // By --project alone, and with another sampler.
        a = call({"run", "--branch", "1:2", "--project", project, "--set", "sampler=euler"});
        QVERIFY2(a.status == 0, a.err.c_str());
        a = call(with({"--project", project, "--set", "start=run", "--set", "start.run=1"}));
        QVERIFY2(a.status == 0, a.err.c_str());
        a = call({"plan", "--set", "model=analytic:ring8", "--set", "images=8", "--project", project, "--set",
                  "start=run:run=2"});
        QVERIFY2(a.status == 0, a.err.c_str());
        for (const auto& [arguments, hint] :
             {std::pair(std::vector<std::string>{"plan", project, "--branch", "9:1"}, "it has 1, 2, 3, 4"),
              std::pair(std::vector<std::string>{"plan", project, "--branch", "1:6"}, "no step 6"),
              std::pair(std::vector<std::string>{"plan", "--sample", "--branch", "1:2"}, "--project")}) {
            a = call(arguments);
            QVERIFY2(a.status == 1 && a.err.find(hint) != std::string::npos, a.err.c_str());
        }
    }

    // Samplers with levels of their own visit them under `sample` as in a run, or it refuses.
    void sampleVisitsTheLevelsOfTheSampler() {
        int walked = 0;
        for (const auto& s : samplers()) {
            if (!s.ownLevels) continue;
            ++walked;
            const std::vector<std::string> base{"sample", "--sampler", s.id,           "--process",
                                                "vp",     "--json",    "--show-levels"};
            const auto own = call(base);
            QVERIFY2(own.status == 0, (s.id + own.err).c_str());
            const Process vp = Process::vpScaledLinear(1000, 0.00085, 0.012);
            const auto scheduled = *makeSchedule("karras", vp, 10, {});
            const auto wanted = s.ownLevels(vp, scheduled, *resolveParams(s, {}));
            const auto levels = Json::parse(own.out)["levels"].get<std::vector<double>>();
            QCOMPARE(levels.size(), wanted.size());
            for (std::size_t k = 0; k < levels.size(); ++k)
                QVERIFY2(std::abs(levels[k] - wanted[k]) < 1e-9, s.id.c_str());
        }
        QCOMPARE(walked, 7);
        auto a = call({"sample", "--sampler", "dmd", "--process", "vp", "--param", "times=999,750,250", "--json",
                       "--show-levels"});
        QVERIFY2(a.status == 0, a.err.c_str());
        QCOMPARE(Json::parse(a.out)["levels"].size(), 4u);
        a = call(
            {"sample", "--sampler", "dmd", "--process", "vp", "--param", "times=999,750,250", "--levels", "14,3,0"});
        QVERIFY2(a.status == 2 && a.err.find("levels of its own") != std::string::npos, a.err.c_str());
    }

    // What gives no velocity is refused with one sentence, by likelihoods and by measurements of samplers.
    void modelsWithoutVelocity() {
        for (const char* kind : {"consistency", "lcm"}) {
            const std::string model = std::string("analytic:gaussian?distilled=") + kind;
            const auto a = call({"likelihood", model, "--points", "1"});
            const auto b = call({"bench", "matrix", "--model", model, "--samplers", "euler", "--schedules", "karras"});
            QVERIFY2(a.status == 1 && b.status == 1 && !a.err.empty(), (a.err + b.err).c_str());
            QCOMPARE(a.err, b.err);
        }
    }

    void customListsHaveTheirSteps() {
        auto a = call({"schedule", "custom", "--set", "values=14,7,2,0.5", "--row"});
        QVERIFY2(a.status == 0, a.err.c_str());
        QCOMPARE(a.out, std::string("14 7 2 0.5 0\n"));
        a = call({"schedule", "custom", "--set", "values=14,7,2,0.5", "--steps", "9", "--json"});
        QVERIFY2(a.status == 0, a.err.c_str());
        QVERIFY(Json::parse(a.out)["notes"].dump().find("instead of 9") != std::string::npos);
        a = call(
            {"sample", "--sampler", "euler", "--schedule", "custom", "--schedule-param", "values=14,7,2", "--json"});
        QVERIFY2(a.status == 0, a.err.c_str());
        QCOMPARE(Json::parse(a.out)["evaluations"].get<int>(), 3);
    }

    // Every event of a run counts the steps of its levels, which a rule may make other than the recipe says.
    void stepsAreThoseOfTheLevels() {
        const auto a = call({"run", "--set", "model=analytic:gaussian?process=sd15", "--set", "schedule=laplace",
                             "--set", "steps=8", "--set", "images=2", "--json", "-o", at("laplace")});
        QVERIFY2(a.status == 0, a.err.c_str());
        std::istringstream lines(a.out);
        std::set<int> steps;
        for (std::string line; std::getline(lines, line);) {
            const Json j = Json::parse(line);
            if (j["event"] != "queued" && j.contains("steps")) steps.insert(j["steps"].get<int>());
        }
        QCOMPARE(steps.size(), std::size_t(1));
    }
};

QTEST_GUILESS_MAIN(TestRecipeFields)
#include "tst_recipe_fields.moc"
