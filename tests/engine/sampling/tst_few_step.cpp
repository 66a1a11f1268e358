// Few-step rules against closed forms. The oracle: the probability flow of a Gaussian is known, so a perfectly
// distilled network is known too (exact_jump.h); a rule that is right lands on the flow's end in any number of steps,
// and with fresh noise keeps the exact distribution. Then identities between rules.
#include <QtTest>
#include <numbers>

#include "tests/engine/sampling/few_step_bench.h"

using namespace meander;
using namespace meander::bench;

class TestFewStep : public QObject {
    Q_OBJECT
private slots:
    void jumpsLandOnTheFlow_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("process");
        QTest::addColumn<int>("distillation");
        QTest::addColumn<QString>("params");
        QTest::addColumn<int>("steps");
        struct Row {
            const char* id;
            Distillation d;
            const char* params;
            std::vector<int> steps;
        };
        // Without fresh noise every rule follows the flow; the rules that draw are run with one step, or with γ = 0.
        const Row rows[] = {{"lcm", Distillation::Consistency, "{}", {1}},
                            {"consistency", Distillation::Consistency, "{}", {1}},
                            {"scm", Distillation::ContinuousConsistency, "{}", {1}},
                            {"dmd", Distillation::Consistency, "{}", {1}},
                            {"ctm", Distillation::Trajectory, R"({"gamma": 0.0})", {1, 2, 5}},
                            {"tcd", Distillation::Trajectory, R"({"gamma": 0.0})", {1, 2, 5}},
                            {"hyper_segments", Distillation::Trajectory, R"({"segments": 2, "eta": 0.0})", {1, 2, 6}},
                            {"hyper_segments", Distillation::Phased, R"({"segments": 4, "eta": 1.0})", {4}},
                            {"pcm", Distillation::Phased, R"({"phases": 4})", {1, 2, 4}},
                            {"pcm", Distillation::Phased, R"({"phases": 4, "inside": "noise"})", {1, 2, 4}},
                            {"multistep_consistency", Distillation::Phased, R"({"segments": 3})", {3}},
                            {"shortcut", Distillation::Shortcut, "{}", {1, 2, 8}}};
        for (const auto& r : rows)
            for (const auto& p : processNames)
                for (int n : r.steps)
                    QTest::addRow("%s %s %s %d", r.id, r.params, qPrintable(p), n)
                        << r.id << p << int(r.d) << r.params << n;
    }
    void jumpsLandOnTheFlow() {
        QFETCH(QString, sampler);
        QFETCH(QString, process);
        QFETCH(int, distillation);
        QFETCH(QString, params);
        QFETCH(int, steps);
        const auto& info = *findSampler(sampler.toStdString());
        const Process p = processNamed(process);
        const Params given = *paramsFromJson(Json::parse(params.toStdString()));
        const auto levels = levelsOf(info, p, "uniform_t", steps, given);
        QCOMPARE(int(levels.size()), steps + 1);
        const Tensor start = marginal(p, levels.front(), 20, 3);
        const auto got = solve(info, p, levels, start, given, perfect(p, Distillation(distillation)), philox(1));
        const double difference = worstDifference(got.values(), flowEnd(p, start, levels.front()));
        QVERIFY2(difference < 1e-11, qPrintable(QString::number(difference)));
    }

    // More steps than phases: deterministic sampling visits the edges only, and noise inside a phase keeps the
    // distribution. Followed half-way to an edge, the direction missed the flow by 0.069.
    void moreStepsThanPhases_data() {
        QTest::addColumn<QString>("process");
        QTest::addColumn<int>("steps");
        for (const auto& p : processNames)
            for (const int n : {4, 8, 16}) QTest::addRow("%s %d", qPrintable(p), n) << p << n;
    }
    void moreStepsThanPhases() {
        QFETCH(QString, process);
        QFETCH(int, steps);
        const auto& info = *findSampler("pcm");
        const Process p = processNamed(process);
        const Params given{{"phases", std::int64_t(4)}};
        const auto levels = levelsOf(info, p, "uniform_t", steps, filled(info, given));
        QCOMPARE(int(levels.size()), 5);
        const Tensor start = marginal(p, levels.front(), 200, 3);
        const auto got = solve(info, p, levels, start, given, perfect(p, Distillation::Phased)).values(),
                   want = flowEnd(p, start, levels.front());
        double sum = 0;
        for (std::size_t i = 0; i < got.size(); ++i) sum += (got[i] - want[i]) * (got[i] - want[i]);
        QVERIFY2(std::sqrt(sum / double(got.size())) < 1e-11, qPrintable(QString::number(std::sqrt(sum))));
    }

    // Noise added again to an exact jump keeps the marginal exactly, at any γ and any number of steps: mean and
    // deviation of 20 000 particles.
    void freshNoiseKeepsTheDistribution_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("process");
        QTest::addColumn<int>("distillation");
        QTest::addColumn<QString>("params");
        struct Row {
            const char* id;
            Distillation d;
            const char* params;
        };
        const Row rows[] = {{"lcm", Distillation::Consistency, "{}"},
                            {"consistency", Distillation::Consistency, "{}"},
                            {"scm", Distillation::ContinuousConsistency, "{}"},
                            {"dmd", Distillation::Consistency, "{}"},
                            {"ctm", Distillation::Trajectory, R"({"gamma": 0.4})"},
                            {"ctm", Distillation::Trajectory, R"({"gamma": 1.0})"},
                            {"tcd", Distillation::Trajectory, R"({"gamma": 0.3})"},
                            {"tcd", Distillation::Trajectory, R"({"gamma": 0.9})"},
                            {"pcm", Distillation::Trajectory, R"({"phases": 2, "inside": "noise"})"},
                            {"hyper_segments", Distillation::Trajectory, R"({"segments": 2, "eta": 0.7})"}};
        for (const auto& r : rows)
            for (const auto& p : processNames)
                QTest::addRow("%s %s %s", r.id, r.params, qPrintable(p)) << r.id << p << int(r.d) << r.params;
    }
    void freshNoiseKeepsTheDistribution() {
        QFETCH(QString, sampler);
        QFETCH(QString, process);
        QFETCH(int, distillation);
        QFETCH(QString, params);
        const auto& info = *findSampler(sampler.toStdString());
        const Process p = processNamed(process);
        const Params given = *paramsFromJson(Json::parse(params.toStdString()));
        const auto levels = levelsOf(info, p, "cosine", 4, given);
        const std::int64_t n = 20000;
        const auto x = solve(info, p, levels, marginal(p, levels.front(), n, 11), given,
                             perfect(p, Distillation(distillation)), philox(5))
                           .values();
        for (int c = 0; c < 2; ++c) {
            double sum = 0, squares = 0;
            for (std::size_t i = std::size_t(c); i < x.size(); i += 2) {
                sum += x[i];
                squares += x[i] * x[i];
            }
            const double mean = sum / double(n), stddev = std::sqrt(squares / double(n) - mean * mean),
                         wanted = std::sqrt(gaussian.variance(0, c));
            QVERIFY2(std::abs(mean - gaussian.mean(0, c)) < 4 * wanted / std::sqrt(double(n)),
                     qPrintable(QString("mean %1").arg(mean)));
            QVERIFY2(std::abs(stddev / wanted - 1) < 4 / std::sqrt(2.0 * double(n)),
                     qPrintable(QString("deviation %1 of %2").arg(stddev).arg(wanted)));
        }
    }

    // Two rules that must be the same for any network: run on an arbitrary non-linear estimate.
    void identities_data() {
        QTest::addColumn<QString>("left");
        QTest::addColumn<QString>("leftParams");
        QTest::addColumn<QString>("right");
        QTest::addColumn<QString>("rightParams");
        QTest::addColumn<QString>("process");
        const auto add = [](const char* left, const char* leftParams, const char* right, const char* rightParams,
                            const QStringList& where) {
            for (const auto& p : where)
                QTest::addRow("%s %s = %s, %s", left, leftParams, right, qPrintable(p))
                    << left << leftParams << right << rightParams << p;
        };
        add("tcd", R"({"gamma": 0.0})", "ddim", "{}", processNames);
        add("ctm", R"({"gamma": 0.0})", "ddim", "{}", processNames);
        add("ctm", R"({"gamma": 1.0})", "lcm", "{}", processNames);
        add("tcd", R"({"gamma": 1.0})", "lcm", "{}",
            {"edm", "flow"});  // discrete steps stop at step 0, not at the data
        add("consistency", R"({"floor": 0.0})", "lcm", "{}", processNames);
        add("multistep_consistency", "{}", "ddim", "{}", processNames);
        add("rectified_diffusion", "{}", "ddim", "{}", processNames);
        add("shortcut", R"({"power_of_two": false})", "euler", "{}", processNames);
        add("hyper_segments", R"({"segments": 1, "eta": 0.6})", "tcd", R"({"gamma": 0.6})", processNames);
        add("hyper_segments", R"({"segments": 5, "eta": 1.0})", "pcm", R"({"phases": 5})", processNames);
        add("pcm", R"({"phases": 1, "inside": "noise"})", "lcm", "{}", processNames);
        add("pcm", R"({"phases": 5})", "ddim", "{}", processNames);
        add("dmd", "{}", "lcm", "{}", processNames);
        add("scm", "{}", "lcm", "{}", processNames);
        add("caf", R"({"alpha": 1.0})", "euler", "{}",
            {"flow"});  // straight only where it is told constant directions: see below for the rest
        add("pfgmpp", R"({"dimensions": 1e9})", "heun", "{}", processNames);
        add("pfgmpp", R"({"dimensions": 1e9, "solver": "euler"})", "euler", "{}", processNames);
    }
    void identities() {
        QFETCH(QString, left);
        QFETCH(QString, leftParams);
        QFETCH(QString, right);
        QFETCH(QString, rightParams);
        QFETCH(QString, process);
        const Process p = processNamed(process);
        const auto& a = *findSampler(left.toStdString());
        const Params params = *paramsFromJson(Json::parse(leftParams.toStdString())),
                     others = *paramsFromJson(Json::parse(rightParams.toStdString()));
        // The right one runs on the left one's levels; those of a phase's edges are the same for both.
        const auto levels = levelsOf(a, p, "uniform_t", 5, params);
        const Tensor start = marginal(p, levels.front(), 8, 3);
        const bool isStraight = left == "caf";
        const RequestEstimator estimator = [&](const DenoiseRequest& q) {
            auto v = download(q.x).toDoubles();
            const double scale = p.signal(q.tau) + q.tau;
            for (double& x : v) x = isStraight ? 0.4 : std::sin(x / scale) + 0.3 * std::cos(2.1 * x / scale);
            return DenoiseResult{tensorOf(q.x.shape(), v), {}, {}};
        };
        const auto one = solve(a, p, levels, start, params, estimator, philox(2)),
                   two = solve(*findSampler(right.toStdString()), p, levels, start, others, estimator, philox(2));
        const double difference = worstDifference(one.values(), two.values());
        QVERIFY2(difference < 1e-12, qPrintable(QString::number(difference)));
    }

    // Constant acceleration with the true v0 and a lands on the data point for any number of steps (Park et al. 2024,
    // eq. 5), bent or straight.
    void constantAccelerationLands_data() {
        QTest::addColumn<double>("alpha");
        QTest::addColumn<int>("steps");
        QTest::addColumn<QString>("process");
        for (double alpha : {0.5, 1.0, 1.5})
            for (int n : {1, 3, 10})
                for (const auto& p : processNames)
                    QTest::addRow("%g %d %s", alpha, n, qPrintable(p)) << alpha << n << p;
    }
    void constantAccelerationLands() {
        QFETCH(double, alpha);
        QFETCH(int, steps);
        QFETCH(QString, process);
        const Process p = processNamed(process);
        const auto levels = *makeSchedule("uniform_t", p, steps, {});
        const Tensor start = marginal(p, levels.front(), 4, 9);
        std::vector<double> data = {0.25, -0.75, 1.5, 0.125, -2, 0.5, 3, 1};
        std::vector<std::vector<double>> seen;
        const RequestEstimator estimator = [&](const DenoiseRequest& q) {
            seen.push_back(download(q.x).toDoubles());
            return DenoiseResult{tensorOf(q.x.shape(), data), {}, {}};
        };
        const auto got = run("caf", p, levels, start, {{"alpha", alpha}}, estimator);
        QVERIFY2(worstDifference(got.values(), data) < 1e-14,
                 qPrintable(QString::number(worstDifference(got.values(), data))));
        // The states in between lie on x(u) = (1 − c) x0 + c x1, c = u² + α (u − u²), in flow coordinates; x0
        // extrapolated from the first.
        const auto flow = [&](double tau) { return 1 / (p.signal(tau) + tau); };
        const auto c = [&](double tau) {
            const double u = p.signal(tau) * flow(tau);
            return u * u + alpha * (u - u * u);
        };
        for (int k = 1; k < steps; ++k)
            for (std::size_t i = 0; i < data.size(); ++i) {
                const double first = levels.front(), tau = levels[std::size_t(k)];
                const double x0 = (seen[0][i] * flow(first) - c(first) * data[i]) / (1 - c(first)),
                             wanted = (1 - c(tau)) * x0 + c(tau) * data[i];
                QVERIFY(std::abs(seen[std::size_t(k)][i] * flow(tau) - wanted) < 1e-12 * (1 + std::abs(wanted)));
            }
    }

    // On an exactly straight coupling the anchored step returns the same point for every N, and the end of the
    // coupling.
    void anchoredStepOnStraightPaths() {
        const Process p = processNamed("flow");
        for (const char* solver : {"euler", "heun"})
            for (const char* schedule : {"uniform_t", "flow_shift"}) {
                const Tensor start = marginal(p, 1, 12, 4);
                const auto y = download(start).toDoubles();
                std::vector<double> end(y.size());
                for (std::size_t i = 0; i < y.size(); ++i)
                    end[i] = gaussian.mean(0, int(i % 2)) + std::sqrt(gaussian.variance(0, int(i % 2))) * y[i];
                for (int n : {1, 2, 5, 9}) {
                    const auto got = run("anchored_flow", p, *makeSchedule(schedule, p, n, {}), start,
                                         {{"solver", std::string(solver)}}, perfect(p, Distillation::Reflow));
                    QVERIFY(worstDifference(got.values(), end) < 1e-13);
                }
            }
    }
    // A first-order path: where ε̂ is constant (one data point), any number of jumps, of the newest or the first ε̂, ends
    // the same.
    void rectifiedDiffusionIsFirstOrder() {
        for (const auto& name : processNames)
            for (bool keep : {false, true})
                for (int n : {1, 4, 9}) {
                    const Process p = processNamed(name);
                    const auto levels = *makeSchedule("cosine", p, n, {});
                    const Tensor start = marginal(p, levels.front(), 6, 2);
                    const RequestEstimator point = [](const DenoiseRequest& q) {
                        return DenoiseResult{
                            tensorOf(q.x.shape(), std::vector<double>(std::size_t(q.x.count()), 0.7)), {}, {}};
                    };
                    for (double v : run("rectified_diffusion", p, levels, start, {{"keep", keep}}, point).values())
                        QVERIFY(std::abs(v - 0.7) < 1e-13);
                }
        // On the rectified Gaussian of a flow too, where paths are straight and ε̂ is constant.
        const Process p = processNamed("flow");
        const Tensor start = marginal(p, 1, 6, 2);
        const auto one = run("rectified_diffusion", p, *makeSchedule("uniform_t", p, 1, {}), start, {},
                             perfect(p, Distillation::Reflow))
                             .values();
        for (bool keep : {false, true})
            QVERIFY(worstDifference(run("rectified_diffusion", p, *makeSchedule("uniform_t", p, 7, {}), start,
                                        {{"keep", keep}}, perfect(p, Distillation::Reflow))
                                        .values(),
                                    one)
                    < 1e-13);
    }

    // The levels that checkpoints are bound to.
    void ownLevels() {
        const Process vp = processNamed("vp"), flow = processNamed("flow"), edm = processNamed("edm");
        const auto steps = [&](const std::vector<double>& levels) {
            std::vector<double> list;
            for (double tau : levels) list.push_back(tau == 0 ? -1 : vp.networkTime(tau));
            return list;
        };
        const auto of = [](const char* id, const Process& p, int n, const Params& given) {
            return levelsOf(*findSampler(id), p, "uniform_t", n, given);
        };
        using List = std::vector<double>;
        QCOMPARE(steps(of("pcm", vp, 4, {{"phases", std::int64_t(4)}})), (List{999, 749, 499, 249, -1}));
        QCOMPARE(steps(of("pcm", vp, 2, {{"phases", std::int64_t(4)}})), (List{999, 499, -1}));
        QCOMPARE(steps(of("pcm", vp, 8, {{"phases", std::int64_t(4)}, {"inside", std::string("noise")}})),
                 (List{999, 874, 749, 624, 499, 374, 249, 124, -1}));
        QCOMPARE(steps(of("pcm", vp, 8, {{"phases", std::int64_t(4)}})), (List{999, 749, 499, 249, -1}));
        QCOMPARE(steps(of("dmd", vp, 4, {})), (List{999, 749, 499, 249, -1}));
        QCOMPARE(steps(of("dmd", vp, 9, {{"times", List{399}}})), (List{399, -1}));
        QCOMPARE(of("shortcut", flow, 4, {}), (List{1, 0.75, 0.5, 0.25, 0}));
        QCOMPARE(of("shortcut", flow, 5, {}), (List{1, 0.75, 0.5, 0.25, 0}));  // the nearest power of two
        QCOMPARE(of("multistep_consistency", flow, 2, {{"segments", std::int64_t(2)}}), (List{1, 0.5, 0}));
        const auto angles = of("scm", edm, 4, {});  // t = atan(80/0.5) = 1.5645, then 1.3, 1.0, 0.6
        QVERIFY(std::abs(std::atan(angles[0] / 0.5) - 1.5645463) < 1e-6);
        for (int k = 1; k < 4; ++k)
            QVERIFY(std::abs(std::atan(angles[std::size_t(k)] / 0.5)
                             - std::vector<double>{0, 1.3, 1.0, 0.6}[std::size_t(k)])
                    < 1e-12);
        // A clipped start (strength) keeps the grid below it.
        const SamplerInfo& pcm = *findSampler("pcm");
        const auto clipped =
            pcm.ownLevels(vp, {vp.tauOfStep(600), vp.tauOfStep(300), vp.tauOfStep(100), vp.tauOfStep(50), 0},
                          *resolveParams(pcm, {{"phases", std::int64_t(4)}}));
        QCOMPARE(steps(clipped), (List{600, 499, 249, -1}));
        QVERIFY_THROWS_EXCEPTION(Failure, of("dmd", vp, 2, {{"times", List{399, 500}}}));
    }

    // iCT's oracle: f(x, σ) = μ + (x − μ)√((s² + ε²)/(s² + σ²)) for μ = 1.5, s = 0.5 from N(0, 80²), in one step and in
    // two with τ = 0.821. The mean misses μ by the signal that is not in the start: 1.490625 in one step.
    void gaussianConsistencyOracle() {
        const Process p = processNamed("edm");
        const RequestEstimator f = [](const DenoiseRequest& q) {
            auto v = download(q.x).toDoubles();
            for (double& x : v) x = 1.5 + (x - 1.5) * std::sqrt((0.25 + 4e-6) / (0.25 + q.tau * q.tau));
            return DenoiseResult{tensorOf(q.x.shape(), v), {}, {}};
        };
        const Tensor start = combine({{80, normals(200000, 2, 17)}});
        for (const std::vector<double>& levels : {std::vector<double>{80, 0}, std::vector<double>{80, 0.821, 0}}) {
            const auto x = run("consistency", p, levels, start, {}, f).values();
            double sum = 0, squares = 0;
            for (double v : x) {
                sum += v;
                squares += v * v;
            }
            const double n = double(x.size()), mean = sum / n, stddev = std::sqrt(squares / n - mean * mean);
            const double k = std::sqrt((0.25 + 4e-6) / (0.25 + 0.821 * 0.821)),
                         first = 1.5 - 1.5 * std::sqrt((0.25 + 4e-6) / (0.25 + 6400));
            const double wanted = levels.size() == 2 ? first : 1.5 + (first - 1.5) * k;
            qInfo("%zu steps: mean %.4f (%.4f), deviation %.4f", levels.size() - 1, mean, wanted, stddev);
            QVERIFY(std::abs(mean - wanted) < 0.004);
            QVERIFY(std::abs(stddev - 0.5) < 0.004);
        }
    }

    // aDDIM on 16 modes of deviation 0.5 in 256 dimensions: DDIM loses spread within the modes at few steps, the
    // adjusted step restores it.
    void adjustedStepRestoresTheSpread() {
        const int d = 256, modes = 16, rows = 600;
        const Process p = Process::vpCosine(1000);
        const auto means = download(combine({{0.7, normals(modes, d, 3)}})).toDoubles();
        const RequestEstimator mixture = [&](const DenoiseRequest& q) {
            const auto y = download(q.x).toDoubles();
            std::vector<double> x0(y.size());
            const double v = 0.25 + q.tau * q.tau, gain = 0.25 / v;
            for (std::size_t r = 0; r < y.size(); r += d) {
                std::vector<double> logs(modes), mean(d);
                for (int k = 0; k < modes; ++k)
                    for (int i = 0; i < d; ++i)
                        logs[std::size_t(k)] -=
                            std::pow(y[r + std::size_t(i)] - means[std::size_t(k * d + i)], 2) / (2 * v);
                const double top = *std::max_element(logs.begin(), logs.end());
                double total = 0;
                for (double& l : logs) total += l = std::exp(l - top);
                for (int k = 0; k < modes; ++k)
                    for (int i = 0; i < d; ++i)
                        mean[std::size_t(i)] += logs[std::size_t(k)] / total * means[std::size_t(k * d + i)];
                for (int i = 0; i < d; ++i)
                    x0[r + std::size_t(i)] =
                        mean[std::size_t(i)] + gain * (y[r + std::size_t(i)] - mean[std::size_t(i)]);
            }
            return DenoiseResult{tensorOf(q.x.shape(), x0), {}, {}};
        };
        const auto spread = [&](const char* sampler, int steps, const Params& params) {
            std::vector<double> levels;
            for (int k = 0; k < steps; ++k)
                levels.push_back(std::tan(std::numbers::pi / 2 * 0.999 * (steps - k) / steps));
            levels.push_back(0);
            const auto x = run(sampler, p, levels,
                               combine({{std::sqrt(1 + levels[0] * levels[0]), normals(rows, d, 8)}}), params, mixture)
                               .values();
            double sum = 0;
            for (std::size_t r = 0; r < x.size(); r += d) {
                double nearest = INFINITY;
                for (int k = 0; k < modes; ++k) {
                    double square = 0;
                    for (int i = 0; i < d; ++i)
                        square += std::pow(x[r + std::size_t(i)] - means[std::size_t(k * d + i)], 2);
                    nearest = std::min(nearest, square / d);
                }
                sum += nearest;
            }
            return std::sqrt(sum / rows);
        };
        // Reference runs with ten other draws of the means and the noise: 0.4164, 0.4959 at 8 steps, 0.3501, 0.4757 at
        // 4, with deviations below 0.0007 between runs.
        struct Reference {
            int steps;
            double plain, adjusted;
        };
        for (const auto& r : {Reference{8, 0.4164, 0.4959}, Reference{4, 0.3501, 0.4757}}) {
            const double plain = spread("multistep_consistency", r.steps, {}),
                         adjusted = spread("multistep_consistency", r.steps, {{"adjusted", true}});
            qInfo("%d steps, within-mode deviation of 0.5: DDIM %.4f (%.4f), aDDIM %.4f (%.4f)", r.steps, plain,
                  r.plain, adjusted, r.adjusted);
            QVERIFY(std::abs(plain - r.plain) < 0.003);
            QVERIFY(std::abs(adjusted - r.adjusted) < 0.003);
            QVERIFY(std::abs(spread("addim", r.steps, {}) - adjusted) < 1e-12);
            QVERIFY(std::abs(spread("addim", r.steps, {{"amount", 0.0}}) - plain) < 1e-12);
        }
    }
};

QTEST_GUILESS_MAIN(TestFewStep)
#include "tst_few_step.moc"
