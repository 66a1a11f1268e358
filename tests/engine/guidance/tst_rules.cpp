// Rules against their closed forms on small vectors, and the linear operators and grids behind them.
#include "rule_bench.h"

#include "engine/guidance/grid.h"
#include "engine/guidance/operators.h"
#include "engine/guidance/spaces.h"

using namespace meander;
using namespace meander::bench;

namespace {

Values random(int n, std::uint32_t seed) {
    Values v;
    std::uint64_t s = seed * 2654435761u + 1;
    for (int i = 0; i < n; ++i) {
        s = s * 6364136223846793005u + 1442695040888963407u;
        v.push_back(double(s >> 40) / double(1 << 23) - 1);
    }
    return v;
}
double dotOf(const Values& a, const Values& b) {
    double d = 0;
    for (std::size_t i = 0; i < a.size(); ++i) d += a[i] * b[i];
    return d;
}
double largestDifference(const Values& a, const Values& b) {
    double d = a.size() == b.size() ? 0 : 1e9;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) d = std::max(d, std::abs(a[i] - b[i]));
    return d;
}
Values mixed(double wa, const Values& a, double wb, const Values& b) {
    Values v = a;
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = wa * a[i] + wb * b[i];
    return v;
}
Planes planes(std::int64_t h, std::int64_t w, std::int64_t c, std::uint32_t seed) {
    return {1, h, w, c, random(int(h * w * c), seed)};
}

const Branch conditional = Branch::Conditional, unconditional = Branch::Unconditional;

}  // namespace

class TestRules : public QObject {
    Q_OBJECT
private slots:
    // Every space and back is the identity, and the definitions hold.
    void spaces_data() {
        QTest::addColumn<int>("process");
        for (int p = 0; p < 3; ++p) QTest::addRow("%s", (const char*[]){"ve", "vp", "flow"}[p]) << p;
    }
    void spaces() {
        QFETCH(int, process);
        ModelInfo m = someModel({3});
        m.process = process == 0   ? Process::varianceExploding(0.002, 80)
                    : process == 1 ? Process::vpLinear(1000, 1e-4, 0.02)
                                   : Process::rectifiedFlow();
        m.parametrization = process == 2 ? Parametrization::FlowVelocity : Parametrization::V;
        RuleBench b({}, m);
        for (double tau : {0.05, 0.4, 0.95}) {
            const auto moment = b.moment(3, 10, tau);
            const double a = moment.signal();
            const Values y{0.3, -1.2, 2}, d{0.1, 0.4, -0.7};
            for (const char* name : {"x0", "epsilon", "v", "velocity", "output"}) {
                const Space s = spaceOf(name, moment);
                const Tensor f = s.from(b.tensor(d), b.tensor(y));
                QVERIFY2(largestDifference(RuleBench::values(s.back(f, b.tensor(y))), d) < 1e-12, name);
            }
            const auto value = [&](const char* name) {
                return RuleBench::values(spaceOf(name, moment).from(b.tensor(d), b.tensor(y)));
            };
            const Values eps = mixed(1 / tau, y, -a / tau, d);
            const double length = std::hypot(a, tau);
            QVERIFY(largestDifference(value("epsilon"), eps) < 1e-12);
            QVERIFY(largestDifference(value("velocity"), mixed(1, eps, -1, d)) < 1e-12);
            QVERIFY(largestDifference(value("v"), mixed(a / length, eps, -tau / length, d)) < 1e-12);
            if (process == 1) QVERIFY(largestDifference(value("output"), value("v")) < 1e-12);
            if (process == 2) QVERIFY(largestDifference(value("output"), value("velocity")) < 1e-12);
        }
    }

