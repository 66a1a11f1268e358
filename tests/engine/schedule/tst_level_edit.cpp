// Levels edited by hand: what every edit keeps, under random edits too; the operators that spread levels anew; text
// both ways; and that a recipe's custom schedule makes exactly the levels that were drawn.
#include <QtTest>
#include <random>

#include "engine/run/plan.h"
#include "engine/schedule/level_edit.h"
#include "engine/schedule/level_text.h"
#include "engine/schedule/redistribute.h"
#include "engine/schedule/schedule.h"

using namespace meander;
using namespace meander::levels;
using List = std::vector<double>;

namespace {

const std::vector<std::pair<const char*, Process>>& processes() {
    static const std::vector<std::pair<const char*, Process>> list{
        {"edm", Process::varianceExploding(0.002, 80)},
        {"sd15", Process::vpScaledLinear(1000, 0.00085, 0.012)},
        {"flow", Process::rectifiedFlow(1000, 3, 1000)},
    };
    return list;
}

List karras(const Process& p, int steps) { return *makeSchedule("karras", p, steps, {}); }

QByteArray show(const List& levels) {
    return QByteArray::fromStdString(*textOf(levels, TextForm::Json, processes()[0].second));
}

// What every edit keeps.
#define KEEPS(levels, before, p)                                                                                       \
    QVERIFY2(isFalling(levels), show(levels));                                                                         \
    QVERIFY2(endsClean(levels) == endsClean(before), show(levels));                                                    \
    QVERIFY2((levels).front() <= std::max(limitsOf(p).highest, (before).front()), show(levels));                       \
    QVERIFY2((levels)[std::size_t(movableCount(levels)) - 1]                                                           \
                 >= std::min(limitsOf(p).lowest, (before)[std::size_t(movableCount(before)) - 1]),                     \
             show(levels))

}  // namespace

class TestLevelEdit : public QObject {
    Q_OBJECT
    static void rows() {
        QTest::addColumn<int>("which");
        for (std::size_t i = 0; i < processes().size(); ++i) QTest::newRow(processes()[i].first) << int(i);
    }

private slots:
    void readings_data() { rows(); }
    void readings() {
        QFETCH(int, which);
        const Process& p = processes()[std::size_t(which)].second;
        for (const double tau : {0.9, 0.5, 0.1, 0.05})
            for (const Reading r : {Reading::Sigma, Reading::HalfLogSnr, Reading::Time}) {
                QVERIFY(std::abs(levelOf(valueOf(tau, r, p), r, p) / tau - 1) < 1e-9);
                QVERIFY(std::abs(levelAt(coordinateOf(tau, r, p), r, p) / tau - 1) < 1e-9);
            }
        QCOMPARE(valueOf(0.5, Reading::HalfLogSnr, p), p.logSnr(0.5) / 2);
    }

    // A dragged point stops at its neighbours, ends that are locked stay, and what is not moved keeps every bit.
    void onePoint_data() { rows(); }
    void onePoint() {
        QFETCH(int, which);
        const Process& p = processes()[std::size_t(which)].second;
        const List before = karras(p, 10);
        for (const Reading r : {Reading::Sigma, Reading::HalfLogSnr, Reading::Time})
            for (const double by : {-1e9, -0.05, 0.0, 0.05, 1e9}) {
                const List after = moved(before, followWeights(before, {4}, 0, true), by, r, p);
                KEEPS(after, before, p);
                for (std::size_t i = 0; i < before.size(); ++i)
                    if (i != 4) QCOMPARE(after[i], before[i]);
                QVERIFY(by == 0 ? after == before : by > 0 ? after[4] > before[4] : after[4] < before[4]);
            }
        QCOMPARE(moved(before, followWeights(before, {0, 9}, 0, true), 1, Reading::Sigma, p), before);
        const List open = moved(before, followWeights(before, {9}, 0, false), -0.1, Reading::Sigma, p);
        QVERIFY(open[9] < before[9]);
        QCOMPARE(open.back(), 0.0);
    }

    void proportional() {
        const Process& p = processes()[0].second;
        const List before = karras(p, 12), weights = followWeights(before, {6}, 4, true);
        QCOMPARE(weights[6], 1.0);
        QCOMPARE(weights[2], 0.0);
        QVERIFY(weights[5] > weights[4] && weights[4] > weights[3] && weights[3] > 0);
        const List after = moved(before, weights, -0.02, Reading::Sigma, p);
        for (std::size_t i : {4, 5, 6, 7, 8})
            QVERIFY(std::abs(std::log(after[i] / before[i]) + 0.02 * weights[i]) < 1e-12);
        QCOMPARE(after[2], before[2]);
    }

