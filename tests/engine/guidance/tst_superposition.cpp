// Superposition of models against exact mixtures: the Itô density estimator, and where OR, AND and the average end.
#include "engine_run.h"
#include "rule_bench.h"

#include "engine/models/analytic/mixture.h"
#include "kernels/api/philox.h"

using namespace meander;
using namespace meander::bench;

namespace {

// Two models of two modes each, at y = 3 and y = −3.
const Mixture upper(2, {-3, 3, 3, 3}, {0.16, 0.16}), lower(2, {-3, -3, 3, -3}, {0.16, 0.16});

std::vector<double> levels(int n) {  // Karras, ρ 7, 20 … 0.02
    std::vector<double> s;
    const double high = std::pow(20, 1 / 7.0), low = std::pow(0.02, 1 / 7.0);
    for (int i = 0; i < n; ++i) s.push_back(std::pow(high + (low - high) * i / (n - 1), 7));
    return s;
}

struct Outcome {
    Values x;
    double upperShare = 0, nearMode = 0, gap = 0, height = 0, itoError = 0, itoDeviation = 0;
};

// The paper's reverse SDE by Euler–Maruyama, x' = x + 2σΔσ Σκᵢ∇log qᵢ + √(2σΔσ) z, as a sampler would drive the rule.
Outcome superpose(const std::string& mode, int steps, int paths) {
    RuleBench b({{"superposition", {{"mode", mode}, {"prompts", std::string("b")}}}}, someModel({2}), [](Recipe& r) {
        r.sampler = {std::string("euler_ancestral"), {{"eta", 1.0}}};
    });
    const auto sigma = levels(steps);
    const auto normals = [&](int path, int draw, double* z) {
        kernels::normal4({7, std::uint32_t(path), std::uint32_t(draw), 0}, 0, z);
    };
    Outcome o;
    o.x.resize(std::size_t(2 * paths));
    Values start(static_cast<std::size_t>(paths)), logs(static_cast<std::size_t>(paths)), firstLogs;
    for (int p = 0; p < paths; ++p) {
        double z[4];
        normals(p, 0, z);
        for (int i = 0; i < 2; ++i) o.x[std::size_t(2 * p + i)] = 20 * z[i];
        start[std::size_t(p)] = upper.logDensity(std::span(o.x).subspan(std::size_t(2 * p), 2), 1, sigma.front(), {});
    }
    for (int k = 0; k < steps; ++k) {
        Values a(o.x.size()), c(o.x.size());
        for (int p = 0; p < paths; ++p) {
            const auto at = [&](Values& v) { return std::span(v).subspan(std::size_t(2 * p), 2); };
            upper.denoise(at(o.x), 1, sigma[std::size_t(k)], {}, at(a));
            lower.denoise(at(o.x), 1, sigma[std::size_t(k)], {}, at(c));
        }
        const double now = sigma[std::size_t(k)], next = k + 1 < steps ? sigma[std::size_t(k) + 1] : 0;
        const auto parts = b.apply(b.moment(k, steps, now, next),
                                   {{Branch::Conditional, a}, {Branch(Branch::Prompt, 0), c}}, o.x, paths);
        logs = parts.metrics[1].values;
        if (firstLogs.empty()) firstLogs = logs;
        if (k + 1 == steps) break;
        const Values d = RuleBench::values(parts.combined);
        for (int p = 0; p < paths; ++p) {
            double z[4];
            normals(p, k + 1, z);
            for (int i = 0; i < 2; ++i) {
                double& x = o.x[std::size_t(2 * p + i)];
                x +=
                    2 * (now - next) / now * (d[std::size_t(2 * p + i)] - x) + std::sqrt(2 * now * (now - next)) * z[i];
            }
        }
    }
    double square = 0;
    for (int p = 0; p < paths; ++p) {
        const auto x = std::span<const double>(o.x).subspan(std::size_t(2 * p), 2);
        const double la = upper.logDensity(x, 1, 0.02, {}), lb = lower.logDensity(x, 1, 0.02, {});
        const double error = (logs[std::size_t(p)] - firstLogs[std::size_t(p)]) - (la - start[std::size_t(p)]);
        o.itoError += error / paths;
        square += error * error / paths;
        o.gap += std::abs(la - lb) / paths;
        o.height += std::abs(x[1]) / paths;
        o.upperShare += (x[1] > 0) / double(paths);
        const double reach = (std::abs(x[0]) - 3) * (std::abs(x[0]) - 3) + (std::abs(x[1]) - 3) * (std::abs(x[1]) - 3);
        o.nearMode += (reach < 9 * 0.45 * 0.45) / double(paths);
    }
    o.itoDeviation = std::sqrt(square - o.itoError * o.itoError);
    return o;
}

}  // namespace

