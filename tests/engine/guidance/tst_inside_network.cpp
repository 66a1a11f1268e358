// Rules that change the network inside, through recipes on the U-Net and the diffusion transformer: muted heads against
// the hook itself, reused features against a network that is given the residuals of the evaluation before.
#include "tests/engine/guidance/engine_run.h"

#include <map>

#include "engine/analysis/diagnostics.h"
#include "engine/analysis/reuse_error.h"
#include "engine/guidance/guidance.h"
#include "engine/interventions/intervention.h"
#include "engine/process/parametrization.h"
#include "engine/run/branching.h"

using namespace meander;
using namespace meander::bench;

namespace {

Recipe sprites(const QString& model, std::vector<Choice> guidance, int steps = 6) {
    Recipe r;
    r.model = "builtin:" + model.toStdString();
    r.prompt = "a red circle above a blue square on a white background";
    r.images = 2;
    r.steps = steps;
    r.attention = AttentionLevel::Off;
    r.sampler = {model == "sprites-dit" ? "euler" : "ddim", {}};
    r.schedule = {"uniform_t", {}};
    r.guidance = std::move(guidance);
    return r;
}

Choice muted(int head, double scale = 0) {
    return {"mute_head", {{"layers", std::string("all")}, {"head", std::int64_t(head)}, {"scale", scale}}};
}
Choice reuse(int every, const std::string& part = "block") {
    return {"feature_reuse", {{"layers", std::string("all")}, {"part", part}, {"every", std::int64_t(every)}}};
}

Choice every(const char* id, std::int64_t n) { return {id, {{"every", n}}}; }

// Goes on from the run's own record.
std::shared_ptr<const Run> resumed(std::shared_ptr<const Run> run) {
    std::shared_ptr<const Run> ended;
    {
        EngineOptions options;
        options.device = "cpu";
        Engine engine(options, [&](const RunEvent& e) {
            if (e.kind == RunEventKind::Finished || e.kind == RunEventKind::Failed) ended = e.run;
        });
        engine.submit(std::vector<Submission>{{.plan = planned(run->recipe), .interrupted = run, .id = run->id}});
        engine.waitIdle();
    }
    if (!ended || ended->status != RunStatus::Finished) qFatal("%s", ended ? ended->problem.c_str() : "no end");
    return ended;
}

// Keeps the residual of every site of a kind, and gives it back.
struct Residuals final : nn::SiteHook {
    nn::SiteKind kind = nn::SiteKind::Block;
    bool isReplayed = false;
    std::map<std::string, Tensor> kept;
    bool actsAt(const nn::Site& site) const override { return site.kind == kind; }
    bool observesResidual(const nn::SiteCall&) const override { return !isReplayed; }
    void after(const nn::SiteCall& call, const Tensor& residual) override {
        if (!isReplayed) kept[call.site.path] = residual;
    }
    nn::Decision before(const nn::SiteCall& call) override {
        if (!isReplayed) return {};
        return {nn::Decision::Reuse, kept.at(call.site.path)};
    }
};

// The network by itself at a recorded request.
class Bare {
public:
    explicit Bare(const Recipe& r)
        : m_backend(kernels::createCpuBackend({1})), m_model(std::move(*loadModel(r.model, *m_backend))) {
        m_condition = m_model->condition({r.prompt, {}, false});
    }
    HostTensor denoised(const Evaluation& e, const nn::SiteHookPtr& hook = {}) {
        const ModelInfo& info = m_model->info();
        const Conversion c = conversionAt(info.process, info.parametrization, e.tau, info.sigmaData);
        const Tensor y = upload(*m_backend, e.state);
        const auto rows = std::size_t(y.rows());
        NetworkBatch b;
        b.x = c.input == 1 ? y : combine({{c.input, y}});
        b.times.assign(rows, c.time);
        b.taus.assign(rows, e.tau);
        b.targets.assign(rows, 0);
        b.conditioning.assign(rows, m_condition);
        if (hook) b.hooks.add(hook, 0, y.rows());
        const Tensor output = m_model->predict(b);
        return download(
            info.parametrization == Parametrization::X0 ? output : combine({{c.fromState, y}, {c.fromOutput, output}}));
    }
    const ModelInfo& info() const { return m_model->info(); }

private:
    std::unique_ptr<Backend> m_backend;
    std::unique_ptr<Model> m_model;
    ConditioningPtr m_condition;
};

double largest(const HostTensor& a, const HostTensor& b) {
    double d = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) d = std::max(d, std::abs(a.at(i) - b.at(i)));
    return d;
}

}  // namespace