    void apgPartsAreOrthogonal() {  // η = 0: the update has nothing along c; its norm obeys the cap
        const Values c = random(12, 1), u = random(12, 2);
        RuleBench b({{"apg", {{"scale", 3.0}, {"eta", 0.0}, {"norm_cap", 0.5}}}}, someModel({12}));
        const Values got = RuleBench::values(b.apply(b.moment(), {{conditional, c}, {unconditional, u}}).combined),
                     update = mixed(0.5, got, -0.5, c);
        QVERIFY(std::abs(dotOf(update, c)) < 1e-12);
        QVERIFY(std::sqrt(dotOf(update, update)) <= 0.5 + 1e-12);
    }
    void apgSmoothCap() {  // stable-diffusion.cpp's x/(1 + x^(1/s))^s, on the norm of as many elements as its reference
                           // latent
        const Values c(4, 1.0), u(4, 0.0);
        RuleBench b({{"apg",
                      {{"scale", 2.0},
                       {"eta", 1.0},
                       {"norm_cap", 100.0},
                       {"cap_smoothing", 0.5},
                       {"cap_measure", std::string("resolution")}}}},
                    someModel({4}));
        const double x = 100 / (2.0 * 256 / 2), factor = x / std::pow(1 + x * x, 0.5);
        QVERIFY(near(RuleBench::values(b.apply(b.moment(), {{conditional, c}, {unconditional, u}}).combined)[0],
                     1 + factor, 1e-12));
    }
    void apgMomentumStartsAfreshWhenNoiseRises() {
        RuleBench b({{"apg", {{"scale", 2.0}, {"eta", 1.0}, {"momentum", 0.5}}}}, someModel({1}));
        const auto at = [&](double tau) {
            return RuleBench::values(
                b.apply(b.moment(3, 10, tau), {{conditional, {1}}, {unconditional, {0}}}).combined)[0];
        };
        QCOMPARE(at(1), 2.0);
        QCOMPARE(at(0.5), 2.5);
        QCOMPARE(at(0.25), 2.75);
        QCOMPARE(at(0.9), 2.0);
    }
    void apgWarmUp() {
        const Params p{{"scale", 2.0}, {"eta", 1.0}, {"momentum", 0.5}, {"from", 0.5}, {"warm_up", true}};
        RuleBench b({{"apg", p}}, someModel({1}));
        QCOMPARE(b.stack->evaluationPlan(b.moment(1)).branches.size(), std::size_t(2));
        QCOMPARE(RuleBench::values(b.apply(b.moment(1, 10, 1), {{conditional, {1}}, {unconditional, {0}}}).combined)[0],
                 1.0);
        QCOMPARE(
            RuleBench::values(b.apply(b.moment(5, 10, 0.5), {{conditional, {1}}, {unconditional, {0}}}).combined)[0],
            2.5);
    }

    // The damped unconditional estimate is the projection on the first right-singular vector: what it loses is
    // orthogonal to both estimates' common direction.
    void tangential() {
        const Values c = random(9, 3), u = random(9, 4);
        RuleBench b({{"tcfg", {{"space", std::string("x0")}}}, {"cfg", {{"scale", 0.0}}}}, someModel({9}));
        const Values damped = RuleBench::values(b.apply(b.moment(), {{conditional, c}, {unconditional, u}}).combined);
        // Power iteration on the Gram matrix of [c; u].
        double x = 1, y = 0.3;
        for (int i = 0; i < 2000; ++i) {
            const double nx = dotOf(c, c) * x + dotOf(c, u) * y, ny = dotOf(c, u) * x + dotOf(u, u) * y,
                         l = std::hypot(nx, ny);
            x = nx / l;
            y = ny / l;
        }
        Values v = mixed(x, c, y, u);
        const double norm = std::sqrt(dotOf(v, v)), along = dotOf(u, v) / (norm * norm);
        QVERIFY(largestDifference(damped, mixed(along, v, 0, v)) < 1e-9);
    }
    void tangentialOfParallelsChangesNothing() {
        const Values c = random(5, 5), u = mixed(-0.5, c, 0, c);
        RuleBench b({{"tcfg", {{"space", std::string("x0")}}}, {"cfg", {{"scale", 0.0}}}}, someModel({5}));
        QVERIFY(largestDifference(
                    RuleBench::values(b.apply(b.moment(), {{conditional, c}, {unconditional, u}}).combined), u)
                < 1e-12);
    }

