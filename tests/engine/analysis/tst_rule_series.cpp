// What guidance rules measure: every series has a name, a unit and a reading aid, stands in the diagnostics and in
// trajectory.csv, and none is lost on the way. Walks all rules that measure anything.
#include "engine/analysis/diagnostics.h"
#include "engine/analysis/guidance_measures.h"
#include "engine/exchange/run_export.h"
#include "engine/guidance/guidance.h"
#include "tests/engine/guidance/engine_run.h"

using namespace meander;
using namespace meander::bench;

class TestRuleSeries : public QObject {
    Q_OBJECT

    static Recipe twoClasses(const std::string& rule, Params params) {
        Recipe r;
        r.model = "analytic:two-classes";
        r.classIndex = 0;
        r.images = 4;
        r.steps = 5;
        r.sampler = {"euler_ancestral", {}};
        r.schedule = {"karras", {}};
        r.attention = AttentionLevel::Off;
        r.guidance = {{rule, std::move(params)}};
        return r;
    }

private slots:
    void everySeriesOfARuleIsShown_data() {
        QTest::addColumn<QString>("rule");
        QTest::addColumn<QStringList>("names");
        QTest::newRow("concepts") << "concepts" << QStringList{"cos upper arc", "steering upper arc", "cos lower arc"};
        QTest::newRow("magnitude") << "magnitude_aware" << QStringList{"weight"};
        QTest::newRow("superposition") << "superposition"
                                       << QStringList{"weight the recipe", "log density the recipe",
                                                      "weight lower arc"};
        QTest::newRow("reward") << "reward_steering" << QStringList{"reward", "effective sample size"};
        QTest::newRow("sources") << "multi_source" << QStringList{"residual of the sum"};
        QTest::newRow("data") << "data_consistency" << QStringList{"residual"};
    }

    void everySeriesOfARuleIsShown() {
        QFETCH(QString, rule);
        QFETCH(QStringList, names);
        const std::map<QString, Params> params{
            {"concepts", {{"concepts", std::string("upper arc|lower arc")}}},
            {"magnitude_aware", {{"scale", 4.0}}},
            {"superposition", {{"prompts", std::string("lower arc")}}},
            {"reward_steering", {{"particles", std::int64_t(2)}, {"reward", std::string("level")}}},
            {"multi_source", {{"sources", std::int64_t(2)}, {"sum", std::vector<double>{0.5}}}},
            {"data_consistency", {{"observation", std::vector<double>{0.5, 0.5}}, {"operator", std::string("grey")}}}};
        const auto run = runOne(twoClasses(rule.toStdString(), params.at(rule)));
        const Trajectory& t = *run->trajectory;
        const auto measured = measuredNames(t);
        const auto all = diagnose(t);
        const std::string csv = trajectoryCsv(t), head = csv.substr(0, csv.find('\n'));
        QVERIFY(!measured.empty());
        for (const std::string& name : measured) {
            const Measure m = measureOf(name);
            QVERIFY2(m.label != name && !m.reading.empty() && !m.formula.empty(), name.c_str());
            const Diagnostic* d = findDiagnostic(all, "M:" + name);
            QVERIFY2(d && isMeasuredByRule(*d), name.c_str());
            QCOMPARE(d->label, m.label);
            QVERIFY2(std::any_of(d->values.begin(), d->values.end(), [](double v) { return std::isfinite(v); }),
                     name.c_str());
            QVERIFY2(head.find(name) != std::string::npos, head.c_str());
        }
        for (const QString& name : names)
            QVERIFY2(std::find(measured.begin(), measured.end(), name.toStdString()) != measured.end(),
                     qPrintable(name));
        // One image and the mean of all are told apart.
        const auto* first = t.evaluations.front().get();
        if (!first->metrics.empty() && first->metrics.front().values.size() > 1) {
            const Metric& m = first->metrics.front();
            double mean = 0;
            for (double v : m.values) mean += v / double(m.values.size());
            QVERIFY(std::abs(measuredValue(m, {}) - mean) < 1e-12);
            QCOMPARE(measuredValue(m, 1), m.values[1]);
            QVERIFY(std::isnan(measuredValue(m, 99)));
        }
    }

    // Two rules of a kind measure under one name; both are kept apart.
    void aSecondRuleOfAKindIsKeptApart() {
        Recipe r = twoClasses("concepts", {{"concepts", std::string("upper arc")}});
        r.guidance.push_back(r.guidance.front());
        const auto run = runOne(r);
        const auto names = measuredNames(*run->trajectory);
        QCOMPARE(names.size(), 4u);
        QVERIFY(std::find(names.begin(), names.end(), "cos upper arc (2)") != names.end());
        QVERIFY(findDiagnostic(diagnose(*run->trajectory), "M:cos upper arc (2)"));
    }

    // Whatever rule measures something at settings that run at all: its series have a meaning here.
    void noRuleMeasuresWithoutAWord() {
        int rules = 0, measuring = 0;
        for (const GuidanceRule& rule : guidanceRules()) {
            Recipe r = twoClasses(rule.id, {});
            if (!plan(r)) continue;
            const auto run = runTogether({r}).front();
            ++rules;
            const auto names = measuredNames(*run->trajectory);
            measuring += !names.empty();
            for (const auto& name : names) QVERIFY2(measureOf(name).label != name, name.c_str());
        }
        qInfo("%d rules run, %d measure", rules, measuring);
        QVERIFY(rules > 10);
    }
};

QTEST_GUILESS_MAIN(TestRuleSeries)
#include "tst_rule_series.moc"