class TestInsideNetwork : public QObject {
    Q_OBJECT
    static void models() {
        QTest::addColumn<QString>("model");
        QTest::newRow("U-Net") << "sprites-unet";
        QTest::newRow("transformer") << "sprites-dit";
    }

private slots:
    void neutralSettings_data() { models(); }
    void neutralSettings() {
        QFETCH(QString, model);
        const auto plain = runOne(sprites(model, {}));
        for (const Choice& rule : {muted(1, 1), reuse(1)}) {
            const Recipe r = sprites(model, {rule});
            QVERIFY(!planned(r).guidance[0].idle.empty());
            QCOMPARE(planned(r).guidance[0].reusing, 0);
            QVERIFY2(sameRecord(*runOne(r), *plain), rule.id.c_str());
        }
    }

    void mutedHeads_data() { models(); }
    void mutedHeads() {
        QFETCH(QString, model);
        const Recipe plain = sprites(model, {}), first = sprites(model, {muted(0)}),
                     second = sprites(model, {muted(1)}), half = sprites(model, {muted(0, 0.5)});
        QCOMPARE(planned(first).evaluations, planned(plain).evaluations);
        const auto together = runTogether({plain, first, second, half});
        for (const auto& run : together) QCOMPARE(run->status, RunStatus::Finished);
        QVERIFY(sameRecord(*runOne(first), *together[1]));
        Bare network(plain);
        for (const auto& [run, choice] : {std::pair(together[1], muted(0)), std::pair(together[2], muted(1)),
                                          std::pair(together[3], muted(0, 0.5))}) {
            const auto hook = makeHook(choice, {network.info(), {}});
            for (const auto& e : run->trajectory->evaluations) {
                QVERIFY(largest(e->denoised, network.denoised(*e, hook)) < 1e-5);
                QVERIFY(largest(e->denoised, network.denoised(*e)) > 1e-3);
            }
        }
    }

    void windowsHold_data() { models(); }
    void windowsHold() {
        QFETCH(QString, model);
        Choice late = muted(0);
        late.params["from"] = 0.5;
        const auto run = runOne(sprites(model, {late})), plain = runOne(sprites(model, {}));
        for (std::size_t k = 0; k < 3; ++k)
            QVERIFY(run->trajectory->evaluations[k]->denoised.sameBits(plain->trajectory->evaluations[k]->denoised));
        QVERIFY(run->trajectory->evaluations[3]->state.sameBits(plain->trajectory->evaluations[3]->state));
        QVERIFY(!run->trajectory->evaluations[3]->denoised.sameBits(plain->trajectory->evaluations[3]->denoised));
    }