    void magnitudeAware() {
        const Values c{2, 0}, u{1, 0};
        RuleBench b({{"magnitude_aware", {{"scale", 5.0}, {"alpha", 2.0}}}}, someModel({2}));
        QVERIFY(near(RuleBench::values(b.apply(b.moment(), {{conditional, c}, {unconditional, u}}).combined)[0],
                     1 + (1 + 4 * std::exp(-2.0)), 1e-12));
    }

    void perpNeg() {  // a negative along the prompt takes nothing away; a perpendicular one counts fully
        const Branch negative(Branch::Prompt, 0);
        const auto with = [&](const Values& n) {
            RuleBench b({{"perp_neg",
                          {{"scale", 2.0}, {"negatives", std::string("b")}, {"weights", std::vector<double>{1.5}}}}},
                        someModel({2}));
            return RuleBench::values(
                b.apply(b.moment(), {{conditional, {1, 0}}, {unconditional, {0, 0}}, {negative, n}}).combined);
        };
        QVERIFY(largestDifference(with({0.7, 0}), {2, 0}) < 1e-12);
        QVERIFY(largestDifference(with({0, 1}), {2, -3}) < 1e-12);
        QVERIFY(largestDifference(with({0.7, 1}), {2, -3}) < 1e-12);
    }
    void perpNegProjectsEveryImageAlone() {
        RuleBench b({{"perp_neg", {{"scale", 1.0}, {"negatives", std::string("b")}}}}, someModel({2}));
        const auto got = RuleBench::values(b.apply(b.moment(),
                                                   {{conditional, {1, 0, 0, 1}},
                                                    {unconditional, {0, 0, 0, 0}},
                                                    {Branch(Branch::Prompt, 0), {1, 1, 1, 1}}},
                                                   {}, 2)
                                               .combined);
        QVERIFY(largestDifference(got, {1, -1, -1, 1}) < 1e-12);
    }
    void dual_data() {
        QTest::addColumn<QString>("style");
        QTest::addColumn<double>("expected");
        const double c = 3, m = 2, u = 1;
        QTest::newRow("regular") << "regular" << u + 1.5 * (m - u) + 7 * (c - m);
        QTest::newRow("nested") << "nested" << u + 1.5 * (m + 7 * (c - m) - u);
    }
    void dual() {
        QFETCH(QString, style);
        QFETCH(double, expected);
        RuleBench b(
            {{"dual",
              {{"scale", 7.0}, {"middle_scale", 1.5}, {"middle", std::string("b")}, {"style", style.toStdString()}}}},
            someModel({1}));
        QCOMPARE(b.stack->evaluationPlan(b.moment()).branches.size(), std::size_t(3));
        QVERIFY(
            near(RuleBench::values(
                     b.apply(b.moment(), {{conditional, {3}}, {unconditional, {1}}, {Branch(Branch::Prompt, 0), {2}}})
                         .combined)[0],
                 expected, 1e-12));
    }
    void dualAsksOnlyWhatCounts() {
        RuleBench b(
            {{"dual",
              {{"scale", 1.0}, {"middle_scale", 2.0}, {"middle", std::string("b")}, {"style", std::string("nested")}}}},
            someModel({1}));
        const auto w = b.stack->evaluationPlan(b.moment()).branches;  // u + 2 (c − u)
        QCOMPARE(w.size(), std::size_t(2));
        QCOMPARE(w[1], unconditional);
    }

