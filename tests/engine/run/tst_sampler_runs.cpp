// Samplers through recipes: what plan and run say of settings at the edge, replay of every sampler, and oracles that
// hold below the product's border as well as through it.
#include <QtTest>
#include <cmath>
#include <map>
#include <mutex>

#include "engine/models/analytic/exact_jump.h"
#include "engine/run/engine.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

using namespace meander;

namespace {

using RunPtr = std::shared_ptr<const Run>;

// Carries out what can be planned, all at once.
std::vector<RunPtr> carryOut(const std::vector<Plan>& plans) {
    std::mutex mutex;
    std::map<std::string, RunPtr> ended;
    std::vector<std::string> ids;
    {
        Engine engine({"cpu"}, [&](const RunEvent& e) {
            const std::lock_guard lock(mutex);
            if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) ended[e.runId] = e.run;
        });
        for (const Plan& p : plans) ids.push_back(engine.submit(p));
        engine.waitIdle();
    }
    std::vector<RunPtr> runs;
    for (const auto& id : ids) runs.push_back(ended.at(id));
    return runs;
}
RunPtr carryOut(const Recipe& r) {
    const auto p = plan(r);
    if (!p) throw Failure(p.error().text);
    return carryOut(std::vector{*p}).front();
}

Recipe recipe(const char* model, const char* sampler, int steps = 6, const char* schedule = "karras") {
    Recipe r;
    r.model = model;
    r.images = 8;
    r.steps = steps;
    r.sampler = {sampler, {}};
    r.schedule = {schedule, {}};
    return r;
}
Recipe fromData(Recipe r, double strength = 1) {
    r.start = {"data", {{"strength", strength}}};
    return r;
}
// A recipe that the sampler accepts.
Recipe fitting(const SamplerInfo& info, const char* model, int steps) {
    Recipe r = recipe(model, info.id.c_str(), steps, "uniform_t");
    return info.inverts || info.needsData ? fromData(std::move(r)) : r;
}

QString notes(const Recipe& r, const char* key) {
    const auto p = plan(r);
    if (!p) return QString::fromStdString(p.error().text);
    QString text;
    for (const PlanNote& n : p->notes)
        if (n.key == key) text += QString::fromStdString(n.text) + "\n";
    return text;
}

}  // namespace

class TestSamplerRuns : public QObject {
    Q_OBJECT
private slots:
    // Brownian noise in one to three steps: nothing is drawn on a step to clean, and a path of one level still has a
    // length. Every sampler, on exact models without a condition, so CFG++ steps with the only estimate there is.
    void everySamplerOnAShortPath_data() {
        QTest::addColumn<QString>("model");
        for (const char* process : {"edm", "sd15", "flow"})
            QTest::newRow(process) << QString("analytic:gaussian2?process=") + process;
    }
    void everySamplerOnAShortPath() {
        QFETCH(QString, model);
        std::vector<Plan> plans;
        QStringList names;
        for (const auto& info : samplers())
            for (const int steps : {1, 2, 3}) {
                Recipe r = fitting(info, qPrintable(model), steps);
                r.noise = {"brownian", {}};
                const auto p = plan(r);
                QVERIFY2(p.ok(), qPrintable(QString("%1 %2: %3")
                                                .arg(QString::fromStdString(info.id))
                                                .arg(steps)
                                                .arg(QString::fromStdString(p.ok() ? std::string() : p.error().text))));
                plans.push_back(*p);
                names.append(QString("%1, %2 steps").arg(QString::fromStdString(info.id)).arg(steps));
            }
        const auto runs = carryOut(plans);
        QStringList failed;
        for (std::size_t i = 0; i < runs.size(); ++i)
            if (runs[i]->status != RunStatus::Finished) failed.append(names[int(i)] + ": " + runs[i]->problem.c_str());
        qInfo("%d of %d failed", int(failed.size()), int(runs.size()));
        QVERIFY2(failed.isEmpty(), qPrintable(failed.join('\n')));
    }

