// Rules and operators that are switched off: as if they were not there, but kept with their settings.
#include <QtTest>

#include "engine/core/switched.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/guidance/guidance.h"
#include "engine/run/plan.h"
#include "engine/run/recipe_differences.h"
#include "engine/schedule/schedule.h"

using namespace meander;

class TestSwitched : public QObject {
    Q_OBJECT
    static Recipe classes() {
        Recipe r;
        r.model = "analytic:two-classes";
        r.classIndex = 0;
        r.sampler = {"euler", {}};
        r.steps = 8;
        return r;
    }

private slots:
    void everyRowHasTheSwitch() {
        const auto has = [](const std::vector<ParamSpec>& specs) {
            return std::any_of(specs.begin(), specs.end(),
                               [](const ParamSpec& s) { return s.key == enabledKey && s.optional; });
        };
        for (const auto& g : guidanceRules()) QVERIFY2(has(g.params), g.id.c_str());
        for (const auto& o : scheduleOperators()) QVERIFY2(has(o.params), o.id.c_str());
    }

    void rulesThatAreOffCostNothing() {
        Recipe r = classes();
        r.guidance = {{"cfg", {{"scale", 3.0}, {enabledKey, false}}}};
        const auto off = plan(r);
        QVERIFY2(off.ok(), off.ok() ? "" : off.error().text.c_str());
        QCOMPARE(off->evaluations, 8);
        QCOMPARE(off->guidance.size(), std::size_t(1));
        QCOMPARE(off->guidance[0].evaluations, 0);
        QCOMPARE(off->guidance[0].idle, std::string("Switched off."));
        r.guidance[0].params.erase(enabledKey);
        QCOMPARE(plan(r)->evaluations, 16);
        // Two of the same: the second costs what the first would, once that is off.
        r.guidance = {{"cfg", {{"scale", 3.0}, {enabledKey, false}}}, {"cfg", {{"scale", 2.0}}}};
        const auto second = plan(r);
        QCOMPARE(second->evaluations, 16);
        QCOMPARE(second->guidance[1].evaluations, 8);
        // A rule that tames others sees that there is none.
        r.guidance = {{"cfg", {{"scale", 3.0}, {enabledKey, false}}}, {"rescale", {}}};
        QVERIFY(!plan(r)->guidance[1].idle.empty());
        r.guidance[0].params.erase(enabledKey);
        QVERIFY(plan(r)->guidance[1].idle.empty());
    }

    void operatorsThatAreOffChangeNothing() {
        const Process p = Process::varianceExploding(0.002, 80);
        const auto plain = makeSchedule(Choice{"karras", {}}, {}, p, 12);
        const auto clipped = makeSchedule(Choice{"karras", {}}, {{"clip", {{"max", 5.0}}}}, p, 12);
        const auto off = makeSchedule(Choice{"karras", {}}, {{"clip", {{"max", 5.0}, {enabledKey, false}}}}, p, 12);
        QVERIFY(*plain == *off && *plain != *clipped);
        QCOMPARE(clipped->front(), 5.0);
    }

    void filesSayItOnlyWhereItIsOff() {
        Recipe r = classes();
        r.guidance = {{"cfg", {{"scale", 3.0}}}};
        QVERIFY(toJson(plan(r)->resolved).dump().find(enabledKey) == std::string::npos);
        r.guidance[0].params[enabledKey] = false;
        const auto back = recipeFromJson(toJson(r));
        QVERIFY(back.ok() && *back == r);
        // Other programs are told what was done.
        QVERIFY(parametersText(r, 64, 64, "m").find("CFG scale: 1,") != std::string::npos);
    }

    // Parameters that came with a later version are no difference to recipes that lack them.
    void missingDefaultsAreNoDifference() {
        Recipe r = classes();
        r.guidance = {{"cfg", {{"scale", 3.0}}}};
        const Recipe full = plan(r)->resolved;
        Recipe old = full;
        for (Choice* c : {&old.sampler, &old.schedule, &old.noise}) c->params.clear();
        old.guidance[0].params = {{"scale", 3.0}};
        QCOMPARE(differences(full, old).size(), std::size_t(0));
        old.guidance[0].params["scale"] = 4.0;
        const auto list = differences(full, old);
        QCOMPARE(list.size(), std::size_t(1));
        QCOMPARE(list[0].key, std::string("guidance.0.scale"));
    }
};

QTEST_GUILESS_MAIN(TestSwitched)
#include "tst_switched.moc"
