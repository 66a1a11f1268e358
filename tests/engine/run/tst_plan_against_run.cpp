// What the plan accepts, the run carries out: random recipes over all built-in models, and every sampler on every
// built-in model with 1, 2, 3 and 8 steps. No sentence that a person reads holds an internal word.
//
// The short form runs with the test list, always from the same seed, so that a failure there is a change of the
// program. The long form: MEANDER_FUZZ_RECIPES=2000 (how many), MEANDER_FUZZ_SEED=8 (which), MEANDER_WALK_ALL=1 (the
// walk over all models and all four numbers of steps).
#include <QtTest>
#include <algorithm>
#include <map>
#include <random>
#include <regex>
#include <set>

#include "engine/core/json.h"
#include "engine/guidance/guidance.h"
#include "engine/sampling/noise/noise.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;

namespace {

// Names of operations and of the standard library.
bool hasInternalWord(const std::string& sentence) {
    static const std::regex words(
        R"(\b(combine|combineRows|upload|download|slice|clone|stackRows|reshaped|gatheredRows|linear|reduceRows)\b: )"
        R"(|tensor is empty|std::|map::at|vector|basic_string|bad_alloc|bad_variant|invalid_argument|out_of_range)"
        R"(|nullptr|\[json|json\.exception|Wrong type)");
    return std::regex_search(sentence, words);
}

class RandomRecipes {
public:
    explicit RandomRecipes(unsigned seed) : m_random(seed) {
        for (const auto& m : builtInModels()) m_models.push_back(m.id);
    }

    Recipe next() {
        Recipe r;
        r.model = pick(m_models);
        r.steps = pick<int>({1, 1, 2, 3, 4, 5, 7, 10});
        r.seed = pick<std::uint64_t>({0, 1, std::uint64_t(1) << 63, ~std::uint64_t(0)});
        r.images = pick<int>({1, 2, 5});
        r.attention = AttentionLevel::Off;
        r.sampler = choice(pick(samplers()), 0.3);
        r.schedule = choice(pick(schedules()), 0.2);
        r.noise = choice(pick(noiseSources()), 0.1);
        r.noise.params.erase("seed");
        r.scheduleOperators.clear();
        r.guidance.clear();
        if (chance(0.3))
            for (int i = pick<int>({1, 2}); i > 0; --i)
                r.scheduleOperators.push_back(choice(pick(scheduleOperators()), 0.5));
        if (chance(0.5))
            for (int i = pick<int>({1, 2, 3}); i > 0; --i) r.guidance.push_back(choice(pick(guidanceRules()), 0.3));
        r.prompt.clear();
        if (r.model.find("sprites") != std::string::npos) {
            r.prompt = pick<std::string>({"a red circle above a blue square on a green background", "",
                                          "a green triangle left of a red circle on a gray background"});
            r.negativePrompt = pick<std::string>({"", "a blue square"});
        }
        if (r.model.find("classes") != std::string::npos) r.classIndex = pick<int>({0, 1});
        if (chance(0.15)) r.start = {"data", {{"strength", pick<double>({0.01, 0.5, 1.0})}}};
        return r;
    }

private:
    bool chance(double p) { return std::uniform_real_distribution<>()(m_random) < p; }
    template <class T> const T& pick(const std::vector<T>& list) {
        return list[std::uniform_int_distribution<std::size_t>(0, list.size() - 1)(m_random)];
    }
    // A value of the parameter: an end of its range, its default, or something near it.
    std::optional<ParamValue> value(const ParamSpec& p) {
        switch (p.kind) {
        case ParamKind::Toggle: return pick<ParamValue>({true, false});
        case ParamKind::Choice: return pick(p.choices).id;
        case ParamKind::Integer: {
            const auto low = std::int64_t(p.minimum), high = std::int64_t(std::min(p.maximum, 9e18));
            const auto* d = std::get_if<std::int64_t>(&p.defaultValue);
            const auto usual = d ? *d : low;
            return std::clamp(pick<std::int64_t>({low, std::min(high, low + 1), std::min(high, usual + 1), usual}), low,
                              high);
        }
        case ParamKind::Real: {
            const auto* d = std::get_if<double>(&p.defaultValue);
            const double low = p.minimum, high = p.maximum, usual = d ? *d : low;
            const double near = low + (std::min(high, low + 10) - low) * std::uniform_real_distribution<>()(m_random);
            return std::clamp(pick<double>({low, usual, usual * 1.5, near}), low, high);
        }
        default: return {};
        }
    }
    template <class Info> Choice choice(const Info& info, double share) {
        // What multiplies the work without making another way through the code.
        static const std::set<std::string> costly{"restarts",       "particles",       "subdivision",
                                                  "langevin_steps", "resamples",       "sweeps",
                                                  "inner_steps",    "corrector_steps", "iterations"};
        Choice c{info.id, {}};
        for (const ParamSpec& p : info.params)
            if (chance(share) && !costly.contains(p.key))
                if (auto v = value(p)) c.params[p.key] = *v;
        return c;
    }