    // Settings that only together are impossible, or that the model has no use for, are refused by the plan.
    void refusals_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("params");
        QTest::addColumn<QString>("noise");
        QTest::newRow("stages of dpmpp_3s") << "dpmpp_3s"
                                            << R"({"r1": 0.8, "r2": 0.3})"
                                            << "{}";
        QTest::newRow("stages of seeds_3") << "seeds_3"
                                           << R"({"r_1": 0.8, "r_2": 0.3})"
                                           << "{}";
        QTest::newRow("walls exchanged") << "reflected"
                                         << R"({"low": 1.0, "high": -1.0})"
                                         << "{}";
        QTest::newRow("resized noise of points") << "euler"
                                                 << "{}"
                                                 << R"({"resize_width": 32})";
        QTest::newRow("round trip from noise") << "cycle_sde"
                                               << "{}"
                                               << "{}";
    }
    void refusals() {
        QFETCH(QString, sampler);
        QFETCH(QString, params);
        QFETCH(QString, noise);
        Recipe r = recipe("analytic:gaussian2", qPrintable(sampler));
        r.sampler.params = *paramsFromJson(Json::parse(params.toStdString()));
        r.noise.params = *paramsFromJson(Json::parse(noise.toStdString()));
        const auto p = plan(r);
        QVERIFY(!p.ok());
        QVERIFY2(p.error().text.size() > 30 && p.error().text.ends_with('.'), p.error().text.c_str());
    }

    // Up and down again through a recipe: the data, to rounding, in every process.
    void cycleReconstructs_data() {
        QTest::addColumn<QString>("process");
        QTest::addColumn<double>("strength");
        for (const char* process : {"edm", "sd15", "flow"})
            for (const double strength : {0.3, 0.6, 1.0})
                QTest::addRow("%s %g", process, strength) << process << strength;
    }
    void cycleReconstructs() {
        QFETCH(QString, process);
        QFETCH(double, strength);
        Recipe r = recipe("", "cycle_sde", 40, process == "flow" ? "uniform_t" : "karras");
        r.model = "analytic:ring8?process=" + process.toStdString();
        r.images = 64;
        const auto run = carryOut(fromData(r, strength));
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        const Trajectory& t = *run->trajectory;
        QCOMPARE(int(t.steps.size()), 2 * std::max(1, int(40 * strength + 1e-9)));
        const auto start = t.initial.toDoubles(), end = t.last().toDoubles();
        const auto top = *std::max_element(t.levels.begin(), t.levels.end());
        double worst = 0, away = 0;
        const auto middle = t.stateAt(int(t.steps.size()) / 2).toDoubles();
        for (std::size_t i = 0; i < start.size(); ++i) {
            worst = std::max(worst, std::abs(end[i] - start[i]));
            away = std::max(away, std::abs(middle[i] - start[i]));
        }
        qInfo("reconstruction %.1e, from level %g", worst, top);
        QVERIFY2(worst < 1e-5, qPrintable(QString::number(worst)));
        QVERIFY(away > 0.1 * top);
    }
    // Guidance changes the way down, so that the result moves from the data but keeps close to it.
    void cycleEdits() {
        Recipe r = fromData(recipe("analytic:two-classes?process=sd15", "cycle_sde", 30), 0.5);
        r.classIndex = 1;
        const auto run = carryOut(r);
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        const auto again = plan(run->recipe);
        QVERIFY(again.ok());
        QCOMPARE(again->levels, run->trajectory->levels);
    }

    // Phased students of a Gaussian, from recipe to result: exact at every number of steps.
    void phasesThroughARecipe() {
        for (const int steps : {1, 2, 4, 8, 16}) {
            Recipe r = recipe("analytic:gaussian2?process=sd15&distilled=phased", "pcm", steps);
            r.sampler.params = {{"phases", std::int64_t(4)}};
            const auto run = carryOut(r);
            QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
            const Trajectory& t = *run->trajectory;
            QCOMPARE(int(t.steps.size()), std::min(steps, 4));
            const Mixture g(2, {0.5, -0.25}, {1.0, 0.09});
            const auto y = t.initial.toDoubles(), got = t.last().toDoubles();
            double sum = 0;
            for (std::size_t i = 0; i < y.size(); i += 2) {
                const auto want = exactFlowMap(g, run->model.process, t.levels.front(), 0, std::span(y).subspan(i, 2));
                for (std::size_t k = 0; k < 2; ++k) sum += (got[i + k] - want[k]) * (got[i + k] - want[k]);
            }
            QVERIFY2(std::sqrt(sum / double(y.size())) < 1e-9, qPrintable(QString::number(std::sqrt(sum))));
        }
    }

    // One-step generators start from N(0, 1) in native states at whatever time they were trained at; τ alone would be
    // 0.754 of it at step 399.
    void generatorsStartAtUnitVariance() {
        Recipe r = recipe("analytic:gaussian2?process=sd15&distilled=consistency", "dmd", 1);
        r.images = 20000;
        for (const double time : {999.0, 399.0, 100.0}) {
            r.sampler.params = {{"times", std::vector<double>{time}}};
            const auto run = carryOut(r);
            const double scale = run->model.process.nativeScale(run->trajectory->levels.front());
            double square = 0;
            const auto y = run->trajectory->initial.toDoubles();
            for (const double v : y) square += scale * scale * v * v / double(y.size());
            QVERIFY2(std::abs(std::sqrt(square) - 1) < 0.015, qPrintable(QString::number(std::sqrt(square))));
        }
        r.noise.params = {{"initial_scale", std::string("level")}};  // a wish is a wish
        QCOMPARE(text(plan(r)->resolved.noise.params, "initial_scale"), std::string("level"));
    }

    // Inner steps of a long Langevin chain are independent of those of the next level.
    void longChainsDrawFreshNoise() {
        Recipe r = recipe("analytic:gaussian", "langevin", 2);
        r.images = 1;
        r.sampler.params = {{"langevin_steps", std::int64_t(2200)}, {"step", 0.01}};
        const auto run = carryOut(r);
        QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
    }

    void notesAreTrue() {
        // dpm_fast keeps a budget and has no tolerance; adaptive samplers say that images depend on each other.
        Recipe r = recipe("analytic:gaussian2", "dpm_fast", 12);
        QVERIFY(!notes(r, "sampler").contains("tolerance"));
        r.sampler = {"dpm_adaptive", {}};
        QVERIFY(notes(r, "sampler").contains("tolerance") && notes(r, "sampler").contains("beside it"));
        r.images = 1;
        QVERIFY(!notes(r, "sampler").contains("beside it"));
        // One level of Langevin dynamics is no mean of what the model expects.
        QVERIFY(!notes(recipe("analytic:gaussian2", "langevin", 1), "steps").contains("mean"));
        QVERIFY(notes(recipe("analytic:gaussian2", "euler", 1), "steps").contains("mean"));
        QVERIFY(notes(recipe("analytic:gaussian2?distilled=consistency", "dmd", 1), "sampler").isEmpty());
        QVERIFY(notes(recipe("analytic:gaussian2?process=flow", "ddpm", 20, "uniform_t"), "sampler")
                    .contains("Keep the marginal"));
        // Guidance: an interval that no level meets, scale 0, CFG++ at ordinary scales.
        Recipe guided = recipe("analytic:two-classes?process=sd15", "euler", 10);
        guided.classIndex = 0;
        const auto with = [&](Params p, const char* sampler = "euler") {
            Recipe g = guided;
            g.sampler = {sampler, {}};
            g.guidance = {{"cfg", std::move(p)}};
            return notes(g, "guidance");
        };
        QVERIFY(with({{"scale", 2.0}}).isEmpty());
        QVERIFY(with({{"scale", 2.0}, {"sigma_high", 1e-4}}).contains("no level"));
        QVERIFY(with({{"scale", 0.0}}).contains("ignored"));
        QVERIFY(with({{"scale", 7.0}}, "euler_cfg_pp").contains("overshoots"));
        QVERIFY(with({{"scale", 1.2}}, "euler_cfg_pp").isEmpty());
        // Every rule with a scale, in each way that it can be 0, and every rule that CFG++ takes a difference of.
        const auto rule = [&](const char* id, Params p, const char* sampler = "euler") {
            Recipe g = guided;
            g.sampler = {sampler, {}};
            g.guidance = {{id, std::move(p)}};
            const auto made = plan(g);
            if (!made) return QString::fromStdString(made.error().text);
            return notes(g, "guidance");
        };
        const std::vector<double> zeros{0, 0}, eights{8, 8};
        for (const auto& [id, p] : std::initializer_list<std::pair<const char*, Params>>{
                 {"cfg", {{"curve", zeros}}},
                 {"apg", {{"scale", 0.0}}},
                 {"cfg_zero_star", {{"scale", 0.0}}},
                 {"magnitude_aware", {{"scale", 0.0}}},
                 {"progressive_cfg", {{"first", 0.0}, {"last", 0.0}}},
                 {"perp_neg", {{"scale", 0.0}}},
                 {"residual_cfg", {{"scale", 0.0}}},
                 {"autoguidance", {{"scale", 0.0}, {"model", std::string("analytic:two-classes?process=sd15")}}}})
            QVERIFY2(rule(id, p).contains("at scale 0"), qPrintable(QString(id) + ": " + rule(id, p)));
        Recipe image = recommendedRecipe(*inspectModel("builtin:sprites-unet"));
        image.prompt = "a red circle";
        image.steps = 10;
        for (const auto& [id, p] : std::initializer_list<std::pair<const char*, Params>>{
                 {"frequency_decoupled", {{"scales", zeros}}},
                 {"nag", {{"scale", 0.0}}},
                 {"pag", {{"scale", 0.0}, {"formulation", std::string("extrapolate")}}},
                 {"slg", {{"scale", 0.0}, {"formulation", std::string("extrapolate")}}}}) {
            image.guidance = {{id, p}};
            QVERIFY2(notes(image, "guidance").contains("at scale 0"),
                     qPrintable(QString(id) + notes(image, "guidance")));
        }
        for (const auto& [id, p] :
             std::initializer_list<std::pair<const char*, Params>>{{"cfg", {{"curve", eights}}},
                                                                   {"progressive_cfg", {{"first", 8.0}, {"last", 2.0}}},
                                                                   {"perp_neg", {{"scale", 7.5}}},
                                                                   {"apg", {{"scale", 7.5}}}})
            QVERIFY2(rule(id, p, "euler_cfg_pp").contains("overshoots"),
                     qPrintable(QString(id) + ": " + rule(id, p, "euler_cfg_pp")));
        // An interval between two steps is not empty, and is said to be missed.
        const QString missed = with({{"scale", 2.0}, {"from", 0.99}, {"to", 0.995}});
        QVERIFY2(missed.contains("none of the 10 steps") && !missed.contains("empty"), qPrintable(missed));
        QVERIFY(with({{"scale", 2.0}, {"from", 0.5}, {"to", 0.5}}).contains("empty"));
        // Advice for runs from noise is not given to others.
        Recipe up = recipe("analytic:ring8?process=sd15", "ddim_inversion", 1);
        up.start = {"data", {}};
        QVERIFY2(!notes(up, "steps").contains("mean"), qPrintable(notes(up, "steps")));
        up.steps = 6;
        up.schedule = {"custom", {{"values", std::vector<double>{14, 5, 0}}}};
        QVERIFY2(!notes(up, "schedule").contains("last jump") && !notes(up, "schedule").contains("starts at"),
                 qPrintable(notes(up, "schedule")));
        Recipe from = recipe("analytic:ring8?process=sd15", "euler", 10);
        from.schedule = {"karras", {{"max", 5.0}}};
        QVERIFY(notes(from, "schedule").contains("less signal"));
        from.start = {"data", {{"strength", 0.5}}};
        QVERIFY2(!notes(from, "schedule").contains("less signal"), qPrintable(notes(from, "schedule")));
        // A last jump from above the data's deviation, and a last level far below the model's.
        Recipe jump = recipe("analytic:gaussian2", "euler", 2, "custom");
        jump.schedule.params = {{"values", std::vector<double>{80, 20, 0}}};
        QVERIFY2(notes(jump, "schedule").contains("last jump"), qPrintable(notes(jump, "schedule")));
        jump.schedule.params = {{"values", std::vector<double>{80, 1, 1e-5, 0}}};
        QVERIFY2(notes(jump, "schedule").contains("far below"), qPrintable(notes(jump, "schedule")));
        jump.schedule.params = {{"values", std::vector<double>{80, 1, 0.01, 0}}};
        QVERIFY2(!notes(jump, "schedule").contains("last"), qPrintable(notes(jump, "schedule")));
    }
};

QTEST_GUILESS_MAIN(TestSamplerRuns)
#include "tst_sampler_runs.moc"