    // Evaluations between two whole ones are the network with the residuals of the whole one before; their number is
    // the plan's.
    void reusedFeatures_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("part");
        QTest::addColumn<int>("every");
        for (const char* model : {"sprites-unet", "sprites-dit"})
            for (const char* part : {"block", "feed_forward"})
                for (const int every : {2, 3, 100})
                    QTest::addRow("%s, %s, every %d", model, part, every) << model << part << every;
    }
    void reusedFeatures() {
        QFETCH(QString, model);
        QFETCH(QString, part);
        QFETCH(int, every);
        const Recipe r = sprites(model, {reuse(every, part.toStdString())});
        const Plan p = planned(r);
        QCOMPARE(p.evaluations, 6);
        const auto run = runOne(r);
        QCOMPARE(run->evaluations, 6);
        Bare network(r);
        const auto residuals = std::make_shared<Residuals>();
        residuals->kind = part == "block" ? nn::SiteKind::Block : nn::SiteKind::FeedForward;
        int reusing = 0;
        for (const auto& e : run->trajectory->evaluations) {
            residuals->isReplayed = e->index % every != 0;
            reusing += residuals->isReplayed;
            QVERIFY(largest(e->denoised, network.denoised(*e, residuals)) < 1e-5);
            const double toWhole = largest(e->denoised, network.denoised(*e));
            QVERIFY2(residuals->isReplayed ? toWhole > 1e-4 : toWhole < 1e-5, qPrintable(QString::number(toWhole)));
        }
        QCOMPARE(p.guidance[0].reusing, reusing);
    }

    // Each branch counts for itself, a second evaluation in a step too; a window shortens the count.
    void reuseIsCounted_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<bool>("guided");
        QTest::addColumn<double>("from");
        QTest::addColumn<int>("evaluations");
        QTest::addColumn<int>("reusing");
        QTest::newRow("Euler") << "euler" << false << 0.0 << 6 << 3;
        QTest::newRow("Euler, guided") << "euler" << true << 0.0 << 12 << 6;
        QTest::newRow("Heun") << "heun" << false << 0.0 << 11 << 5;
        QTest::newRow("Heun, guided") << "heun" << true << 0.0 << 22 << 10;
        QTest::newRow("second half") << "euler" << false << 0.5 << 6 << 1;
    }
    void reuseIsCounted() {
        QFETCH(QString, sampler);
        QFETCH(bool, guided);
        QFETCH(double, from);
        QFETCH(int, evaluations);
        QFETCH(int, reusing);
        Choice rule = reuse(2);
        rule.params["from"] = from;
        Recipe r = sprites("sprites-dit", {rule});
        r.sampler = {sampler.toStdString(), {}};
        if (guided) r.guidance.push_back({"cfg", {{"scale", 2.0}}});
        const Plan p = planned(r);
        QCOMPARE(p.evaluations, evaluations);
        QCOMPARE(p.guidance[0].reusing, reusing);
        QCOMPARE(p.guidance[0].evaluations, 0);
        QVERIFY(std::any_of(p.notes.begin(), p.notes.end(), [&](const PlanNote& n) {
            return n.key == "guidance"
                   && n.text.find(std::to_string(reusing) + " of " + std::to_string(evaluations)) != std::string::npos;
        }));
        QCOMPARE(runOne(r)->evaluations, evaluations);
    }
    // Runs that share calls keep their features apart.
    void reuseInSharedCalls() {
        const Recipe a = sprites("sprites-dit", {reuse(2)}), b = sprites("sprites-dit", {reuse(3)});
        Recipe c = a;
        c.seed = a.seed + 5;
        const auto together = runTogether({a, b, c});
        QVERIFY(sameRecord(*together[0], *runOne(a)));
        QVERIFY(sameRecord(*together[1], *runOne(b)));
        QVERIFY(sameRecord(*together[2], *runOne(c)));
    }
    // Every rule that keeps features, guided, on both networks.
    static std::vector<Choice> caches(const QString& model) {
        std::vector<Choice> all{reuse(3),
                                {"first_block_cache", {{"threshold", 0.3}}},
                                {"tea_cache", {{"threshold", 0.4}}},
                                {"sea_cache", {{"threshold", 0.4}}},
                                {"taylor_seer", {{"every", std::int64_t(3)}, {"order", std::int64_t(2)}}}};
        if (model == "sprites-unet") all.push_back({"deep_cache", {{"every", std::int64_t(3)}}});
        return all;
    }
    static Recipe cached(const QString& model, const Choice& rule, const char* sampler = "euler", int steps = 8) {
        Recipe r = sprites(model, {rule, {"cfg", {{"scale", 2.0}}}}, steps);
        r.sampler = {sampler, {}};
        return r;
    }
    static double savedIn(const Evaluation& e) {
        for (const Metric& m : e.metrics)
            if (m.name == savedWorkName) return m.values.at(0);
        return -1;
    }

    void cachesAreReplayed_data() { models(); }
    // A branch with nothing changed, from every step, and a run interrupted behind any evaluation: the same bits. What
    // they need of the features is made again, and no more.
    void cachesAreReplayed() {
        QFETCH(QString, model);
        // Every rule with one sampler and a few steps, with MEANDER_WALK_ALL with all.
        const bool isWhole = qEnvironmentVariableIsSet("MEANDER_WALK_ALL");
        const std::vector<const char*> samplers{"euler", "heun", "dpmpp_2m"};
        std::size_t next = 0;
        for (const Choice& rule : caches(model))
            for (const char* sampler : isWhole ? samplers : std::vector{samplers[next++ % samplers.size()]}) {
                const Recipe r = cached(model, rule, sampler);
                QVERIFY(canReplay(r));
                const auto parent = runOne(r);
                double saved = 0;
                for (const auto& e : parent->trajectory->evaluations) {
                    QVERIFY2(savedIn(*e) >= 0, rule.id.c_str());
                    saved += savedIn(*e);
                }
                QVERIFY2(saved > 0, (rule.id + " reuses nothing").c_str());
                for (const int step : isWhole ? std::vector{1, 2, 4, 5, 7} : std::vector{1, 5}) {
                    Recipe child = r;
                    child.branch = BranchPoint{parent->id, step};
                    const auto again = runOne(child, parent);
                    QVERIFY2(sameRecord(*again, *parent),
                             qPrintable(QString("%1, %2, step %3").arg(rule.id.c_str(), sampler).arg(step)));
                    QCOMPARE(again->evaluations, planned(child, parent.get()).evaluations);
                    for (std::size_t i = 0; i < parent->trajectory->evaluations.size(); ++i)
                        QCOMPARE(savedIn(*again->trajectory->evaluations[i]),
                                 savedIn(*parent->trajectory->evaluations[i]));
                }
                for (const std::size_t kept :
                     isWhole ? std::vector<std::size_t>{1, 4, 6} : std::vector<std::size_t>{5}) {
                    auto broken = std::make_shared<Run>(*parent);
                    auto t = std::make_shared<Trajectory>(*parent->trajectory);
                    t->evaluations.resize(kept);
                    while (!t->steps.empty() && t->steps.back()->index >= t->evaluations.back()->step)
                        t->steps.pop_back();
                    broken->trajectory = t;
                    broken->status = RunStatus::Interrupted;
                    QVERIFY(canGoOn(*broken).ok());
                    QVERIFY2(sameRecord(*resumed(broken), *parent), rule.id.c_str());
                }
            }
    }
    // Euler restores a cache of period 3 from its last whole evaluation, not from the beginning.
    void onlyWhatFeaturesFollowFromIsMadeAgain() {
        const auto parent = runOne(cached("sprites-dit", reuse(3), "euler", 8));
        const Trajectory& t = *parent->trajectory;
        for (const auto& [until, from] : {std::pair{0, 0}, {1, 0}, {3, 0}, {4, 3}, {6, 3}, {7, 6}})
            QCOMPARE(featuresFollowFrom(t, std::size_t(until), parent->recipe), std::size_t(from));
        Recipe series = parent->recipe;
        series.guidance[0] = {"taylor_seer", {{"every", std::int64_t(3)}, {"order", std::int64_t(1)}}};
        QCOMPARE(featuresFollowFrom(t, 7, series), std::size_t(3));
        Recipe child = parent->recipe;
        child.branch = BranchPoint{parent->id, 5};
        const auto again = runOne(child, parent);
        QCOMPARE(again->networkCalls, 3 + 2);  // steps 5 to 7, and 3 and 4 for their features
        // Features that the parent did not keep are computed afresh.
        Recipe off = parent->recipe;
        off.guidance.erase(off.guidance.begin());
        const auto plain = runOne(off);
        child.branch = BranchPoint{plain->id, 5};
        QCOMPARE(runOne(child, plain)->networkCalls, 3);
    }
    // Runs with caches of their own share calls and keep their bits, whatever decides.
    void cachesInSharedCalls_data() { models(); }
    void cachesInSharedCalls() {
        QFETCH(QString, model);
        std::vector<Recipe> all;
        for (const Choice& rule : caches(model)) all.push_back(cached(model, rule));
        all.push_back(cached(model, caches(model).back()));
        all.back().seed += 5;
        all.push_back(cached(model, {"token_merging", {}}));
        all.push_back(sprites(model, {}));
        const auto together = runTogether(all);
        for (std::size_t i = 0; i < all.size(); ++i)
            QVERIFY2(sameRecord(*together[i], *runOne(all[i])),
                     all[i].guidance.empty() ? "" : all[i].guidance[0].id.c_str());
    }
    // Off: nothing of the run changes. Particles that are selected have no features of their own.
    void cachesOff() {
        const auto plain = runOne(sprites("sprites-unet", {}));
        for (const Choice& rule :
             {every("deep_cache", 1), every("taylor_seer", 1), Choice{"tea_cache", {{"threshold", 0.0}}},
              Choice{"token_merging", {{"ratio", 0.0}}}}) {
            const Recipe r = sprites("sprites-unet", {rule});
            QVERIFY(!planned(r).guidance[0].idle.empty());
            QVERIFY2(sameRecord(*runOne(r), *plain), rule.id.c_str());
        }
        Recipe particles = sprites("sprites-unet", {every("deep_cache", 2), {"reward_steering", {}}});
        particles.images = 4;
        particles.sampler = {"euler_ancestral", {}};
        const auto p = plan(particles);
        QVERIFY(!p.ok());
        QVERIFY2(p.error().text.find("DeepCache keeps") != std::string::npos, p.error().text.c_str());
    }
    // The error of reuse: 0 where nothing was reused yet, above it behind, against the run of the same seed.
    void errorOfTheReuse() {
        const Recipe r = cached("sprites-unet", every("deep_cache", 3));
        const auto reusing = runOne(r), whole = runOne(withoutReuse(r));
        QVERIFY(isPartner(*whole, *reusing) && !isPartner(*reusing, *whole) && !isPartner(*whole, *whole));
        const ReuseError e = reuseError(*reusing->trajectory, *whole->trajectory);
        QCOMPARE(e.rms.size(), std::size_t(8));
        QCOMPARE(e.rms[0], 0.0);
        QVERIFY(e.rms[1] > 1e-4 && e.rms[1] < 0.5);
        double square = 0;
        const HostTensor &a = reusing->trajectory->last(), &b = whole->trajectory->last();
        for (std::int64_t i = 0; i < a.count(); ++i) square += (a.at(i) - b.at(i)) * (a.at(i) - b.at(i));
        QVERIFY(std::abs(e.psnr - 10 * std::log10(4 * double(a.count()) / square)) < 1e-9);
        QVERIFY(e.savedWork > 0.3 && e.savedWork < 2.0 / 3);
        const auto rows = diagnose(*reusing->trajectory, {.image = 0, .whole = whole->trajectory});
        const Diagnostic* d = findDiagnostic(rows, reuseErrorId);
        QVERIFY(d && d->values.size() == 8 && d->values[0] == 0 && d->values[1] > 0 && d->summary > 10);
        QVERIFY(!findDiagnostic(diagnose(*reusing->trajectory, {.image = 0}), reuseErrorId));
        QVERIFY(findDiagnostic(rows, std::string("M:") + savedWorkName));
    }

    void refusals_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("rule");
        QTest::addColumn<QString>("params");
        QTest::addColumn<QString>("says");
        QTest::newRow("no such head") << "builtin:sprites-dit"
                                      << "mute_head"
                                      << R"({"head": 99})"
                                      << "Head 99 does not exist";
        QTest::newRow("no such layer") << "builtin:sprites-unet"
                                       << "mute_head"
                                       << R"({"layers": "attic"})"
                                       << "Head scaling finds no layer \"attic\"";
        QTest::newRow("no blocks") << "analytic:ring8"
                                   << "mute_head"
                                   << "{}"
                                   << "has no transformer blocks";
        QTest::newRow("no such layer to reuse") << "builtin:sprites-dit"
                                                << "feature_reuse"
                                                << R"({"layers": "77"})"
                                                << "Feature reuse finds no layer \"77\"";
        QTest::newRow("no U-Net") << "builtin:sprites-dit"
                                  << "deep_cache"
                                  << "{}"
                                  << "below a skip connection of a U-Net";
        QTest::newRow("no such depth") << "builtin:sprites-unet"
                                       << "deep_cache"
                                       << R"({"depth": 99})"
                                       << "numbered 0 to";
        QTest::newRow("no trunk") << "builtin:flow2d-moons"
                                  << "tea_cache"
                                  << "{}"
                                  << "has no such blocks";
        QTest::newRow("no tokens") << "analytic:ring8"
                                   << "token_merging"
                                   << "{}"
                                   << "self-attention";
        QTest::newRow("no blocks to reuse") << "builtin:flow2d-moons"
                                            << "feature_reuse"
                                            << "{}"
                                            << "has no transformer blocks";
    }
    void refusals() {
        QFETCH(QString, model);
        QFETCH(QString, rule);
        QFETCH(QString, params);
        QFETCH(QString, says);
        Recipe r;
        r.model = model.toStdString();
        r.guidance = {{rule.toStdString(), *paramsFromJson(Json::parse(params.toStdString()))}};
        const auto p = plan(r);
        QVERIFY(!p.ok());
        QVERIFY2(p.error().text.find(says.toStdString()) != std::string::npos, p.error().text.c_str());
    }
};

QTEST_GUILESS_MAIN(TestInsideNetwork)
#include "tst_inside_network.moc"
