// Guidance rules in whole runs: what they cost, that switched-off rules leave no trace, shared network calls, and state
// that survives replay and branches.
#include "tests/engine/guidance/engine_run.h"

#include "engine/guidance/guidance.h"

using namespace meander;
using namespace meander::bench;

namespace {

Recipe sprites(const QString& model, std::vector<Choice> guidance, int steps = 4) {
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

Recipe arcs(std::vector<Choice> guidance, const char* sampler = "euler") {
    Recipe r;
    r.model = "analytic:two-classes";
    r.classIndex = 0;
    r.images = 12;
    r.steps = 12;
    r.sampler = {sampler, {}};
    r.schedule = {"karras", {}};
    r.guidance = std::move(guidance);
    return r;
}

const Choice cfg3{"cfg", {{"scale", 3.0}}};
const Params everywhere{{"from", 0.0}, {"to", 1.0}};

Params with(Params p, const Params& more) {
    for (const auto& [k, v] : more) p[k] = v;
    return p;
}

}  // namespace

class TestGuidedRuns : public QObject {
    Q_OBJECT
private:
    static void modelsAnd(const std::vector<std::pair<const char*, Params>>& rules) {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("rule");
        QTest::addColumn<int>("index");
        for (const char* model : {"sprites-unet", "sprites-dit"})
            for (int i = 0; i < int(rules.size()); ++i)
                QTest::addRow("%s %s %d", model, rules[std::size_t(i)].first, i)
                    << QString(model) << QString(rules[std::size_t(i)].first) << i;
    }
    static std::vector<std::pair<const char*, Params>> neutral() {
        return {{"pag", {{"scale", 0.0}}},          {"seg", {{"scale", 0.0}}}, {"slg", {{"scale", 0.0}}},
                {"sag", {{"scale", 0.0}}},          {"nag", {{"scale", 1.0}}}, {"nag", {{"alpha", 0.0}}},
                {"autoguidance", {{"scale", 1.0}}}, {"distilled", {}}};
    }
    // Rows that each adds to the conditional one.
    static std::vector<std::tuple<const char*, Params, int>> acting() {
        return {{"pag", {}, 1},
                {"seg", {}, 1},
                {"seg", {{"blur", 1.0}}, 1},
                {"slg", everywhere, 1},
                {"slg", with(everywhere, {{"part", std::string("attention")}}), 1},
                {"sag", {}, 2},
                {"sag", {{"branch", std::string("conditional")}}, 1},
                {"nag", {{"prompt", std::string("a green triangle")}}, 0},
                {"autoguidance", {}, 1}};
    }
    // Stacks whose rules remember.
    static std::vector<std::pair<const char*, Recipe>> stateful() {
        const std::string lower = "lower arc";
        const Choice apg{"apg", {{"scale", 4.0}, {"momentum", -0.6}, {"eta", 0.3}}},
            rcfg{"residual_cfg", {{"scale", 1.5}}};
        const Choice mixture{"superposition", {{"prompts", lower}, {"mode", std::string("or")}, {"temperature", 3.0}}},
            reward{"reward_steering", {{"particles", std::int64_t(4)}, {"reward", std::string("coordinate")}}};
        return {{"momentum", arcs({apg})},
                {"residual guidance", arcs({rcfg}, "heun")},
                {"log-densities", arcs({mixture}, "euler_ancestral")},
                {"particles", arcs({reward}, "euler_ancestral")},
                {"particles and momentum", arcs({apg, reward}, "euler_ancestral")},
                {"particles of a multistep sampler", arcs({reward}, "dpmpp_2m_sde")}};
    }

private slots:
    // Scale 0 (or 1 where that is neutral) gives the plain run bit for bit and costs nothing.
    void switchedOff_data() { modelsAnd(neutral()); }
    void switchedOff() {
        QFETCH(QString, model);
        QFETCH(QString, rule);
        QFETCH(int, index);
        const Recipe off = sprites(model, {{rule.toStdString(), neutral()[std::size_t(index)].second}});
        const Plan p = planned(off);
        QCOMPARE(p.evaluations, 4);
        QVERIFY(!p.guidance[0].idle.empty() && p.guidance[0].evaluations == 0);
        const auto runs = runTogether({off, sprites(model, {})});
        for (const auto& run : runs) QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QVERIFY(sameRecord(*runs[0], *runs[1]));
        QVERIFY(runs[0]->images.sameBits(runs[1]->images));
        QCOMPARE(runs[0]->evaluations, 4);
    }
    void switchedOn_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("index");
        const auto rules = acting();
        for (const char* model : {"sprites-unet", "sprites-dit"})
            for (int i = 0; i < int(rules.size()); ++i)
                QTest::addRow("%s %s %d", model, std::get<0>(rules[std::size_t(i)]), i) << QString(model) << i;
    }
    void switchedOn() {
        QFETCH(QString, model);
        QFETCH(int, index);
        const auto [rule, params, rows] = acting()[std::size_t(index)];
        const Recipe on = sprites(model, {{rule, params}}), both = sprites(model, {cfg3, {rule, params}});
        const Plan p = planned(on);
        // A rectified flow has no signal at its first level, so nothing can be degraded there.
        const bool skipsFirst = std::string(rule) == "sag" && model == "sprites-dit";
        const int expected = 4 * (1 + rows) - (skipsFirst ? rows : 0);
        QCOMPARE(p.evaluations, expected);
        QCOMPARE(p.guidance[0].evaluations, expected - 4);
        QVERIFY(p.guidance[0].idle.empty());
        const auto runs = runTogether({on, sprites(model, {}), both});
        for (const auto& run : runs) QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
        QCOMPARE(runs[0]->evaluations, p.evaluations);
        QCOMPARE(runs[2]->evaluations, planned(both).evaluations);
        QVERIFY(!runs[0]->trajectory->last().sameBits(runs[1]->trajectory->last()));
        const auto& e = *runs[0]->trajectory->evaluations[2];
        if (rows == 0) return;
        QCOMPARE(e.branches.size(), std::size_t(1 + rows));
        QVERIFY(!e.branches.back().label.empty());
        // A run gives the same alone as beside others whose rows have other changes.
        QVERIFY(sameRecord(*runOne(on), *runs[0]));
    }
    void formulaInARun() {  // D_c + s (D_c − D_worse) from the recorded branches
        const auto run = runOne(sprites("sprites-unet", {{"pag", {{"scale", 2.5}}}}));
        for (const auto& e : run->trajectory->evaluations)
            for (std::int64_t i = 0; i < e->denoised.count(); ++i) {
                const double c = e->branches[0].denoised.at(i), w = e->branches[1].denoised.at(i);
                QVERIFY(std::abs(e->denoised.at(i) - (c + 2.5 * (c - w))) < 1e-5);
            }
    }
    void weakerModel() {  // autoguidance by another model: its rows go to a call of its own
        const Recipe r = sprites("sprites-unet",
                                 {{"autoguidance", {{"scale", 1.5}, {"model", std::string("builtin:sprites-lcm")}}}});
        const Plan p = planned(r);
        QCOMPARE(p.models, std::vector<std::string>{"builtin:sprites-lcm"});
        const auto run = runOne(r);
        QCOMPARE(run->evaluations, 8);
        QCOMPARE(run->networkCalls, 8);
        QCOMPARE(run->trajectory->evaluations[0]->branches[1].branch, Branch(Branch::OtherModel, 0));
        // The weaker model's estimate is what it gives by itself in the same state.
        const auto alone = runOne(sprites("sprites-lcm", {}));
        QVERIFY(alone->trajectory->evaluations[0]->state.sameBits(run->trajectory->evaluations[0]->state));
        QVERIFY(alone->trajectory->evaluations[0]->denoised.sameBits(
            run->trajectory->evaluations[0]->branches[1].denoised));
    }
    void aModelAgainstItself() {  // autoguidance by the same model changes nothing but rounding
        const auto run = runOne(
                       sprites("sprites-unet",
                               {{"autoguidance", {{"scale", 3.0}, {"model", std::string("builtin:sprites-unet")}}}})),
                   plain = runOne(sprites("sprites-unet", {}));
        for (std::int64_t i = 0; i < plain->images.count(); ++i)
            QVERIFY(std::abs(run->images.at(i) - plain->images.at(i)) < 1e-4);
    }

