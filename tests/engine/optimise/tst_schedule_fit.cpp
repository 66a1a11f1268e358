// A fitted schedule from recipe to measured effect: it wins where the help page says so, the prediction is of the
// measured size or is said not to be, and what cannot be fitted is refused in words. MEANDER_FIT_CASES=all measures
// every row of the page.
#include <QtTest>
#include <set>

#include "engine/optimise/carry_out.h"
#include "engine/optimise/fit_cases.h"
#include "engine/recipe/drawn_levels.h"

using namespace meander;

namespace {

Recipe gaussian(const std::string& sampler) {
    Recipe r = recommendedRecipe(*inspectModel("analytic:gaussian?d=32&eigenvalues=powerlaw"));
    r.sampler = {sampler, {}};
    r.schedule = {"karras", {}};
    return r;
}
const Params few{{"steps", std::int64_t(8)}, {"paths", std::int64_t(24)}, {"held_out", std::int64_t(24)}};

ScheduleFit fitted(const Recipe& r, Params settings = few) {
    const FitPlan plan = planFit(r, settings);
    ScheduleFit fit = fitSchedule(plan, carryOut(plan.reference, {"cpu", 1}));
    takeEffect(fit, carryOut(effectPlans(fit), {"cpu", 1}));
    return fit;
}

}  // namespace

class TestScheduleFit : public QObject {
    Q_OBJECT
    FineRunsOfModels m_fine;
private slots:
    void winsOnTheGaussian() {
        for (const char* sampler : {"euler", "dpmpp_2m"}) {
            const ScheduleFit fit = fitted(gaussian(sampler));
            QCOMPARE(fit.schedules.size(), std::size_t(3));
            QCOMPARE(fit.schedules[1].label, std::string("Karras ρ = 7"));
            QCOMPARE(fit.schedules[2].id, std::string("uniform_t"));
            for (const ComparedSchedule& s : fit.schedules) QCOMPARE(s.levels.size(), std::size_t(9));
            QVERIFY2(wins(fit), findings(fit).front().c_str());
            for (std::size_t i = 1; i < 3; ++i) {
                const double predicted = compared(fit.fitted().predicted, fit.schedules[i].predicted).saved,
                             measured = compared(*fit.fitted().measured, *fit.schedules[i].measured).saved;
                qInfo("%s against %s: saves %.2f, predicted %.2f", sampler, fit.schedules[i].label.c_str(), measured,
                      predicted);
                QVERIFY(measured > 0.1 && agrees(predicted, measured));
            }
        }
    }

    // What was announced is what is done, and seeds of the measurement are none of the fit.
    void costIsAsAnnounced() {
        const FitPlan plan = planFit(gaussian("heun"), few);
        const auto reference = carryOut(plan.reference, {"cpu", 1});
        const ScheduleFit fit = fitSchedule(plan, reference);
        const auto runs = carryOut(effectPlans(fit), {"cpu", 1});
        double done = 0;
        for (const auto* list : {&reference, &runs})
            for (const auto& run : *list) done += double(run->evaluations) * run->recipe.images;
        QCOMPARE(done, plan.evaluations);
        std::set<double> starts;
        for (const auto& run : {reference.front(), runs.front()})
            for (std::int64_t image = 0; image < run->recipe.images; ++image)
                starts.insert(run->trajectory->initial.rows(image, 1).toDoubles().front());
        QCOMPARE(starts.size(), std::size_t(48));
        for (const auto& run : runs) QCOMPARE(run->evaluations, run == runs.front() ? 119 : 15);  // equal for all
    }