    std::mt19937 m_random;
    std::vector<std::string> m_models;
};

// Rows of the network that a plan may cost here: a network of images is a thousand times slower than a law of points.
bool isAffordable(const Plan& p) {
    const double rows = double(p.evaluations) * p.resolved.images;
    return rows <= (p.model.state.kind == StateKind::Image && p.model.parameters > 0 ? 60 : 30'000);
}

int fromEnvironment(const char* name, int otherwise) {
    bool isGiven = false;
    const int v = qEnvironmentVariableIntValue(name, &isGiven);
    return isGiven ? v : otherwise;
}

struct Tally {
    int tried = 0, refused = 0, ran = 0;
    std::map<std::string, int> disagreements;  // by what was said
    std::string first;

    void disagree(const std::string& what, const Recipe& r) {
        if (++disagreements[what] == 1) qWarning("%s\n  %s", what.c_str(), toJson(r).dump().c_str());
    }
    int count() const {
        int n = 0;
        for (const auto& [what, k] : disagreements) n += k;
        return n;
    }
    void report(const char* title) const {
        qInfo("%s: %d recipes, %d refused by the plan, %d carried out, %d disagreements", title, tried, refused, ran,
              count());
        for (const auto& [what, n] : disagreements) qInfo("  %4d × %s", n, what.c_str());
    }
};

Recipe valueOrFail(Result<Recipe> r) {
    if (!r) qFatal("%s", r.error().text.c_str());
    return *r;
}

void carryOutAll(std::vector<Plan>& plans, Tally& tally) {
    const auto runs = fixture::carryOut(plans);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        ++tally.ran;
        if (!runs[i] || runs[i]->status != RunStatus::Finished)
            tally.disagree(plans[i].resolved.sampler.id + ": " + (runs[i] ? runs[i]->problem : "no end"),
                           plans[i].resolved);
    }
    plans.clear();
}

void offer(const Recipe& r, std::vector<Plan>& plans, Tally& tally) {
    auto p = plan(r);
    ++tally.tried;
    if (!p) {
        ++tally.refused;
        if (hasInternalWord(p.error().text) || p.error().text.size() < 15) tally.disagree("plan: " + p.error().text, r);
    } else if (isAffordable(*p)) {
        plans.push_back(std::move(*p));
    }
    if (plans.size() >= 64) carryOutAll(plans, tally);
}

}  // namespace

class TestPlanAgainstRun : public QObject {
    Q_OBJECT
private slots:
    void internalWordsAreFound() {
        QVERIFY(hasInternalWord("combine: a tensor is empty"));
        QVERIFY(hasInternalWord("map::at"));
        QVERIFY(!hasInternalWord("Steps must lie between 1 and 10000."));
    }