    void rcfgOnetime() {  // the first step is plain guidance, later ones use its unconditional estimate; asked once
        RuleBench b({{"residual_cfg", {{"scale", 3.0}}}}, someModel({1}));
        QCOMPARE(b.stack->evaluationPlan(b.moment(0)).branches.size(), std::size_t(2));
        QCOMPARE(RuleBench::values(b.apply(b.moment(0), {{conditional, {2}}, {unconditional, {1}}}).combined)[0], 4.0);
        QCOMPARE(b.stack->evaluationPlan(b.moment(1)).branches.size(), std::size_t(1));
        QCOMPARE(RuleBench::values(b.apply(b.moment(1), {{conditional, {5}}}).combined)[0], 13.0);
    }
    void rcfgSelfWithDelta() {  // ε = δ ε_res + γ (ε_c − δ ε_res), ε_res = (y − a x̂0)/τ
        RuleBench b({{"residual_cfg", {{"scale", 1.4}, {"kind", std::string("self")}, {"delta", 0.6}}}},
                    someModel({2}));
        const Values first{0.5, -0.2}, y{3, 1}, c{0.7, 0.1};
        b.apply(b.moment(0, 10, 4), {{conditional, first}}, {4, 4});
        QCOMPARE(b.stack->evaluationPlan(b.moment(1)).branches.size(), std::size_t(1));
        const double tau = 2;
        const Values got = RuleBench::values(b.apply(b.moment(1, 10, tau), {{conditional, c}}, y).combined);
        for (std::size_t i = 0; i < 2; ++i) {
            const double residual = 0.6 * (y[i] - first[i]) / tau,
                         eps = residual + 1.4 * ((y[i] - c[i]) / tau - residual);
            QVERIFY(near(got[i], y[i] - tau * eps, 1e-12));
        }
    }
    // In image-to-image the fixed clean state is the input, as in StreamDiffusion, not the first estimate of it.
    void rcfgSelfRefersToTheInput() {
        RuleBench b({{"residual_cfg", {{"scale", 1.4}, {"kind", std::string("self")}}}}, someModel({2}));
        GuidanceMoment m = b.moment(0, 10, 4);
        m.clean = b.tensor({0.9, -0.6});
        const Values c{0.5, -0.2}, got = RuleBench::values(b.apply(m, {{conditional, c}}, {4, 4}).combined);
        QVERIFY(near(got[0], 1.4 * 0.5 - 0.4 * 0.9, 1e-12) && near(got[1], 1.4 * -0.2 - 0.4 * -0.6, 1e-12));
    }

    void degradedModel_data() {
        QTest::addColumn<QString>("rule");
        QTest::addColumn<QString>("formulation");
        QTest::addColumn<double>("expected");
        for (const char* rule : {"pag", "seg", "slg"}) {
            QTest::addRow("%s on top", rule) << rule << "original" << 2 + 3 * (2 - 0.5);
            QTest::addRow("%s from the worse", rule) << rule << "extrapolate" << 0.5 + 3 * (2 - 0.5);
        }
        QTest::newRow("autoguidance") << "autoguidance"
                                      << "" << 0.5 + 3 * (2 - 0.5);
    }
    void degradedModel() {
        QFETCH(QString, rule);
        QFETCH(QString, formulation);
        QFETCH(double, expected);
        ModelInfo m = someModel({1});
        m.blocks = {{"mid_block", 4, 8, 8, 64}};
        Params p{{"scale", 3.0}, {"from", 0.0}, {"to", 1.0}};
        if (!formulation.isEmpty()) p["formulation"] = formulation.toStdString();
        RuleBench b({{rule.toStdString(), p}}, m);
        QVERIFY(near(RuleBench::values(
                         b.apply(b.moment(), {{conditional, {2}}, {Branch(Branch::Changed, 0), {0.5}}}).combined)[0],
                     expected, 1e-12));
    }

