// Rules that change the network inside, through recipes on the U-Net and the diffusion transformer: muted heads against
// the hook itself, reused features against a network that is given the residuals of the evaluation before.
#include "tests/engine/guidance/engine_run.h"

#include <map>

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
    // No record holds features: an interrupted run says so, and a branch computes them afresh.
    void reuseIsNotReplayed() {
        const Recipe r = sprites("sprites-dit", {reuse(2)});
        QVERIFY(!canReplay(r) && canReplay(sprites("sprites-dit", {})));
        Recipe off = r;
        off.guidance[0].params["enabled"] = false;
        QVERIFY(canReplay(off));
        const auto parent = runOne(r);
        Run interrupted = *parent;
        interrupted.status = RunStatus::Interrupted;
        const Status goesOn = canGoOn(interrupted);
        QVERIFY(!goesOn.ok());
        QVERIFY2(goesOn.error().text.find("Feature reuse") != std::string::npos, goesOn.error().text.c_str());
        Recipe child = r;
        child.branch = BranchPoint{parent->id, 2};
        const auto again = runOne(child, parent);
        QVERIFY(again->trajectory->evaluations[2]->state.sameBits(parent->trajectory->evaluations[2]->state));
        QVERIFY(again->trajectory->last().sameBits(parent->trajectory->last()));  // step 2 is whole in both
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
