// Curves of guidance parameters: shapes, text both ways, and that every curve of a rule does in a run what its constant
// does where it is the same throughout, and something else where it is not.
#include "tests/engine/guidance/engine_run.h"

#include "engine/guidance/weight_curve.h"

using namespace meander;
using namespace meander::bench;
using List = std::vector<double>;

namespace {

Recipe arcs(std::vector<Choice> guidance, int steps = 8) {
    Recipe r;
    r.model = "analytic:two-classes";
    r.classIndex = 0;
    r.images = 8;
    r.steps = steps;
    r.sampler = {"euler", {}};
    r.schedule = {"karras", {}};
    r.guidance = std::move(guidance);
    return r;
}

}  // namespace

class TestWeightCurve : public QObject {
    Q_OBJECT
private slots:
    void values() {
        QCOMPARE(weights::perStep({2, 4}, 5), (List{2, 2.5, 3, 3.5, 4}));
        QCOMPARE(weights::perStep({3}, 3), (List{3, 3, 3}));
        QCOMPARE(weights::perStep({1, 5, 1}, 3), (List{1, 5, 1}));
        for (const auto& shape : weights::shapes())
            for (const int steps : {1, 2, 9, 40}) {
                const List v = weights::shaped(shape, steps, 1, 7);
                QCOMPARE(v.size(), std::size_t(steps));
                for (const double w : v) QVERIFY2(w >= 1 - 1e-12 && w <= 7 + 1e-12, shape.id.c_str());
                QVERIFY(!shape.label.empty() && !shape.source.empty());
            }
        for (const auto& i : weights::intervalPresets()) QVERIFY(i.low > 0 && i.high > i.low && !i.source.empty());
    }

    void text() {
        using weights::TextForm;
        QCOMPARE(weights::textOf({7, 7, 7, 3.5}, TextForm::SdCpp), std::string("3.5x1+7x3"));
        QCOMPARE(weights::textOf({7, 3.5}, TextForm::List), std::string("7, 3.5"));
        QCOMPARE(weights::textOf({7, 3.5}, TextForm::Json), std::string("[7, 3.5]"));
        // The first part is of the last steps; the regular scale fills the first ones, what is too long is cut off.
        QCOMPARE(*weights::valuesFromText("3x1+7x2", 3, 1), (List{7, 7, 3}));
        QCOMPARE(*weights::valuesFromText("3x1+7x2", 5, 4), (List{4, 4, 7, 7, 3}));
        QCOMPARE(*weights::valuesFromText("3x2+7x9", 3, 4), (List{7, 3, 3}));
        QCOMPARE(*weights::valuesFromText("guidance_schedule=3.0x3+7.0x45", 4, 4), (List{7, 3, 3, 3}));
        for (const char* bad : {"3x", "x3", "3x0", "3x-1", "3x1+", "axb", "", "3x1.5", "one"})
            QVERIFY2(!weights::valuesFromText(bad, 4, 1).ok(), bad);
        std::mt19937 random(3);
        for (int trial = 0; trial < 60; ++trial) {
            List v;
            for (int i = 0, n = 1 + int(random() % 30u); i < n; ++i)
                v.push_back(random() % 3u == 0 && !v.empty() ? v.back() : double(random()) / 1e9);
            for (const TextForm form : {TextForm::List, TextForm::Json, TextForm::SdCpp})
                QCOMPARE(*weights::valuesFromText(weights::textOf(v, form), int(v.size()), 0), v);
        }
    }

    void everyCurveIsAParameter() {
        for (const CurveParam& c : curveParams()) {
            const GuidanceRule* rule = findGuidance(c.rule);
            QVERIFY2(rule, c.rule.c_str());
            int found = 0;
            for (const ParamSpec& s : rule->params) {
                if (s.key == c.constant) found += isReal(s.kind);
                if (s.key == c.curve) found += s.kind == ParamKind::List;
            }
            QVERIFY2(found == 2, (c.rule + "." + c.curve).c_str());
            Params p{{c.constant, 0.5}};
            QCOMPARE(weights::curveOf(p, c, 3), (List{0.5, 0.5, 0.5}));
            weights::setCurve(p, c, {0.2, 0.4, 0.6});
            QCOMPARE(weights::curveOf(p, c, 3), (List{0.2, 0.4, 0.6}));
            weights::setCurve(p, c, {0.7, 0.7, 0.7});
            QCOMPARE(p, (Params{{c.constant, 0.7}}));
        }
    }