    // Never worse silently: against a schedule that is better or as good, it is said to keep that one.
    void saysWhenItDoesNotWin() {
        const ScheduleFit good = fitted(gaussian("dpmpp_2m"));
        const ScheduleFit same = fitted(withLevels(gaussian("dpmpp_2m"), good.fitted().levels));
        QVERIFY(!wins(same));
        QVERIFY2(findings(same)[1].find("keep") != std::string::npos, findings(same)[1].c_str());
        Recipe one = gaussian("euler");
        Params settings = few;
        settings["steps"] = std::int64_t(1);  // one step from the highest level to 0: there is nothing to choose
        const ScheduleFit trivial = fitted(one, settings);
        QCOMPARE(trivial.fitted().levels.size(), std::size_t(2));
        QVERIFY(!wins(trivial) || trivial.schedules.size() == 1);
        // A worse one: the levels of a fit crowded at high noise.
        ScheduleFit worse = good;
        std::swap(worse.schedules[0].measured, worse.schedules[2].measured);
        QVERIFY(!wins(worse));
        QVERIFY2(findings(worse)[1].find("is worse than") != std::string::npos, findings(worse)[1].c_str());
        bool isOff = false;
        for (const auto& s : findings(worse)) isOff |= s.find("factor of 2") != std::string::npos;
        QVERIFY(isOff);
    }

    // A recorded run is a reference without evaluations; the levels are the same as from the runs of the fit.
    void recordedReference() {
        const FitPlan plan = planFit(gaussian("euler"), few), recorded = planFit(gaussian("euler"), few, true);
        const auto runs = carryOut(plan.reference, {"cpu", 1});
        QVERIFY(recorded.reference.empty() && recorded.evaluations < plan.evaluations);
        QCOMPARE(fitSchedule(recorded, runs).fitted().levels, fitSchedule(plan, runs).fitted().levels);
        // In two parts: the same paths.
        const auto twice = std::vector{runs.front(), runs.front()};
        QCOMPARE(fitSchedule(recorded, twice).referencePaths, 48);
        QCOMPARE(fitSchedule(recorded, twice).fitted().levels, fitSchedule(plan, runs).fitted().levels);
        QVERIFY(!tooCoarse(*runs.front(), 21).empty() && tooCoarse(*runs.front(), 20).empty());
    }

    void exactAndRecordedBound() {
        Params settings = few;
        settings["method"] = std::string("klub");
        const ScheduleFit exact = fitted(gaussian("euler"), settings);
        const std::vector<double> sigmas(exact.fitted().levels.begin(), exact.fitted().levels.end() - 1);
        const auto v = *exactEnergy(gaussian("euler").model);
        QVERIFY(std::abs(klubSum(sigmas, v) / klubSum(klubLevels(80, 0.002, 7, v), v) - 1) < 1e-9);
        QVERIFY(!exactEnergy("analytic:ring8") && !exactEnergy("builtin:sprites-unet"));
        Recipe ring = gaussian("euler");
        ring.model = "analytic:ring8";
        const ScheduleFit estimated = fitted(ring, settings);
        bool isTold = false;
        for (const auto& s : findings(estimated)) isTold |= s.find("estimated from 24 paths") != std::string::npos;
        QVERIFY(isTold);
    }

    // Every process: the first level is the model's, the last 0, and the error is smaller than Karras'.
    void everyProcess() {
        for (const char* process : {"edm", "vp-linear", "sd15", "flow"}) {
            Recipe r = recommendedRecipe(
                *inspectModel(std::string("analytic:gaussian?d=8&eigenvalues=powerlaw&process=") + process));
            r.sampler = {"euler", {}};
            r.schedule = {"karras", {}};
            for (const FitMethod& m : fitMethods()) {
                Params settings = few;
                settings["method"] = m.id;
                const ScheduleFit fit = fitted(r, settings);
                QVERIFY2(fit.fitted().levels.size() == 9 && fit.fitted().levels.back() == 0, m.id.c_str());
                const ErrorComparison c = compared(*fit.fitted().measured, *fit.schedules[1].measured);
                qInfo("%s, %s: saves %.2f against %s", process, m.id.c_str(), c.saved, fit.schedules[1].label.c_str());
                if (m.id == "l2") QVERIFY2(c.verdict == Verdict::Better, findings(fit).front().c_str());
            }
        }
    }