    // A thousand random edits of every kind; what is drawn is always a schedule that runs.
    void randomEditsKeepTheOrder_data() { rows(); }
    void randomEditsKeepTheOrder() {
        QFETCH(int, which);
        const Process& p = processes()[std::size_t(which)].second;
        for (unsigned seed = 1; seed <= 20; ++seed) {
            std::mt19937 random(seed);
            const auto below = [&](int n) { return int(random() % unsigned(n)); };
            const auto share = [&] { return double(random()) / 4294967295.0; };
            List levels = karras(p, 2 + below(30));
            for (int edit = 0; edit < 200; ++edit) {
                const List before = levels;
                const bool locked = below(2);
                const Reading r = Reading(below(3));
                const double range = coordinateOf(levels.front(), r, p) - coordinateOf(p.minimum(), r, p);
                switch (below(6)) {
                case 0:
                case 1: {
                    std::vector<int> selection;
                    for (int i = 0, n = 1 + below(4); i < n; ++i) selection.push_back(below(movableCount(levels)));
                    levels = moved(levels, followWeights(levels, selection, below(2) * 8 * share(), locked),
                                   (share() - 0.5) * range, r, p);
                    QCOMPARE(levels.size(), before.size());
                    if (locked) QCOMPARE(levels.front(), before.front());
                    break;
                }
                case 2: levels = placed(levels, below(movableCount(levels)), levelAt(share() * range, r, p), p); break;
                case 3:
                    if (levels.size() < 80) levels = withOneAfter(levels, below(movableCount(levels)), p);
                    break;
                case 4:
                    levels = without(levels, {below(movableCount(levels)), below(movableCount(levels))}, locked);
                    break;
                case 5: {
                    ControlCurve curve = controlsOf(levels, r, p);
                    const int n = int(curve.points.size());
                    curve = movedPoint(curve, below(n), share(), curve.points.back().y + share() * range, locked, p);
                    if (below(3) == 0) curve = withPointAt(curve, share());
                    const List drawn = sampled(curve, int(levels.size()) - 1, endsClean(levels), p);
                    for (std::size_t i = 1; i < curve.points.size(); ++i)
                        QVERIFY(curve.points[i].x > curve.points[i - 1].x && curve.points[i].y < curve.points[i - 1].y);
                    if (isFalling(drawn)) levels = drawn;
                    break;
                }
                }
                KEEPS(levels, before, p);
                QVERIFY(levels.size() >= 2);
            }
            const auto made = makeSchedule("custom", p, int(levels.size()) - 1, {{"values", levels}});
            QVERIFY2(made.ok(), made ? "" : made.error().text.c_str());
            QVERIFY2(*made == levels, qPrintable(QStringLiteral("seed %1").arg(seed)));
        }
    }

    void controlCurve_data() { rows(); }
    void controlCurve() {
        QFETCH(int, which);
        const Process& p = processes()[std::size_t(which)].second;
        const List levels = karras(p, 30);
        const ControlCurve curve = controlsOf(levels, Reading::Sigma, p);
        QVERIFY(curve.points.size() >= 2 && curve.points.size() <= 6);
        const List drawn = sampled(curve, 30, true, p);
        QVERIFY(isFalling(drawn));
        QCOMPARE(drawn.size(), levels.size());
        // Six points are enough to come within a few per cent of ρ = 7.
        for (std::size_t i = 1; i + 1 < levels.size(); ++i)
            QVERIFY2(std::abs(std::log(p.sigma(drawn[i]) / p.sigma(levels[i]))) < 0.12, show(drawn));
        QVERIFY(isFalling(sampled(curve, 5, false, p)));
        QCOMPARE(sampled(curve, 5, false, p).size(), std::size_t(6));
    }