    // What long walks have found, each with what is right now: a refusal of the plan, or a run to its end.
    void found_data() {
        QTest::addColumn<QString>("recipe");
        QTest::addColumn<QString>("refusal");
        const auto row = [](const char* name, const char* recipe, const char* refusal = "") {
            QTest::newRow(name) << recipe << refusal;
        };
        row("blur on points", R"({"model": "builtin:flow2d-moons", "steps": 4,
            "sampler": {"id": "restoration_degradation", "params": {"corruption": "blur"}}})",
            "Restoration.degradation: Blur and pixelation need images.*Noise alone");
        row("pixelation on points", R"({"model": "analytic:ring8", "steps": 4,
            "sampler": {"id": "restoration_degradation", "params": {"corruption": "pixelate"}}})",
            "Blur and pixelation need images.*Noise alone");
        row("Langevin that diverges", R"({"model": "builtin:flow2d-eight-gaussians-shortcut", "steps": 10,
            "sampler": {"id": "langevin", "params": {"step": 8.99933024367265}}})",
            "with a step size above 2 every step leads further away");
        row("Langevin that rejects", R"({"model": "analytic:ring8", "steps": 6,
            "sampler": {"id": "langevin", "params": {"step": 8.99933024367265, "mala": true}}})");
        row("Langevin from just below pure noise", R"({"model": "analytic:hyperboloid", "steps": 5, "images": 5,
            "sampler": {"id": "langevin"}, "schedule": {"id": "beta", "params": {"dialect": "comfyui", "shift": 0.01,
            "spacing": "linspace"}}})");
        row("ε of a flow at pure noise", R"({"model": "builtin:flow2d-moons", "steps": 4,
            "checkpoint": {"id": "declared", "params": {"prediction": "epsilon"}}})",
            "At pure noise a prediction of epsilon says nothing");
        row("EDM's time of a flow at pure noise", R"({"model": "builtin:flow2d-moons", "steps": 4,
            "checkpoint": {"id": "declared", "params": {"prediction": "EDM preconditioning"}}})",
            "At pure noise the time .* is infinite");
        row("a Brownian path down from 0", R"({"model": "builtin:flow2d-moons-consistency", "steps": 1,
            "sampler": {"id": "euler_negative"},
            "noise": {"id": "brownian", "params": {"high": 0.0, "low": 0.0}}})",
            "The Brownian path leads from level 0 to 0");
        row("a Brownian path that climbs", R"({"model": "analytic:ring8", "steps": 5,
            "sampler": {"id": "euler_ancestral"},
            "noise": {"id": "brownian", "params": {"high": 1.0, "low": 2.0}}})",
            "The Brownian path leads from level 1 to 2");
        for (const char* sampler : {"lms", "euler_ancestral", "dpmpp_2m_sde_heun"})
            row(qPrintable(QString("a Brownian path without length, %1").arg(sampler)),
                qPrintable(QString(R"({"model": "builtin:flow2d-checkerboard-reflow", "steps": 10, "images": 2,
            "start": {"id": "data", "params": {"strength": 0.01}}, "sampler": {"id": "%1"},
            "schedule": {"id": "logit_normal", "params": {"logsnr_max": -60.0, "std": 1.75, "tokens": 4096}},
            "noise": {"id": "brownian"}})")
                               .arg(sampler)));
        for (const auto& [sampler, schedule] : {std::pair("ctm", "uniform_t"),
                                                {"dpmpp_sde", "sgm_uniform"},
                                                {"rk4", "vp"},
                                                {"accelerated_sde", "tangent"},
                                                {"euler_negative", "tangent"}})
            for (const char* space : {"hyperboloid", "sphere", "torus"})
                row(qPrintable(QString("%1 off the %2").arg(sampler, space)),
                    qPrintable(QString(R"({"model": "analytic:%1", "steps": 10, "images": 16,
            "sampler": {"id": "%2"}, "schedule": {"id": "%3"}})")
                                   .arg(space, sampler, schedule)));
    }
    void found() {
        QFETCH(QString, recipe);
        QFETCH(QString, refusal);
        Recipe r = valueOrFail(recipeFromJson(Json::parse(recipe.toStdString())));
        r.attention = AttentionLevel::Off;
        auto p = plan(r);
        if (!refusal.isEmpty()) {
            QVERIFY(!p.ok());
            const QRegularExpression says(refusal, QRegularExpression::DotMatchesEverythingOption);
            QVERIFY2(says.match(QString::fromStdString(p.error().text)).hasMatch(), p.error().text.c_str());
            return;
        }
        QVERIFY2(p.ok(), p.ok() ? "" : p.error().text.c_str());
        std::vector<Plan> plans{std::move(*p)};
        Tally tally;
        carryOutAll(plans, tally);
        QCOMPARE(tally.count(), 0);
    }

    void randomRecipes() {
        const int count = fromEnvironment("MEANDER_FUZZ_RECIPES", 400);
        const unsigned seed = unsigned(fromEnvironment("MEANDER_FUZZ_SEED", 7));
        qInfo("seed %u", seed);
        RandomRecipes recipes(seed);
        Tally tally;
        std::vector<Plan> plans;
        for (int i = 0; i < count; ++i) offer(recipes.next(), plans, tally);
        carryOutAll(plans, tally);
        tally.report("random recipes");
        QVERIFY(tally.ran > count / 5);
        QCOMPARE(tally.count(), 0);
    }

    void everySamplerOnEveryModel() {
        const bool isLong = fromEnvironment("MEANDER_WALK_ALL", 0) != 0;
        const std::set<std::string> cheap{"analytic:ring8",
                                          "analytic:two-classes",
                                          "analytic:ring8?process=flow",
                                          "builtin:flow2d-moons",
                                          "builtin:flow2d-moons-consistency",
                                          "builtin:flow2d-moons-shortcut"};
        Tally tally;
        std::vector<Plan> plans;
        for (const auto& m : builtInModels()) {
            const auto info = inspectModel(m.id);
            QVERIFY2(info.ok(), m.id.c_str());
            const bool isCheap = cheap.contains(m.id);
            for (const auto& s : samplers())
                for (const int steps : {1, 2, 3, 8}) {
                    if (!isLong && !isCheap && steps != 2) continue;
                    if (!isLong && info->state.kind == StateKind::Image && info->parameters > 0 && steps != 1) continue;
                    Recipe r = recommendedRecipe(*info);
                    r.sampler = {s.id, {}};
                    r.steps = steps;
                    r.images = 2;
                    r.attention = AttentionLevel::Off;
                    if (s.needsData || s.inverts) r.start = {"data", {}};
                    offer(r, plans, tally);
                }
        }
        carryOutAll(plans, tally);
        tally.report("every sampler on every model");
        QCOMPARE(tally.count(), 0);
    }
};

QTEST_GUILESS_MAIN(TestPlanAgainstRun)
#include "tst_plan_against_run.moc"