    void refusals_data() {
        QTest::addColumn<QString>("setting");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("word");
        QTest::newRow("noise") << "sampler"
                               << "euler_ancestral"
                               << "adds noise";
        QTest::newRow("own levels") << "sampler"
                                    << "dpm_adaptive"
                                    << "levels of its own";
        QTest::newRow("inverting") << "sampler"
                                   << "ddim_inversion"
                                   << "";
        QTest::newRow("two estimates") << "sampler"
                                       << "euler_cfg_pp"
                                       << "unconditional";
        QTest::newRow("curved") << "model"
                                << "analytic:sphere"
                                << "";
        QTest::newRow("distilled") << "model"
                                   << "builtin:sprites-lcm"
                                   << "";
        QTest::newRow("rising") << "schedule_operators"
                                << "reverse"
                                << "";
        QTest::newRow("coarse") << "steps"
                                << "30"
                                << "at least 90";
    }
    void refusals() {
        QFETCH(QString, setting);
        QFETCH(QString, value);
        QFETCH(QString, word);
        Recipe r = gaussian("euler");
        Params settings = few;
        if (setting == "sampler") r.sampler.id = value.toStdString();
        if (setting == "model") r = recommendedRecipe(*inspectModel(value.toStdString()));
        if (setting == "schedule_operators") r.scheduleOperators = {{"reverse", {}}};
        if (setting == "steps") settings["steps"] = std::int64_t(value.toInt());
        try {
            (void)planFit(r, settings);
            QFAIL("It was planned.");
        } catch (const Failure& e) {
            QVERIFY2(QString(e.what()).contains(word) && QString(e.what()).endsWith('.'), e.what());
        }
    }
    // Runs that are no reference.
    void badReferences() {
        const FitPlan plan = planFit(gaussian("euler"), few);
        const auto runs = carryOut(plan.reference, {"cpu", 1});
        QVERIFY(referenceProblem(*runs.front()).empty());
        Run broken = *runs.front();
        broken.status = RunStatus::Cancelled;
        QVERIFY(!referenceProblem(broken).empty());
        QVERIFY_THROWS_EXCEPTION(Failure, fitSchedule(plan, {}));
        Recipe noisy = plan.reference.front().resolved;
        noisy.sampler = {"euler_ancestral", {}};
        noisy.images = 2;
        const auto stochastic = carryOut({*meander::plan(noisy)}, {"cpu", 1});
        QVERIFY_THROWS_EXCEPTION(Failure, fitSchedule(plan, stochastic));
        ScheduleFit fit = fitSchedule(plan, runs);
        QVERIFY_THROWS_EXCEPTION(Failure, takeEffect(fit, runs));
    }

    void cancelling() {
        const FitPlan plan = planFit(gaussian("euler"), few);
        QVERIFY(carryOut(plan.effect, {"cpu", 1, {}, [] { return true; }}).empty());
        double last = 0;
        QVERIFY(!carryOut(plan.effect, {"cpu", 1, [&](double share) { last = std::max(last, share); }}).empty());
        QVERIFY(last <= 1);
    }

    // Rows of the help page, measured again.
    void page_data() {
        QTest::addColumn<int>("row");
        const bool isAll = qEnvironmentVariable("MEANDER_FIT_CASES") == "all";
        const auto cases = fitCases();
        for (std::size_t i = 0; i < cases.size(); ++i)
            if (isAll || (cases[i].method == "auto" && cases[i].model.find("d=64") != std::string::npos))
                QTest::addRow("%s %s %s", cases[i].model.c_str(), cases[i].sampler.c_str(), cases[i].method.c_str())
                    << int(i);
    }
    void page() {
        QFETCH(int, row);
        QFile file(QStringLiteral(MEANDER_SOURCE_DIR "/resources/help/optimise.md"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray text = file.readAll();
        const FitCase c = fitCases()[std::size_t(row)];
        const std::string measured = fitRow(c, carryOutCase(c, m_fine));
        qInfo("%s", measured.c_str());
        QVERIFY2(text.contains(QByteArray::fromStdString(measured + "\n")), measured.c_str());
        for (const FitMethod& m : fitMethods()) QVERIFY(text.contains(("`" + m.id + "` |").c_str()));
    }
};

QTEST_GUILESS_MAIN(TestScheduleFit)
#include "tst_schedule_fit.moc"