    void spreadAnew_data() { rows(); }
    void spreadAnew() {
        QFETCH(int, which);
        const Process& p = processes()[std::size_t(which)].second;
        const List before = karras(p, 16);
        for (const Measure m : {Measure::Arc, Measure::Lambda, Measure::Sigma}) {
            const List after = respaced(before, 9, m, p);
            KEEPS(after, before, p);
            QCOMPARE(after.size(), std::size_t(10));
            QCOMPARE(after.front(), before.front());
            QCOMPARE(after[8], before[15]);
        }
        const List even = respaced(before, 9, Measure::Lambda, p);
        const double step = coordinateOf(even[0], Reading::Sigma, p) - coordinateOf(even[1], Reading::Sigma, p);
        for (std::size_t i = 1; i + 2 < even.size(); ++i)
            QVERIFY(
                std::abs(coordinateOf(even[i], Reading::Sigma, p) - coordinateOf(even[i + 1], Reading::Sigma, p) - step)
                < 1e-6 * step);
        // Karras' own exponent read and placed again changes nothing; another one gives that schedule.
        const List same = warped(before, 7, 7), other = warped(before, 7, 3),
                   five = *makeSchedule("karras", p, 16, {{"rho", 3.0}});
        for (std::size_t i = 0; i < before.size(); ++i) {
            QVERIFY(std::abs(same[i] - before[i]) <= 1e-12 * before[i]);
            QVERIFY(std::abs(other[i] - five[i]) <= 1e-9 * five[i]);
        }
        const List lambda = *makeSchedule("exponential", p, 16, {});
        QCOMPARE(blended(before, lambda, 0), before);
        for (std::size_t i = 0; i + 1 < before.size(); ++i)
            QVERIFY(std::abs(blended(before, lambda, 0.5)[i] - std::sqrt(before[i] * lambda[i])) < 1e-12 * before[i]);
        // All the error in one interval: steps gather there.
        List shares(16, 0.0);
        shares[5] = 1;
        const List equal = equalised(before, 16, before, shares, 1, p);
        KEEPS(equal, before, p);
        const auto inside = [&](const List& l) {
            return std::count_if(l.begin(), l.end(), [&](double v) { return v <= before[5] && v >= before[6]; });
        };
        QVERIFY2(inside(equal) >= 12 && inside(before) == 2, show(equal));
        QCOMPARE(equalised(before, 16, before, shares, 0, p).size(), before.size());
    }

    void ownSteps() {
        const Process& vp = processes()[1].second;
        const List on = onOwnSteps(karras(vp, 20), vp);
        QVERIFY(isFalling(on));
        for (int i = 0; i < movableCount(on); ++i) {
            const double step = vp.networkTime(on[std::size_t(i)]);
            QCOMPARE(step, std::round(step));
            QCOMPARE(*nearestOwnLevel(on[std::size_t(i)], vp), on[std::size_t(i)]);
        }
        const Process& flow = processes()[2].second;
        QVERIFY(isFalling(onOwnSteps(karras(flow, 20), flow)));
        // Crowded at the end: none is taken twice, and there is room for all.
        const Process few = Process::vpLinear(12, 0.01, 0.3);
        List crowded;
        for (int i = 0; i < 12; ++i) crowded.push_back(few.minimum() * (1 + 0.01 * (12 - i)));
        QCOMPARE(onOwnSteps(crowded, few).size(), std::size_t(12));
        QVERIFY(isFalling(onOwnSteps(crowded, few)));
        crowded.push_back(few.minimum());
        QVERIFY_THROWS_EXCEPTION(Failure, onOwnSteps(crowded, few));
        QVERIFY_THROWS_EXCEPTION(Failure, onOwnSteps(karras(processes()[0].second, 5), processes()[0].second));
        QVERIFY(!nearestOwnLevel(1, processes()[0].second));
    }

    // Every form but training steps is read back bit by bit.
    void textRoundTrip_data() { rows(); }
    void textRoundTrip() {
        QFETCH(int, which);
        const Process& p = processes()[std::size_t(which)].second;
        std::mt19937 random(5);
        for (int trial = 0; trial < 50; ++trial) {
            List levels = karras(p, 1 + int(random() % 40u));
            for (double& v : levels) v *= 1 - 1e-9 * double(random() % 1000u);
            for (const TextForm form :
                 {TextForm::ComfyUi, TextForm::Json, TextForm::SdCpp, TextForm::DiffusersSigmas}) {
                const auto text = textOf(levels, form, p);
                QVERIFY(text.ok());
                QVERIFY2(text->find('e') == std::string::npos || form == TextForm::DiffusersSigmas
                             || text->find("e-") == std::string::npos,
                         text->c_str());
                const auto read = levelsFromText(*text, p);
                QVERIFY2(read.ok(), read ? "" : read.error().text.c_str());
                QVERIFY2(read->levels == levels && read->notes.empty(), text->c_str());
            }
        }
    }