    void costs_data() {
        QTest::addColumn<int>("index");
        QTest::addColumn<int>("evaluations");
        const int all[] = {12, 24, 12 + 6, 13, 12, 24, 36, 24, 36, 12 + 11};
        for (int i = 0; i < int(std::size(all)); ++i) QTest::addRow("%d", i) << i << all[i];
    }
    void costs() {
        QFETCH(int, index);
        QFETCH(int, evaluations);
        const std::string lower = "lower arc";
        const std::vector<std::vector<Choice>> stacks = {
            {},
            {cfg3},
            {{"cfg", {{"from", 0.5}}}},
            {{"residual_cfg", {{"kind", std::string("onetime")}}}},
            {{"residual_cfg", {{"kind", std::string("self")}}}},
            {cfg3, {"apg", {}}, {"tcfg", {}}, {"rescale", {}}},
            {cfg3, {"concepts", {{"concepts", lower}}}},
            {{"superposition", {{"prompts", lower}}}},
            {{"dual", {{"middle", lower}}}},
            {{"cfg_zero_star", {}}},
        };
        const Recipe r = arcs(stacks[std::size_t(index)]);
        const Plan p = planned(r);
        QCOMPARE(p.evaluations, evaluations);
        int sum = 12;
        for (const auto& g : p.guidance) sum += g.evaluations;
        QCOMPARE(sum, evaluations);
        QCOMPARE(runOne(r)->evaluations, evaluations);
    }

