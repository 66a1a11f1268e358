// The table of guidance rules, classifier-free guidance, windows, and the sentences of rules that do nothing.
#include "rule_bench.h"

using namespace meander;
using namespace meander::bench;

class TestGuidance : public QObject {
    Q_OBJECT
private:
    static ModelInfo three() { return someModel({3}); }
    Values cfg(const Params& p, int step = 0, int steps = 10, double tau = 1) {
        RuleBench b({{"cfg", p}}, three());
        return RuleBench::values(
            b.apply(b.moment(step, steps, tau),
                    {{Branch::Conditional, {1, 2, 3, 4, 5, 7}}, {Branch::Unconditional, {0, 2, 2, 1, 5, 9}}}, {}, 2)
                .combined);
    }
    bool asksUnconditional(const Params& p, int step, double tau = 1) {
        RuleBench b({{"cfg", p}}, three());
        return b.stack->evaluationPlan(b.moment(step, 10, tau)).branches.size() == 2;
    }

private slots:
    void everyTableRowIsComplete() {
        QSet<QString> ids;
        for (const auto& r : guidanceRules()) {
            QVERIFY2(!ids.contains(QString::fromStdString(r.id)), r.id.c_str());
            ids.insert(QString::fromStdString(r.id));
            QVERIFY2(!r.label.empty() && !r.group.empty() && !r.summary.empty() && !r.source.empty() && !r.cost.empty()
                         && r.make && r.idle,
                     r.id.c_str());
            for (const auto& s : r.params)
                QVERIFY2(!s.key.empty() && !s.label.empty() && !s.help.empty(), (r.id + " " + s.key).c_str());
            QVERIFY2(resolveParams(r.params, {}, r.label).ok(), r.id.c_str());
        }
        QVERIFY(ids.size() >= 29);
    }
    void formula() {  // u + w (c − u)
        QCOMPARE(cfg({{"scale", 3.0}}), Values({3, 2, 5, 10, 5, 3}));
    }
    void scaleOneCostsNothing() {
        QVERIFY(!asksUnconditional({{"scale", 1.0}}, 5));
        QVERIFY(!idleAt(RuleBench({{"cfg", {{"scale", 1.0}}}}, three())).empty());
        QCOMPARE(cfg({{"scale", 1.0}})[0], 1.0);
    }
    void intervalOfSteps() {
        const Params p{{"scale", 3.0}, {"from", 0.2}, {"to", 0.6}};
        const bool expected[] = {false, false, true, true, true, true, false, false, false, false};
        for (int k = 0; k < 10; ++k) {
            QCOMPARE(asksUnconditional(p, k), expected[k]);
            QCOMPARE(cfg(p, k)[0], expected[k] ? 3.0 : 1.0);
        }
    }
    void intervalOfNoise() {  // Kynkäänniemi et al. 2024: (σ_low, σ_high]
        const Params p{{"scale", 3.0}, {"sigma_low", 0.3}, {"sigma_high", 5.0}};
        for (double sigma : {0.1, 0.29, 0.31, 1.0, 4.9, 5.1, 50.0}) {
            const bool inside = sigma > 0.3 && sigma < 5;
            QCOMPARE(asksUnconditional(p, 5, sigma), inside);
            QCOMPARE(cfg(p, 5, 10, sigma)[0], inside ? 3.0 : 1.0);
        }
    }
    void curve() {  // as many values as steps: one each; fewer: straight lines between
        const Params each{{"curve", std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}},
            line{{"curve", std::vector<double>{1, 10}}};
        for (int k = 0; k < 10; ++k) {
            QVERIFY(near(cfg(each, k)[0], k + 1, 1e-12));
            QVERIFY(near(cfg(line, k)[0], k + 1, 1e-12));
            QCOMPARE(asksUnconditional(each, k), k > 0);
        }
        QVERIFY(near(cfg({{"curve", std::vector<double>{2, 6, 2}}}, 4, 9)[0], 6, 1e-12));
    }
    // φ = 1 gives every image the conditional estimate's standard deviation.
    void rescaleRestoresTheDeviation() {
        const auto got = cfg({{"scale", 4.0}, {"rescale", 1.0}});
        const auto stddev = [](const double* v) {
            const double m = (v[0] + v[1] + v[2]) / 3;
            return std::sqrt(((v[0] - m) * (v[0] - m) + (v[1] - m) * (v[1] - m) + (v[2] - m) * (v[2] - m)) / 3);
        };
        const double first[] = {1, 2, 3}, second[] = {4, 5, 7};
        QVERIFY(near(stddev(&got[0]), stddev(first), 1e-12));
        QVERIFY(near(stddev(&got[3]), stddev(second), 1e-12));
    }
    void progressive_data() {
        QTest::addColumn<QString>("shape");
        QTest::addColumn<double>("middle");
        QTest::newRow("linear") << "linear" << 4.0;
        QTest::newRow("cosine") << "cosine" << 4.0;
        QTest::newRow("power") << "power" << 6 - 4 * 0.25;
    }
    void progressive() {
        QFETCH(QString, shape);
        QFETCH(double, middle);
        const auto weightAt = [&](int step) {
            RuleBench b({{"progressive_cfg", {{"first", 6.0}, {"last", 2.0}, {"shape", shape.toStdString()}}}},
                        three());
            return RuleBench::values(
                b.apply(b.moment(step, 11), {{Branch::Conditional, {1, 0, 0}}, {Branch::Unconditional, {0, 0, 0}}})
                    .combined)[0];
        };
        QVERIFY(near(weightAt(0), 6, 1e-12) && near(weightAt(5), middle, 1e-12) && near(weightAt(10), 2, 1e-12));
    }
    void combinationsAdd() {  // two rules together change the estimate by the sum of what each does alone
        const std::vector<std::pair<Branch, Values>> answers{{Branch::Conditional, {1, 2, 3}},
                                                             {Branch::Unconditional, {0.5, 1, -1}}};
        const auto with = [&](std::vector<Choice> rules) {
            RuleBench b(std::move(rules), three());
            return RuleBench::values(b.apply(b.moment(), answers).combined);
        };
        const Choice a{"cfg", {{"scale", 3.0}}}, c{"apg", {{"scale", 4.0}, {"eta", 0.0}}};
        const auto both = with({a, c}), other = with({c, a}), one = with({a}), two = with({c});
        for (int i = 0; i < 3; ++i) {
            QVERIFY(std::abs(both[std::size_t(i)] - (one[std::size_t(i)] + two[std::size_t(i)] - (i + 1.0))) < 1e-12);
            QVERIFY(std::abs(both[std::size_t(i)] - other[std::size_t(i)]) < 1e-12);
        }
    }
    void branchNames() {
        for (Branch b : {Branch(Branch::Conditional), Branch(Branch::Unconditional), Branch(Branch::Prompt, 3),
                         Branch(Branch::Changed, 12), Branch(Branch::OtherModel), Branch(Branch::Degraded, 1)})
            QCOMPARE(*branchNamed(nameOf(b)), b);
        for (const char* wrong : {"", "c", "cond 1", "prompt", "prompt x", "prompt -1", "changed 1 2"})
            QVERIFY2(!branchNamed(wrong), wrong);
    }
    void equalQuestionsShareABranch() {
        ModelInfo m = someModel();
        m.blocks = {{"mid_block.a", 4, 8, 8, 64}, {"up_blocks.0.b", 4, 8, 8, 64}};
        RuleBench same({{"pag", {{"scale", 2.0}}}, {"pag", {{"scale", 1.0}, {"layers", std::string("0")}}}}, m),
            other({{"pag", {}}, {"pag", {{"layers", std::string("up_blocks")}}}, {"seg", {}}}, m);
        QCOMPARE(same.stack->evaluationPlan(same.moment()).branches.size(), std::size_t(2));
        QCOMPARE(other.stack->evaluationPlan(other.moment()).branches.size(), std::size_t(4));
        QCOMPARE(other.stack->rowsAddedBy(2, other.moment()), 1);
        QCOMPARE(same.stack->rowsAddedBy(1, same.moment()), 0);
    }