    // Through a recipe: the same value at every step is the constant, bit by bit; another curve is another run, and
    // replaying it answers the same.
    void curvesInRuns_data() {
        QTest::addColumn<int>("which");
        for (std::size_t i = 0; i < curveParams().size(); ++i)
            if (curveParams()[i].rule != "distilled")  // its own test
                QTest::newRow((curveParams()[i].rule + "." + curveParams()[i].curve).c_str()) << int(i);
    }
    void curvesInRuns() {
        QFETCH(int, which);
        const CurveParam& c = curveParams()[std::size_t(which)];
        const auto with = [&](const List& curve, bool asCurve) {
            Choice rule{c.rule, {{c.constant, curve.front()}}};
            if (asCurve) rule.params[c.curve] = curve;
            if (c.constant != "scale" && c.rule != "rescale") rule.params["scale"] = 3.0;
            std::vector<Choice> stack{rule};
            if (c.rule == "rescale") stack.insert(stack.begin(), {"cfg", {{"scale", 3.0}}});
            return arcs(stack);
        };
        const List flat(8, 0.6), rising{0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1};
        const auto runs = runTogether({with(flat, false), with(flat, true), with(rising, true), with(rising, false)});
        for (const auto& r : runs) QVERIFY2(r->status == RunStatus::Finished, r->problem.c_str());
        QVERIFY(sameRecord(*runs[0], *runs[1]));
        QVERIFY(!sameRecord(*runs[2], *runs[3]));
        QVERIFY(sameRecord(*runs[2], *runOne(with(rising, true))));
        // A curve with a value per step, and the same as fewer points.
        QVERIFY(sameRecord(*runOne(with({0, 0.7}, true)), *runOne(with(weights::perStep({0, 0.7}, 8), true))));
        const auto again = recipeFromJson(toJson(with(rising, true)));
        QVERIFY(again.ok() && *again == with(rising, true));
    }

    // The weights that the record shows are those of the curve, and steps at the neutral weight evaluate one branch.
    void recordedWeights() {
        const List curve{1, 1, 4, 3, 2.5, 2, 1, 1};
        for (const char* rule : {"cfg", "apg"}) {
            const auto run = runOne(arcs({{rule, {{"curve", curve}}}}));
            QCOMPARE(run->trajectory->evaluations.size(), curve.size());
            for (std::size_t k = 0; k < curve.size(); ++k) {
                QCOMPARE(run->trajectory->evaluations[k]->guidanceWeight, curve[k]);
                QCOMPARE(run->trajectory->evaluations[k]->networkRows, curve[k] == 1 ? 8 : 16);
            }
            const Plan p = planned(arcs({{rule, {{"curve", curve}}}}));
            QCOMPARE(p.evaluations, 12);
            QCOMPARE(countEvaluations(p).evaluations, 12);
            QCOMPARE(run->evaluations, 12);
        }
        // In an interval of noise levels.
        Recipe r = arcs({{"cfg", {{"scale", 3.0}, {"sigma_high", 10.0}, {"sigma_low", 0.5}}}});
        const Plan p = planned(r);
        const int inside = int(
            std::count_if(p.levels.begin(), p.levels.end() - 1, [&](double tau) { return tau <= 10 && tau > 0.5; }));
        QCOMPARE(countEvaluations(p).evaluations, 8 + inside);
        QCOMPARE(countEvaluations(p).guidance[0].evaluations, inside);
    }

    // A network that is conditioned on the scale is told the curve's value of each step.
    void distilled() {
        ModelInfo info = *inspectModel("builtin:sprites-unet");
        info.takesGuidance = true;
        Recipe r = recommendedRecipe(info);
        r.steps = 5;
        r.guidance = {{"distilled", {{"scale", 2.0}, {"curve", List{2, 6}}}}};
        const auto p = plan(r, info);
        QVERIFY2(p.ok(), p ? "" : p.error().text.c_str());
        const GuidanceStack stack(p->resolved, p->model);
        for (int k = 0; k < 5; ++k) {
            const GuidanceMoment m{.process = info.process, .tau = p->levels[std::size_t(k)], .step = k, .steps = 5};
            QCOMPARE(stack.evaluationPlan(m).guidance, std::optional(2.0 + k));
        }
    }

    void idleCurvesSaySo() {
        for (const char* rule : {"cfg", "apg"}) {
            const Plan p = planned(arcs({{rule, {{"curve", List{1, 1}}}}}));
            QVERIFY2(p.guidance[0].idle.find("curve") != std::string::npos, p.guidance[0].idle.c_str());
        }
        const Plan phi = planned(arcs({{"cfg", {}}, {"rescale", {{"phi_curve", List{0, 0}}}}}));
        QVERIFY(!phi.guidance[1].idle.empty());
        QVERIFY(!plan(arcs({{"rescale", {{"phi_curve", List{0, 2}}}}})).ok());  // out of range
    }
};

QTEST_GUILESS_MAIN(TestWeightCurve)
#include "tst_weight_curve.moc"