class TestSuperposition : public QObject {
    Q_OBJECT
private slots:
    // First order: four times the steps, a quarter of the error.
    void itoEstimator() {
        const Outcome coarse = superpose("or", 250, 4000), fine = superpose("or", 1000, 4000);
        qInfo("mean error %.3f (250), %.3f (1000) nats; deviation %.2f, %.2f", coarse.itoError, fine.itoError,
              coarse.itoDeviation, fine.itoDeviation);
        QVERIFY2(std::abs(coarse.itoError - 0.848) < 0.1, qPrintable(QString::number(coarse.itoError)));
        QVERIFY2(std::abs(fine.itoError - 0.210) < 0.06, qPrintable(QString::number(fine.itoError)));
        QVERIFY2(std::abs(coarse.itoError / fine.itoError / 4 - 1) < 0.25,
                 qPrintable(QString::number(coarse.itoError / fine.itoError)));
    }
    void orFillsBoth() {
        const Outcome o = superpose("or", 500, 4000);
        qInfo("share of the upper model %.3f, near a mode %.3f", o.upperShare, o.nearMode);
        QVERIFY2(std::abs(o.upperShare - 0.5) < 0.04, qPrintable(QString::number(o.upperShare)));
        QVERIFY2(o.nearMode > 0.98, qPrintable(QString::number(o.nearMode)));
    }
    void andKeepsDensitiesEqual() {
        const Outcome both = superpose("and", 1000, 1000), average = superpose("average", 1000, 1000);
        qInfo("|log qA − log qB| at the end: AND %.3f, average %.2f; mean |y| %.4f, %.3f", both.gap, average.gap,
              both.height, average.height);
        QVERIFY2(both.gap < 0.5, qPrintable(QString::number(both.gap)));
        QVERIFY2(average.gap > 5, qPrintable(QString::number(average.gap)));
        QVERIFY(both.height < 0.05);
    }
    void fixedWeightsAndBias() {
        const auto weigh = [](Params p) {
            RuleBench b({{"superposition", p}}, someModel({1}));
            return RuleBench::values(b.apply(b.moment(), {{Branch::Conditional, {1}},
                                                          {Branch(Branch::Prompt, 0), {3}},
                                                          {Branch(Branch::Prompt, 1), {5}}})
                                         .combined)[0];
        };
        QVERIFY(near(weigh({{"mode", std::string("fixed")},
                            {"prompts", std::string("b | c")},
                            {"weights", std::vector<double>{1, 2, 1}}}),
                     3, 1e-12));
        QVERIFY(near(weigh({{"mode", std::string("average")}, {"prompts", std::string("b | c")}}), 3, 1e-12));
        // At the first moment all densities are equal: a bias of log 3 is a weight of 3 against 1 and 1.
        QVERIFY(near(weigh({{"mode", std::string("or")},
                            {"prompts", std::string("b | c")},
                            {"bias", std::vector<double>{0, std::log(3.0), 0}}}),
                     (1 + 9 + 5) / 5.0, 1e-12));
    }
    // Members of weight 0 are no rows of the network, and the mixture is that of the others.
    void membersOfNoWeightAreNotEvaluated() {
        const auto bench = [](std::vector<double> weights, const char* mode = "fixed") {
            return RuleBench({{"superposition",
                               {{"mode", std::string(mode)}, {"prompts", std::string("b | c")}, {"weights", weights}}}},
                             someModel({1}));
        };
        const auto rows = [&](const RuleBench& b) { return b.stack->evaluationPlan(b.moment()).branches.size(); };
        QCOMPARE(rows(bench({1, 2, 1})), 3u);
        QCOMPARE(rows(bench({1, 0, 3})), 2u);
        QCOMPARE(rows(bench({1, 0, 0})), 1u);
        QCOMPARE(rows(bench({0, 0, 1})), 2u);  // the recipe's own estimate is always there
        QCOMPARE(rows(bench({1, 0, 3}, "average")), 3u);
        auto b = bench({1, 0, 3});
        QVERIFY(
            near(RuleBench::values(
                     b.apply(b.moment(), {{Branch::Conditional, {1}}, {Branch(Branch::Prompt, 0), {5}}}).combined)[0],
                 4, 1e-12));
    }
    void threeMembersAtEqualDensity() {  // the linear system of AND: after the step it plans, the three log-densities
                                         // are the same
        RuleBench b({{"superposition", {{"mode", std::string("and")}, {"prompts", std::string("b | c")}}}},
                    someModel({2}), [](Recipe& r) {
                        r.sampler = {std::string("euler"), {}};
                    });
        const double now = 2, next = 1.9;
        const Values x{0.3, -0.4};
        const std::vector<Values> d{{1, 0.5}, {-0.7, 0.2}, {0.1, -1.3}};
        const auto parts = b.apply(
            b.moment(0, 10, now, next),
            {{Branch::Conditional, d[0]}, {Branch(Branch::Prompt, 0), d[1]}, {Branch(Branch::Prompt, 1), d[2]}}, x);
        const Values mixed = RuleBench::values(parts.combined);
        Values changes;
        double sum = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            double along = 0, square = 0;
            for (std::size_t k = 0; k < 2; ++k) {
                const double score = (d[i][k] - x[k]) / (now * now), move = (1 - next / now) * (mixed[k] - x[k]);
                along += move * score;
                square += score * score;
            }
            changes.push_back(along - now * (now - next) * square);
            sum += parts.metrics[2 * i].values[0];
        }
        QVERIFY(near(sum, 1, 1e-10));
        QVERIFY2(std::abs(changes[0] - changes[1]) < 1e-12 && std::abs(changes[0] - changes[2]) < 1e-12,
                 qPrintable(QString("%1 %2 %3").arg(changes[0]).arg(changes[1]).arg(changes[2])));
    }

    // Two exact models in one run, each by calls of its own.
    void modelsInARun_data() {
        QTest::addColumn<QString>("mode");
        for (const char* mode : {"or", "and", "average"}) QTest::newRow(mode) << QString(mode);
    }
    void modelsInARun() {
        QFETCH(QString, mode);
        const std::string other = "analytic:gaussian2?mean=0,-3&eigenvalues=0.16,0.16";
        Recipe r;
        r.model = "analytic:gaussian2?mean=0,3&eigenvalues=0.16,0.16";
        r.images = 1000;
        r.steps = 150;
        r.sampler = {"euler_ancestral", {{"eta", 1.0}}};
        r.schedule = {"karras", {}};
        r.guidance = {{"superposition", {{"mode", mode.toStdString()}, {"models", other}}}};
        const Plan p = planned(r);
        QCOMPARE(p.models, std::vector<std::string>{other});
        QCOMPARE(p.evaluations, 300);
        QCOMPARE(p.guidance[0].evaluations, 150);
        const auto run = runOne(r);
        QCOMPARE(run->evaluations, 300);
        double above = 0, size = 0;
        const auto y = run->trajectory->last().toDoubles();
        for (std::size_t i = 1; i < y.size(); i += 2) {
            above += (y[i] > 0) / 1000.0;
            size += std::abs(y[i]) / 1000.0;
        }
        qInfo("%s: share above %.3f, mean |y| %.3f", qPrintable(mode), above, size);
        if (mode == "or") QVERIFY(std::abs(above - 0.5) < 0.06 && size > 2.8);
        if (mode == "and") QVERIFY(size < 0.2);
        if (mode == "average") QVERIFY(size < 0.6);
        const auto& e = *run->trajectory->evaluations.back();
        QCOMPARE(e.metrics.size(), std::size_t(4));
        QCOMPARE(e.branches.size(), std::size_t(2));
        QCOMPARE(e.branches[1].branch, Branch(Branch::OtherModel, 0));
    }
    void deterministicPathsAreWarnedOf() {
        Recipe r;
        r.model = "analytic:gaussian2";
        r.sampler = {"euler", {}};
        r.guidance = {{"superposition", {{"models", std::string("analytic:gaussian2?mean=0,-3")}}}};
        bool warned = false;
        for (const auto& n : planned(r).notes)
            warned |= n.kind == NoteKind::Warning && n.text.find("log-densities") != std::string::npos;
        QVERIFY(warned);
    }
    void otherStatesAreRefused() {
        Recipe r;
        r.model = "analytic:gaussian2";
        r.guidance = {{"superposition", {{"models", std::string("analytic:gaussian?d=3")}}}};
        const auto p = plan(r);
        QVERIFY(!p && p.error().text.find("states") != std::string::npos);
        r.guidance[0].params["models"] = std::string("analytic:gaussian2?process=flow");
        const auto q = plan(r);
        QVERIFY(!q && q.error().text.find("flow") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestSuperposition)
#include "tst_superposition.moc"