    // The same recipe branched anywhere is the parent's run again.
    void replayRestoresState_data() {
        QTest::addColumn<int>("index");
        for (int i = 0; i < int(stateful().size()); ++i) QTest::newRow(stateful()[std::size_t(i)].first) << i;
    }
    void replayRestoresState() {
        QFETCH(int, index);
        const Recipe r = stateful()[std::size_t(index)].second;
        const auto parent = runOne(r);
        for (int step : {1, 5, 11}) {
            Recipe child = r;
            child.branch = BranchPoint{parent->id, step};
            const auto again = runOne(child, parent);
            QVERIFY2(sameRecord(*again, *parent), qPrintable(QString::number(step)));
            int replayed = 0;
            for (const auto& e : again->trajectory->evaluations) replayed += e->replayed;
            QVERIFY(replayed > 0 && replayed < int(again->trajectory->evaluations.size()));
        }
    }
    // Another seed does not matter to a deterministic sampler, but makes it start afresh at the branch: the rules have
    // watched the steps it takes over.
    void restartKeepsMomentum() {
        const Recipe r = arcs({{"apg", {{"scale", 4.0}, {"momentum", -0.6}, {"eta", 0.3}}}});
        const auto parent = runOne(r);
        Recipe child = r;
        child.seed = r.seed + 1;
        child.branch = BranchPoint{parent->id, 6};
        const auto again = runOne(child, parent);
        QVERIFY(again->trajectory->last().sameBits(parent->trajectory->last()));
        // Without momentum from before it would have gone elsewhere.
        child.guidance[0].params["momentum"] = 0.0;
        QVERIFY(!runOne(child, parent)->trajectory->last().sameBits(parent->trajectory->last()));
    }
};

QTEST_GUILESS_MAIN(TestGuidedRuns)
#include "tst_guided_runs.moc"