    void dynamicThresholding() {  // quantile with interpolation, at least 1, clip and divide
        RuleBench b({{"dynamic_threshold", {{"ratio", 0.5}}}}, someModel({5}));
        QVERIFY(largestDifference(RuleBench::values(b.apply(b.moment(), {{conditional, {-4, 3, 2, -1, 0.5}}}).combined),
                                  {-1, 1, 1, -0.5, 0.25})
                < 1e-12);
        QVERIFY(largestDifference(
                    RuleBench::values(b.apply(b.moment(), {{conditional, {-0.4, 0.3, 0.2, -0.1, 0.5}}}).combined),
                    {-0.4, 0.3, 0.2, -0.1, 0.5})
                < 1e-12);
        RuleBench clip({{"dynamic_threshold", {{"limit", 1.0}}}}, someModel({3}));
        QVERIFY(largestDifference(RuleBench::values(clip.apply(clip.moment(), {{conditional, {-4, 0.3, 2}}}).combined),
                                  {-1, 0.3, 1})
                < 1e-12);
    }
    void mimicOfItsOwnScaleChangesNothing_data() {
        QTest::addColumn<QString>("start");
        QTest::addColumn<QString>("measure");
        for (const char* s : {"mean", "zero"})
            for (const char* m : {"extent", "deviation"}) QTest::addRow("%s %s", s, m) << s << m;
    }
    void mimicOfItsOwnScaleChangesNothing() {
        QFETCH(QString, start);
        QFETCH(QString, measure);
        const Values c = random(256, 6), u = random(256, 7);
        const Params p{{"scale", 5.0}, {"start", start.toStdString()}, {"measure", measure.toStdString()}};
        RuleBench b({{"cfg", {{"scale", 5.0}}}, {"mimic", p}}), plain({{"cfg", {{"scale", 5.0}}}});
        const std::vector<std::pair<Branch, Values>> answers{{conditional, c}, {unconditional, u}};
        QVERIFY(largestDifference(RuleBench::values(b.apply(b.moment(), answers).combined),
                                  RuleBench::values(plain.apply(plain.moment(), answers).combined))
                < 1e-12);
    }
    void mimicBringsTheRangeBack() {  // per channel, the largest distance from the mean is that of scale 2
        const Values c = random(256, 8), u = random(256, 9);
        const std::vector<std::pair<Branch, Values>> answers{{conditional, c}, {unconditional, u}};
        RuleBench b({{"cfg", {{"scale", 9.0}}}, {"mimic", {{"scale", 2.0}}}}), low({{"cfg", {{"scale", 2.0}}}});
        const auto range = [](const Values& v, std::size_t channel) {
            double mean = 0, most = 0;
            for (std::size_t i = channel; i < v.size(); i += 4) mean += v[i] / 64;
            for (std::size_t i = channel; i < v.size(); i += 4) most = std::max(most, std::abs(v[i] - mean));
            return most;
        };
        const Values got = RuleBench::values(b.apply(b.moment(), answers).combined),
                     wanted = RuleBench::values(low.apply(low.moment(), answers).combined);
        for (std::size_t channel = 0; channel < 4; ++channel)
            QVERIFY(near(range(got, channel), range(wanted, channel), 1e-12));
    }
    void renormAndMahiro() {
        RuleBench b({{"cfg", {{"scale", 4.0}}}, {"renorm", {{"limit", 0.5}}}}, someModel({2}));
        const auto got =
            RuleBench::values(b.apply(b.moment(), {{conditional, {3, 4}}, {unconditional, {0, 0}}}).combined);
        QVERIFY(largestDifference(got, {1.5, 2}) < 1e-12);
        // u = c: the cosine is 1, so the combination stays; it is w c there too.
        RuleBench same({{"cfg", {{"scale", 4.0}}}, {"mahiro", {}}}, someModel({2}));
        QVERIFY(
            largestDifference(
                RuleBench::values(same.apply(same.moment(), {{conditional, {3, 4}}, {unconditional, {3, 4}}}).combined),
                {3, 4})
            < 1e-12);
        // u opposite to the mean of leap and combination: only the leap is left.
        RuleBench opposite({{"cfg", {{"scale", 2.0}}}, {"mahiro", {{"scale", 2.0}}}}, someModel({1}));
        QVERIFY(near(RuleBench::values(
                         opposite.apply(opposite.moment(), {{conditional, {1}}, {unconditional, {-1}}}).combined)[0],
                     2, 1e-12));
    }

    // ε̂' = ε̂/λ; and under every process the exact estimate of a Gaussian becomes that of one whose variance is divided
    // by k.
    void scaledScores() {
        for (const Process& process : {Process::varianceExploding(0.002, 80),
                                       Process::vpScaledLinear(1000, 0.00085, 0.012), Process::rectifiedFlow()}) {
            ModelInfo model = someModel({3});
            model.process = process;
            const double tau = 0.6, a = process.signal(tau), k = 1.7, sigma = 0.8;
            const Values y{0.3, -1.2, 2};
            const auto estimate = [&](double variance) {
                const double gain = a * variance / (a * a * variance + tau * tau);
                return mixed(gain, y, 0, y);
            };
            RuleBench scaled({{"epsilon_scaling", {{"divisor", 1.25}}}}, model);
            const Values d = estimate(sigma * sigma),
                         got =
                             RuleBench::values(scaled.apply(scaled.moment(3, 10, tau), {{conditional, d}}, y).combined);
            QVERIFY(largestDifference(mixed(1 / tau, y, -a / tau, got), mixed(0.8 / tau, y, -0.8 * a / tau, d))
                    < 1e-12);
            RuleBench rescaled({{"temporal_score_rescaling", {{"k", k}, {"sigma", sigma}}}}, model);
            QVERIFY(largestDifference(
                        RuleBench::values(rescaled.apply(rescaled.moment(3, 10, tau), {{conditional, d}}, y).combined),
                        estimate(sigma * sigma / k))
                    < 1e-12);
        }
    }