    void text() {
        const Process &edm = processes()[0].second, &sd = processes()[1].second, &flow = processes()[2].second;
        QCOMPARE(*textOf({14.6146, 10, 0.00001, 0}, TextForm::ComfyUi, sd), std::string("14.6146, 10, 0.00001, 0"));
        QCOMPARE(*textOf({14.5, 10, 0}, TextForm::SdCpp, sd), std::string("--sigmas 14.5,10,0"));
        QCOMPARE(*textOf({14.5, 10, 0}, TextForm::DiffusersSigmas, sd), std::string("{\"sigmas\": [14.5, 10]}"));
        const List steps{sd.tauOfStep(999), sd.tauOfStep(500), sd.tauOfStep(20), 0};
        QCOMPARE(*textOf(steps, TextForm::DiffusersTimesteps, sd), std::string("{\"timesteps\": [999, 500, 20]}"));
        QCOMPARE(levelsFromText("{\"timesteps\": [999, 500, 20]}", sd)->levels, steps);
        QVERIFY(!textOf({3, 2, 0}, TextForm::DiffusersTimesteps, edm).ok());
        QVERIFY(!textOf({sd.tauOfStep(20.1), sd.tauOfStep(20), 0}, TextForm::DiffusersTimesteps, sd).ok());
        for (const char* same :
             {"3 2 1 0", "3;2;1;0", "[3, 2, 1, 0]", "sigmas=[3, 2, 1]", "(3.0|2.0|1e0|0)", "3,\n2,\n1,\n0\n",
              "{\"sigmas\": [3, 2, 1]}", "--sigmas 3,2,1,0", "0 1 2 3", "2 3 1 0", "3 3 2 1 0"}) {
            const auto read = levelsFromText(same, edm);
            QVERIFY2(read.ok(), same);
            QVERIFY2((read->levels == List{3, 2, 1, 0}), same);
        }
        QCOMPARE(levelsFromText("2 3 1 0", edm)->notes.size(), std::size_t(1));
        QCOMPARE(levelsFromText("0 1 2 3", edm)->notes.size(), std::size_t(1));
        QCOMPARE((levelsFromText("3 2 1", edm)->levels), (List{3, 2, 1}));  // stops above clean, as written
        QCOMPARE((levelsFromText("5", edm)->levels), (List{5, 0}));
        QVERIFY(levelsFromText("3 -2 1", edm).ok() == false);
        for (const char* bad :
             {"", "karras", "3 two 1", "0", "{\"sigmas\": [3, \"x\"]}", "{\"steps\": 3}", "1e999", "nan"})
            QVERIFY2(!levelsFromText(bad, edm).ok() && !levelsFromText(bad, edm).error().text.empty(), bad);
        QVERIFY(!levelsFromText("14 3 0", flow).ok());
        QVERIFY(!levelsFromText("{\"timesteps\": [1200]}", sd).ok());
        QVERIFY(!levelsFromText("{\"timesteps\": [12]}", edm).ok());
    }

    // What is drawn is what a recipe plans, with its last level above 0 too.
    void recipesTakeThem() {
        Recipe r;
        r.model = "analytic:gaussian?d=4&process=sd15";
        r.sampler = {"heun", {}};
        r.steps = 7;
        List levels{12.5, 6.25, 3.1, 1.7, 0.6, 0.1, 0};
        r.schedule = {"custom", {{"values", levels}}};
        QCOMPARE(plan(r)->levels, levels);
        levels.pop_back();
        r.scheduleOperators = {{"clip", {{"min", levels.back()}}}};
        QCOMPARE(plan(r)->levels, levels);
        r.scheduleOperators = {
            {"own_steps", {}}, {"respace", {{"steps", std::int64_t(9)}}}, {"bend", {}}, {"blend", {}}};
        QVERIFY2(plan(r).ok(), plan(r) ? "" : plan(r).error().text.c_str());
        QCOMPARE(plan(r)->intervals(), 9);
    }
};

QTEST_GUILESS_MAIN(TestLevelEdit)
#include "tst_level_edit.moc"