    void idle_data() {
        QTest::addColumn<int>("row");
        for (int i = 0; i < int(idleRows().size()); ++i) QTest::newRow(idleRows()[std::size_t(i)].name) << i;
    }
    void idle() {
        QFETCH(int, row);
        const auto r = idleRows()[std::size_t(row)];
        ModelInfo m = someModel();
        m.blocks = {{"mid_block", 4, 8, 8, 64}};
        m.conditioning = r.conditioning;
        if (r.conditioning == ConditioningKind::Class) m.classes = {"a", "b"};
        RuleBench b(r.rules, m, [&](Recipe& recipe) {
            recipe.prompt = r.prompt;
            recipe.sampler = {r.sampler, {}};
            recipe.images = 8;
        });
        const std::string why = idleAt(b, r.position);
        QVERIFY2(why.empty() != r.isIdle, why.empty() ? "says nothing" : why.c_str());
    }

    // A rule that says it is idle leaves the estimate alone, bit for bit, and asks for nothing beyond the conditional
    // row.
    void idleMeansNoChange() {
        for (const auto& r : idleRows()) {
            if (!r.isIdle || r.rules.size() > 1 || r.rules[0].id == "reward_steering") continue;
            ModelInfo m = someModel();
            m.blocks = {{"mid_block", 4, 8, 8, 64}};
            m.conditioning = r.conditioning;
            if (r.conditioning == ConditioningKind::Class) m.classes = {"a", "b"};
            RuleBench b(r.rules, m, [&](Recipe& recipe) { recipe.prompt = r.prompt; });
            const Values c(256, 0.5);
            const auto parts = b.apply(
                b.moment(), {{Branch::Conditional, c},
                             {Branch::Unconditional,
                              r.prompt.empty() || r.conditioning == ConditioningKind::Class ? c : Values(256, 0.25)}});
            QVERIFY2(RuleBench::values(parts.combined) == c, r.name);
        }
    }