    void concepts() {  // cosines are read, and a concept below the threshold is added
        RuleBench b({{"concepts", {{"concepts", std::string("b | c")}, {"strength", 2.0}, {"threshold", 0.5}}}},
                    someModel({2}));
        const auto parts = b.apply(b.moment(), {{conditional, {1, 0}},
                                                {unconditional, {0, 0}},
                                                {Branch(Branch::Prompt, 0), {1, 1}},
                                                {Branch(Branch::Prompt, 1), {0, 3}}});
        QCOMPARE(parts.metrics.size(), std::size_t(4));
        QVERIFY(near(parts.metrics[0].values[0], std::sqrt(0.5), 1e-12));
        QCOMPARE(parts.metrics[2].values[0], 0.0);
        QVERIFY(largestDifference(RuleBench::values(parts.combined), {1, 6}) < 1e-12);
    }

    // One scale for all levels is plain guidance, in any number of levels; with one level the parallel weight is APG's
    // η.
    void frequencyDecoupledOfOneScaleIsCfg() {
        const Values c = random(256, 10), u = random(256, 11);
        const std::vector<std::pair<Branch, Values>> answers{{conditional, c}, {unconditional, u}};
        RuleBench cfg({{"cfg", {{"scale", 3.0}}}}),
            apg({{"apg", {{"scale", 3.0}, {"eta", 0.25}, {"dialect", std::string("diffusers")}}}});
        const auto plain = RuleBench::values(cfg.apply(cfg.moment(), answers).combined);
        for (const auto& scales : {std::vector<double>{3}, {3, 3}, {3, 3, 3}}) {
            RuleBench b({{"frequency_decoupled", {{"scales", scales}}}});
            QVERIFY(largestDifference(RuleBench::values(b.apply(b.moment(), answers).combined), plain) < 1e-12);
        }
        RuleBench one(
            {{"frequency_decoupled", {{"scales", std::vector<double>{3}}, {"parallel", std::vector<double>{0.25}}}}});
        QVERIFY(largestDifference(RuleBench::values(one.apply(one.moment(), answers).combined),
                                  RuleBench::values(apg.apply(apg.moment(), answers).combined))
                < 1e-12);
    }
    void frequencyDecoupledKeepsLowFrequencies() {  // weight 1 on the coarsest level: the pyramid's coarse level of the
                                                    // result is the conditional one
        const Values c = random(256, 12), u = random(256, 13);
        RuleBench b({{"frequency_decoupled", {{"scales", std::vector<double>{6, 1}}}}});
        const auto parts = b.apply(b.moment(), {{conditional, c}, {unconditional, u}});
        const Planes wanted = pyramidUp(pyramidDown(Planes::of(b.tensor(c)))), detail = Planes::of(parts.combined);
        // combined = up(down c) + detail part, where the detail part is 6 × the difference's detail on top of u's.
        const Planes cc = Planes::of(b.tensor(c)), uu = Planes::of(b.tensor(u)), wu = pyramidUp(pyramidDown(uu));
        for (std::size_t i = 0; i < detail.values.size(); ++i) {
            const double dc = cc.values[i] - wanted.values[i], du = uu.values[i] - wu.values[i];
            QVERIFY(std::abs(detail.values[i] - (wanted.values[i] + du + 6 * (dc - du))) < 1e-12);
        }
    }
    void frescaFactors() {
        const Values c = random(256, 14), u = random(256, 15);
        const std::vector<std::pair<Branch, Values>> answers{{conditional, c}, {unconditional, u}};
        // Both factors f: guidance scaled by f, so CFG at w gives u + w f (c − u).
        RuleBench both(
            {{"fresca", {{"low", 0.5}, {"high", 0.5}, {"cutoff", std::int64_t(2)}}}, {"cfg", {{"scale", 4.0}}}}),
            plain({{"cfg", {{"scale", 2.0}}}});
        QVERIFY(largestDifference(RuleBench::values(both.apply(both.moment(), answers).combined),
                                  RuleBench::values(plain.apply(plain.moment(), answers).combined))
                < 1e-12);
        // Only the mean is low at cut-off 1 with −1 ≤ f < 1: a constant difference keeps the low factor.
        RuleBench low(
            {{"fresca", {{"low", 3.0}, {"high", 0.0}, {"cutoff", std::int64_t(1)}}}, {"cfg", {{"scale", 1.0}}}});
        const auto got = RuleBench::values(
            low.apply(low.moment(), {{conditional, Values(256, 2.0)}, {unconditional, Values(256, 1.0)}}).combined);
        QVERIFY(largestDifference(got, Values(256, 4.0)) < 1e-12);
    }