    void impossible_data() {
        QTest::addColumn<QString>("rule");
        QTest::addColumn<QString>("says");
        QTest::newRow("PAG without blocks") << "pag"
                                            << "no transformer blocks";
        QTest::newRow("SEG without blocks") << "seg"
                                            << "no transformer blocks";
        QTest::newRow("SLG without blocks") << "slg"
                                            << "no transformer blocks";
        QTest::newRow("SAG without blocks") << "sag"
                                            << "no transformer blocks";
        QTest::newRow("NAG without text") << "nag"
                                          << "cross-attention";
        QTest::newRow("FreSca on points") << "fresca"
                                          << "points";
        QTest::newRow("frequencies of points") << "frequency_decoupled"
                                               << "points";
        QTest::newRow("data without reference") << "data_consistency"
                                                << "observation";
        QTest::newRow("dual without prompts") << "dual"
                                              << "takes no prompt";
        QTest::newRow("mimic without prompts") << "mimic"
                                               << "takes no prompt";
    }
    void impossible() {
        QFETCH(QString, rule);
        QFETCH(QString, says);
        ModelInfo m = three();
        m.conditioning = ConditioningKind::None;
        try {
            RuleBench b({{rule.toStdString(), {}}}, m);
            QFAIL("it was made");
        } catch (const Failure& e) {
            QVERIFY2(QString(e.what()).contains(says), e.what());
        }
    }
    void superpositionOfPromptsNeedsPrompts() {
        ModelInfo m = three();
        m.conditioning = ConditioningKind::None;
        QVERIFY_THROWS_EXCEPTION(Failure, RuleBench({{"superposition", {{"prompts", std::string("a | b")}}}}, m));
    }

private:
    struct IdleRow {
        const char* name;
        std::vector<Choice> rules;
        bool isIdle = true;
        std::size_t position = 0;
        ConditioningKind conditioning = ConditioningKind::Text;
        std::string prompt = "a", sampler = "euler";
    };
    static std::vector<IdleRow> idleRows() {
        const Choice cfg{"cfg", {}};
        return {
            {"cfg", {cfg}, false},
            {"cfg at 1", {{"cfg", {{"scale", 1.0}}}}},
            {"cfg with an empty interval", {{"cfg", {{"from", 0.5}, {"to", 0.5}}}}},
            {"cfg in less than a step", {{"cfg", {{"from", 0.91}, {"to", 0.99}}}}},
            {"cfg without conditions", {cfg}, true, 0, ConditioningKind::None},
            {"cfg without a class", {cfg}, true, 0, ConditioningKind::Class},
            {"cfg without a prompt", {cfg}, true, 0, ConditioningKind::Text, ""},
            {"a flat curve", {{"cfg", {{"curve", std::vector<double>{1, 1}}}}}},
            {"apg at 1", {{"apg", {{"scale", 1.0}}}}},
            {"zero star at 1 without zero steps",
             {{"cfg_zero_star", {{"scale", 1.0}, {"zero_steps", std::int64_t(0)}}}}},
            {"zero star at 1 with zero steps", {{"cfg_zero_star", {{"scale", 1.0}}}}, false},
            {"tcfg alone", {{"tcfg", {}}}},
            {"tcfg before cfg", {{"tcfg", {}}, cfg}, false},
            {"tcfg after cfg", {cfg, {"tcfg", {}}}, true, 1},
            {"fresca with factors 1", {{"fresca", {{"high", 1.0}}}, cfg}, true},
            {"rescale alone", {{"rescale", {}}}},
            {"rescale after cfg", {cfg, {"rescale", {}}}, false, 1},
            {"rescale at 0", {cfg, {"rescale", {{"phi", 0.0}}}}, true, 1},
            {"cfg norm before cfg", {{"cfg_norm", {}}, cfg}, true},
            {"pag at 0", {{"pag", {{"scale", 0.0}}}}},
            {"pag from the worse at 1", {{"pag", {{"scale", 1.0}, {"formulation", std::string("extrapolate")}}}}},
            {"pag", {{"pag", {}}}, false},
            {"slg outside of every step", {{"slg", {{"from", 0.91}, {"to", 0.99}}}}},
            {"sag without blur", {{"sag", {{"blur", 0.0}}}}},
            {"nag at 1", {{"nag", {{"scale", 1.0}}}}},
            {"nag at alpha 0", {{"nag", {{"alpha", 0.0}}}}},
            {"distilled for a model that is not", {{"distilled", {}}}},
            {"perp-neg without negatives at 1", {{"perp_neg", {{"scale", 1.0}}}}},
            {"concepts without a concept", {{"concepts", {}}}},
            {"superposition of one", {{"superposition", {}}}},
            {"residual at 1", {{"residual_cfg", {{"scale", 1.0}}}}},
            {"dual at 1 and 1", {{"dual", {{"scale", 1.0}, {"middle_scale", 1.0}, {"middle", std::string("b")}}}}},
            {"steering without noise", {{"reward_steering", {}}}},
            {"steering with noise",
             {{"reward_steering", {}}},
             false,
             0,
             ConditioningKind::Text,
             "a",
             "euler_ancestral"},
            {"steering one particle",
             {{"reward_steering", {{"particles", std::int64_t(1)}}}},
             true,
             0,
             ConditioningKind::Text,
             "a",
             "euler_ancestral"},
        };
    }
};

QTEST_GUILESS_MAIN(TestGuidance)
#include "tst_guidance.moc"