    void fourierThereAndBack_data() {
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("width");
        QTest::newRow("powers of two") << 8 << 16;
        QTest::newRow("any size") << 6 << 5;
        QTest::newRow("one row") << 1 << 7;
    }
    void fourierThereAndBack() {
        QFETCH(int, height);
        QFETCH(int, width);
        const Planes p = planes(height, width, 2, 16);
        const Spectrum s = fourier(p);
        QVERIFY(largestDifference(inverseFourier(p, s).values, p.values) < 1e-12);
        // The definition at one frequency.
        std::complex<double> sum;
        const int fy = height > 1 ? 1 : 0, fx = 2;
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                sum +=
                    p.at(0, y, x, 1)
                    * std::polar(1.0, -2 * 3.14159265358979323846 * (double(fy * y) / height + double(fx * x) / width));
        QVERIFY(std::abs(sum - s[std::size_t((fy * width + fx) * 2 + 1)]) < 1e-12);
    }
    void quantiles() {
        Values v{5, 1, 4, 2, 3};
        QCOMPARE(quantile(v, 0), 1.0);
        QCOMPARE(quantile(v, 1), 5.0);
        QCOMPARE(quantile(v, 0.5), 3.0);
        QVERIFY(near(quantile(v, 0.3), 2.2, 1e-12));
    }

    void operators_data() {
        QTest::addColumn<int>("which");
        QTest::newRow("mask") << 0;
        QTest::newRow("downsample") << 1;
        QTest::newRow("grey") << 2;
        QTest::newRow("blur") << 3;
    }
    // ⟨A x, y⟩ = ⟨x, Aᵀ y⟩, A A⁺ A = A, and A⁺ A is symmetric: the Moore–Penrose conditions.
    void operators() {
        QFETCH(int, which);
        std::unique_ptr<LinearOperator> a;
        if (which == 0)
            a = maskOperator([] {
                Values m;
                for (int i = 0; i < 48; ++i) m.push_back(i % 3 == 0);
                return m;
            }());
        if (which == 1) a = downsampleOperator(2);
        if (which == 2) a = greyOperator();
        if (which == 3) a = blurOperator(0.8, 1e-6);
        const Planes x = planes(6, 8, 3, 17), z = planes(6, 8, 3, 18), ax = a->apply(x),
                     y{1, ax.height, ax.width, ax.channels, random(int(ax.values.size()), 19)};
        QVERIFY(std::abs(dotOf(ax.values, y.values) - dotOf(x.values, a->adjoint(y).values)) < 1e-12);
        QVERIFY(largestDifference(a->apply(a->inverse(ax)).values, ax.values) < 1e-8);
        QVERIFY(std::abs(dotOf(a->inverse(ax).values, z.values) - dotOf(x.values, a->inverse(a->apply(z)).values))
                < 1e-8);
    }
};

QTEST_GUILESS_MAIN(TestRules)
#include "tst_rules.moc"
