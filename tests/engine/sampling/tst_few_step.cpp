// Few-step rules against closed forms. The oracle: the probability flow of a Gaussian is known, so a perfectly distilled network is known too (exact_jump.h); a rule
// that is right lands on the flow's end in any number of steps, and with fresh noise keeps the exact distribution. Then identities between rules, whole loops that
// another program ran, and the built-in shortcut networks.
#include <QtTest>
#include <cmath>
#include <numbers>

#include "engine/models/analytic/exact_jump.h"
#include "engine/models/model.h"
#include "engine/run/plan.h"
#include "engine/sampling/checkpoint.h"
#include "engine/sampling/few_step_kit.h"
#include "engine/sampling/noise/torch_random.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

const Mixture gaussian(2, {0.6, -0.3}, {0.25, 2.25});

Process processNamed(const QString& name) {
    if (name == "edm") return Process::varianceExploding(0.002, 80);
    if (name == "vp") return Process::vpScaledLinear(1000, 0.00085, 0.012);
    return Process::rectifiedFlow();
}
const QStringList processNames = {"edm", "vp", "flow"};

NoiseFunction philox(std::uint64_t seed) {
    return [seed](const NoiseRequest& q, const Tensor& like) {
        Tensor z(cpu(), like.shape(), like.type());
        std::vector<kernels::NoiseAddress> addresses;
        for (std::int64_t i = 0; i < like.rows(); ++i) addresses.push_back({seed, std::uint32_t(i), std::uint32_t(q.step * 4096 + 1 + q.draw), 0});
        cpu().normal(addresses, z);
        return z;
    };
}

Tensor tensorOf(Shape shape, const std::vector<double>& values) { return upload(cpu(), HostTensor::fromDoubles(shape, values)); }
Tensor normals(std::int64_t rows, std::int64_t width, std::uint64_t seed) { return philox(seed)({-1, 4095, 0, 0}, Tensor(cpu(), {rows, width}, DType::F64)); }

// Draws of the exact marginal at τ.
Tensor marginal(const Process& p, double tau, std::int64_t rows, std::uint64_t seed) {
    auto v = download(normals(rows, 2, seed)).toDoubles();
    const double a = p.signal(tau);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = a * gaussian.mean(0, int(i % 2)) + std::sqrt(a * a * gaussian.variance(0, int(i % 2)) + tau * tau) * v[i];
    return tensorOf({rows, 2}, v);
}

RequestEstimator perfect(const Process& p, Distillation d) {
    return [&p, d](const DenoiseRequest& q) {
        const auto y = download(q.x).toDoubles();
        std::vector<double> x0(y.size());
        for (std::size_t i = 0; i < y.size(); i += 2) exactJump(gaussian, p, d, q.tau, q.target, std::span(y).subspan(i, 2), std::span(x0).subspan(i, 2));
        return Answer{tensorOf(q.x.shape(), x0), {}, {}};
    };
}

std::vector<double> flowEnd(const Process& p, const Tensor& start, double tau, double to = 0) {
    const auto y = download(start).toDoubles();
    std::vector<double> end;
    for (std::size_t i = 0; i < y.size(); i += 2)
        for (double v : exactFlowMap(gaussian, p, tau, to, std::span(y).subspan(i, 2))) end.push_back(v);
    return end;
}

double worstDifference(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return INFINITY;
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]) / (1 + std::abs(b[i])));
    return worst;
}

Params filled(const SamplerInfo& info, const Params& given) { return *resolveParams(info.params, given, info.label); }

// The levels a run has: the schedule's, or the rule's own in their place.
std::vector<double> levelsOf(const SamplerInfo& info, const Process& p, const QString& schedule, int steps, const Params& params) {
    const auto levels = *makeSchedule(schedule.toStdString(), p, steps, {});
    return info.ownLevels ? info.ownLevels(p, levels, filled(info, params)) : levels;
}

Solution run(const char* id, const Process& p, const std::vector<double>& levels, const Tensor& start, const Params& params, const RequestEstimator& estimator, std::uint64_t seed = 7) {
    return solve(*findSampler(id), p, levels, start, params, estimator, philox(seed));
}

// One generator of PyTorch on the CPU, whose calls continue its stream.
NoiseFunction torchNoise(std::uint64_t seed) {
    auto random = std::make_shared<noise::TorchCpuRandom>(seed);
    return [random](const NoiseRequest&, const Tensor& like) {
        std::vector<float> v(std::size_t(like.count()));
        random->normals(std::span<float>(v));
        return upload(cpu(), HostTensor::fromFloats(like.shape(), v)).converted(like.type());
    };
}

// The bench of diffusers' scheduler tests: element [b, c, y, x] of (4, 3, 8, 8) is (((c·8 + y)·8 + x)·4 + b)/768, the network F(x, t) = x t/(t + 1).
Tensor benchSample(double scale) {
    std::vector<double> v(768);
    for (std::size_t i = 0; i < 768; ++i) {
        const std::size_t x = i % 8, y = i / 8 % 8, c = i / 64 % 3, b = i / 192;
        v[i] = scale * double(((c * 8 + y) * 8 + x) * 4 + b) / 768;
    }
    return tensorOf({4, 3, 8, 8}, v);
}
Answer benchAnswer(const Conversion& c, double time, const DenoiseRequest& q) {
    const double gain = time / (time + 1);
    return {combine({{c.fromState + c.fromOutput * gain * c.input, q.x}}), {}, {}};
}

}  // namespace

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
                            {"multistep_consistency", Distillation::Phased, R"({"segments": 3})", {3}},
                            {"shortcut", Distillation::Shortcut, "{}", {1, 2, 8}}};
        for (const auto& r : rows)
            for (const auto& p : processNames)
                for (int n : r.steps) QTest::addRow("%s %s %s %d", r.id, r.params, qPrintable(p), n) << r.id << p << int(r.d) << r.params << n;
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

    // Noise added again to an exact jump keeps the marginal exactly, at any γ and any number of steps: mean and deviation of 20 000 particles.
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
            for (const auto& p : processNames) QTest::addRow("%s %s %s", r.id, r.params, qPrintable(p)) << r.id << p << int(r.d) << r.params;
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
        const auto x = solve(info, p, levels, marginal(p, levels.front(), n, 11), given, perfect(p, Distillation(distillation)), philox(5)).values();
        for (int c = 0; c < 2; ++c) {
            double sum = 0, squares = 0;
            for (std::size_t i = std::size_t(c); i < x.size(); i += 2) {
                sum += x[i];
                squares += x[i] * x[i];
            }
            const double mean = sum / double(n), deviation = std::sqrt(squares / double(n) - mean * mean), wanted = std::sqrt(gaussian.variance(0, c));
            QVERIFY2(std::abs(mean - gaussian.mean(0, c)) < 4 * wanted / std::sqrt(double(n)), qPrintable(QString("mean %1").arg(mean)));
            QVERIFY2(std::abs(deviation / wanted - 1) < 4 / std::sqrt(2.0 * double(n)), qPrintable(QString("deviation %1 of %2").arg(deviation).arg(wanted)));
        }
    }

    // Two rules that must be the same for any network: run on an arbitrary non-linear estimate.
    void identities_data() {
        QTest::addColumn<QString>("left");
        QTest::addColumn<QString>("leftParams");
        QTest::addColumn<QString>("right");
        QTest::addColumn<QString>("rightParams");
        QTest::addColumn<QString>("process");
        const auto add = [](const char* left, const char* leftParams, const char* right, const char* rightParams, const QStringList& where) {
            for (const auto& p : where) QTest::addRow("%s %s = %s, %s", left, leftParams, right, qPrintable(p)) << left << leftParams << right << rightParams << p;
        };
        add("tcd", R"({"gamma": 0.0})", "ddim", "{}", processNames);
        add("ctm", R"({"gamma": 0.0})", "ddim", "{}", processNames);
        add("ctm", R"({"gamma": 1.0})", "lcm", "{}", processNames);
        add("tcd", R"({"gamma": 1.0})", "lcm", "{}", {"edm", "flow"});  // discrete steps stop at step 0, not at the data
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
        add("caf", R"({"alpha": 1.0})", "euler", "{}", {"flow"});  // straight only where it is told constant directions: see below for the rest
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
        const Params params = *paramsFromJson(Json::parse(leftParams.toStdString())), others = *paramsFromJson(Json::parse(rightParams.toStdString()));
        // The right one runs on the left one's levels; those of a phase's edges are the same for both.
        const auto levels = levelsOf(a, p, "uniform_t", 5, params);
        const Tensor start = marginal(p, levels.front(), 8, 3);
        const bool isStraight = left == "caf";
        const RequestEstimator estimator = [&](const DenoiseRequest& q) {
            auto v = download(q.x).toDoubles();
            const double scale = p.signal(q.tau) + q.tau;
            for (double& x : v) x = isStraight ? 0.4 : std::sin(x / scale) + 0.3 * std::cos(2.1 * x / scale);
            return Answer{tensorOf(q.x.shape(), v), {}, {}};
        };
        const auto one = solve(a, p, levels, start, params, estimator, philox(2)), two = solve(*findSampler(right.toStdString()), p, levels, start, others, estimator, philox(2));
        const double difference = worstDifference(one.values(), two.values());
        QVERIFY2(difference < 1e-12, qPrintable(QString::number(difference)));
    }

    // Constant acceleration with the true v0 and a lands on the data point for any number of steps (Park et al. 2024, eq. 5), bent or straight.
    void constantAccelerationLands_data() {
        QTest::addColumn<double>("alpha");
        QTest::addColumn<int>("steps");
        QTest::addColumn<QString>("process");
        for (double alpha : {0.5, 1.0, 1.5})
            for (int n : {1, 3, 10})
                for (const auto& p : processNames) QTest::addRow("%g %d %s", alpha, n, qPrintable(p)) << alpha << n << p;
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
            return Answer{tensorOf(q.x.shape(), data), {}, {}};
        };
        const auto got = run("caf", p, levels, start, {{"alpha", alpha}}, estimator);
        QVERIFY2(worstDifference(got.values(), data) < 1e-14, qPrintable(QString::number(worstDifference(got.values(), data))));
        // The states in between lie on x(u) = (1 − c) x0 + c x1, c = u² + α (u − u²), in flow coordinates; x0 extrapolated from the first.
        const auto flow = [&](double tau) { return 1 / (p.signal(tau) + tau); };
        const auto c = [&](double tau) {
            const double u = p.signal(tau) * flow(tau);
            return u * u + alpha * (u - u * u);
        };
        for (int k = 1; k < steps; ++k)
            for (std::size_t i = 0; i < data.size(); ++i) {
                const double first = levels.front(), tau = levels[std::size_t(k)];
                const double x0 = (seen[0][i] * flow(first) - c(first) * data[i]) / (1 - c(first)), wanted = (1 - c(tau)) * x0 + c(tau) * data[i];
                QVERIFY(std::abs(seen[std::size_t(k)][i] * flow(tau) - wanted) < 1e-12 * (1 + std::abs(wanted)));
            }
    }

    // On an exactly straight coupling the anchored step returns the same point for every N, and the end of the coupling.
    void anchoredStepOnStraightPaths() {
        const Process p = processNamed("flow");
        for (const char* solver : {"euler", "heun"})
            for (const char* schedule : {"uniform_t", "flow_shift"}) {
                const Tensor start = marginal(p, 1, 12, 4);
                const auto y = download(start).toDoubles();
                std::vector<double> end(y.size());
                for (std::size_t i = 0; i < y.size(); ++i) end[i] = gaussian.mean(0, int(i % 2)) + std::sqrt(gaussian.variance(0, int(i % 2))) * y[i];
                for (int n : {1, 2, 5, 9}) {
                    const auto got = run("anchored_flow", p, *makeSchedule(schedule, p, n, {}), start, {{"solver", std::string(solver)}}, perfect(p, Distillation::Reflow));
                    QVERIFY(worstDifference(got.values(), end) < 1e-13);
                }
            }
    }
    // A first-order path: where ε̂ is constant (one data point), any number of jumps, of the newest or the first ε̂, ends the same.
    void rectifiedDiffusionIsFirstOrder() {
        for (const auto& name : processNames)
            for (bool keep : {false, true})
                for (int n : {1, 4, 9}) {
                    const Process p = processNamed(name);
                    const auto levels = *makeSchedule("cosine", p, n, {});
                    const Tensor start = marginal(p, levels.front(), 6, 2);
                    const RequestEstimator point = [](const DenoiseRequest& q) { return Answer{tensorOf(q.x.shape(), std::vector<double>(std::size_t(q.x.count()), 0.7)), {}, {}}; };
                    for (double v : run("rectified_diffusion", p, levels, start, {{"keep", keep}}, point).values()) QVERIFY(std::abs(v - 0.7) < 1e-13);
                }
        // On the rectified Gaussian of a flow too, where paths are straight and ε̂ is constant.
        const Process p = processNamed("flow");
        const Tensor start = marginal(p, 1, 6, 2);
        const auto one = run("rectified_diffusion", p, *makeSchedule("uniform_t", p, 1, {}), start, {}, perfect(p, Distillation::Reflow)).values();
        for (bool keep : {false, true})
            QVERIFY(worstDifference(run("rectified_diffusion", p, *makeSchedule("uniform_t", p, 7, {}), start, {{"keep", keep}}, perfect(p, Distillation::Reflow)).values(), one) < 1e-13);
    }

    // The levels that checkpoints are bound to.
    void ownLevels() {
        const Process vp = processNamed("vp"), flow = processNamed("flow"), edm = processNamed("edm");
        const auto steps = [&](const std::vector<double>& levels) {
            std::vector<double> list;
            for (double tau : levels) list.push_back(tau == 0 ? -1 : vp.networkTime(tau));
            return list;
        };
        const auto of = [](const char* id, const Process& p, int n, const Params& given) { return levelsOf(*findSampler(id), p, "uniform_t", n, given); };
        using List = std::vector<double>;
        QCOMPARE(steps(of("pcm", vp, 4, {{"phases", std::int64_t(4)}})), (List{999, 749, 499, 249, -1}));
        QCOMPARE(steps(of("pcm", vp, 2, {{"phases", std::int64_t(4)}})), (List{999, 499, -1}));
        QCOMPARE(steps(of("pcm", vp, 8, {{"phases", std::int64_t(4)}})), (List{999, 874, 749, 624, 499, 374, 249, 124, -1}));
        QCOMPARE(steps(of("dmd", vp, 4, {})), (List{999, 749, 499, 249, -1}));
        QCOMPARE(steps(of("dmd", vp, 9, {{"times", List{399}}})), (List{399, -1}));
        QCOMPARE(of("shortcut", flow, 4, {}), (List{1, 0.75, 0.5, 0.25, 0}));
        QCOMPARE(of("shortcut", flow, 5, {}), (List{1, 0.75, 0.5, 0.25, 0}));  // the nearest power of two
        QCOMPARE(of("multistep_consistency", flow, 2, {{"segments", std::int64_t(2)}}), (List{1, 0.5, 0}));
        const auto angles = of("scm", edm, 4, {});  // t = atan(80/0.5) = 1.5645, then 1.3, 1.0, 0.6
        QVERIFY(std::abs(std::atan(angles[0] / 0.5) - 1.5645463) < 1e-6);
        for (int k = 1; k < 4; ++k) QVERIFY(std::abs(std::atan(angles[std::size_t(k)] / 0.5) - std::vector<double>{0, 1.3, 1.0, 0.6}[std::size_t(k)]) < 1e-12);
        // A clipped start (strength) keeps the grid below it.
        const auto clipped = findSampler("pcm")->ownLevels(vp, {vp.tauOfStep(600), vp.tauOfStep(300), vp.tauOfStep(100), vp.tauOfStep(50), 0}, {{"phases", std::int64_t(4)}});
        QCOMPARE(steps(clipped), (List{600, 499, 249, -1}));
        QVERIFY_THROWS_EXCEPTION(Failure, of("dmd", vp, 2, {{"times", List{399, 500}}}));
    }

    // iCT's oracle: f(x, σ) = μ + (x − μ)√((s² + ε²)/(s² + σ²)) for μ = 1.5, s = 0.5 from N(0, 80²), in one step and in two with τ = 0.821. The mean misses μ by the
    // signal that is not in the start: 1.490625 in one step.
    void gaussianConsistencyOracle() {
        const Process p = processNamed("edm");
        const RequestEstimator f = [](const DenoiseRequest& q) {
            auto v = download(q.x).toDoubles();
            for (double& x : v) x = 1.5 + (x - 1.5) * std::sqrt((0.25 + 4e-6) / (0.25 + q.tau * q.tau));
            return Answer{tensorOf(q.x.shape(), v), {}, {}};
        };
        const Tensor start = combine({{80, normals(200000, 2, 17)}});
        for (const std::vector<double>& levels : {std::vector<double>{80, 0}, std::vector<double>{80, 0.821, 0}}) {
            const auto x = run("consistency", p, levels, start, {}, f).values();
            double sum = 0, squares = 0;
            for (double v : x) {
                sum += v;
                squares += v * v;
            }
            const double n = double(x.size()), mean = sum / n, deviation = std::sqrt(squares / n - mean * mean);
            const double k = std::sqrt((0.25 + 4e-6) / (0.25 + 0.821 * 0.821)), first = 1.5 - 1.5 * std::sqrt((0.25 + 4e-6) / (0.25 + 6400));
            const double wanted = levels.size() == 2 ? first : 1.5 + (first - 1.5) * k;
            qInfo("%zu steps: mean %.4f (%.4f), deviation %.4f", levels.size() - 1, mean, wanted, deviation);
            QVERIFY(std::abs(mean - wanted) < 0.004);
            QVERIFY(std::abs(deviation - 0.5) < 0.004);
        }
    }

    // aDDIM on 16 modes of deviation 0.5 in 256 dimensions: DDIM loses spread within the modes at few steps, the adjusted step restores it.
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
                    for (int i = 0; i < d; ++i) logs[std::size_t(k)] -= std::pow(y[r + std::size_t(i)] - means[std::size_t(k * d + i)], 2) / (2 * v);
                const double top = *std::max_element(logs.begin(), logs.end());
                double total = 0;
                for (double& l : logs) total += l = std::exp(l - top);
                for (int k = 0; k < modes; ++k)
                    for (int i = 0; i < d; ++i) mean[std::size_t(i)] += logs[std::size_t(k)] / total * means[std::size_t(k * d + i)];
                for (int i = 0; i < d; ++i) x0[r + std::size_t(i)] = mean[std::size_t(i)] + gain * (y[r + std::size_t(i)] - mean[std::size_t(i)]);
            }
            return Answer{tensorOf(q.x.shape(), x0), {}, {}};
        };
        const auto spread = [&](const char* sampler, int steps, const Params& params) {
            std::vector<double> levels;
            for (int k = 0; k < steps; ++k) levels.push_back(std::tan(std::numbers::pi / 2 * 0.999 * (steps - k) / steps));
            levels.push_back(0);
            const auto x = run(sampler, p, levels, combine({{std::sqrt(1 + levels[0] * levels[0]), normals(rows, d, 8)}}), params, mixture).values();
            double sum = 0;
            for (std::size_t r = 0; r < x.size(); r += d) {
                double nearest = INFINITY;
                for (int k = 0; k < modes; ++k) {
                    double square = 0;
                    for (int i = 0; i < d; ++i) square += std::pow(x[r + std::size_t(i)] - means[std::size_t(k * d + i)], 2);
                    nearest = std::min(nearest, square / d);
                }
                sum += nearest;
            }
            return std::sqrt(sum / rows);
        };
        // Reference runs with ten other draws of the means and the noise: 0.4164, 0.4959 at 8 steps, 0.3501, 0.4757 at 4, with deviations below 0.0007 between runs.
        struct Reference {
            int steps;
            double plain, adjusted;
        };
        for (const auto& r : {Reference{8, 0.4164, 0.4959}, Reference{4, 0.3501, 0.4757}}) {
            const double plain = spread("multistep_consistency", r.steps, {}), adjusted = spread("multistep_consistency", r.steps, {{"adjusted", true}});
            qInfo("%d steps, within-mode deviation of 0.5: DDIM %.4f (%.4f), aDDIM %.4f (%.4f)", r.steps, plain, r.plain, adjusted, r.adjusted);
            QVERIFY(std::abs(plain - r.plain) < 0.003);
            QVERIFY(std::abs(adjusted - r.adjusted) < 0.003);
            QVERIFY(std::abs(spread("addim", r.steps, {}) - adjusted) < 1e-12);
            QVERIFY(std::abs(spread("addim", r.steps, {{"amount", 0.0}}) - plain) < 1e-12);
        }
    }

    // Quantiles of χ²: tabulated ones, and the median and tails of very many degrees.
    void chiSquaredQuantiles() {
        const auto close = [](double got, double want) { return std::abs(got / want - 1) < 1e-9; };
        QVERIFY(close(chiSquared(1, 0), 0.45493642311957283));  // median
        QVERIFY(close(chiSquared(2, 0), 2 * std::numbers::ln2));
        QVERIFY(close(chiSquared(2, 1.6448536269514722), -2 * std::log(0.05)));
        QVERIFY(close(chiSquared(2, -3), -2 * std::log1p(-0.5 * std::erfc(3 / std::sqrt(2.0)))));
        QVERIFY(close(chiSquared(1, 1.6448536269514722), 3.841458820694124));
        QVERIFY(close(chiSquared(10, 1.6448536269514722), 18.307038053275146));
        QVERIFY(std::abs(chiSquared(99999, 1.0) / chiSquared(100001, 1.0) - 1) < 2.1e-5);  // both methods meet
    }
    // PFGM++ prior: R = σmax √D √(B/(1 − B)), N = 3072. Mean over σmax√N: 1.005, 1.000, 1.000; relative spread 0.065, 0.020, 0.013.
    void poissonPrior_data() {
        QTest::addColumn<double>("dimensions");
        QTest::addColumn<double>("mean");
        QTest::addColumn<double>("spread");
        QTest::newRow("128") << 128.0 << 1.005 << 0.065;
        QTest::newRow("2048") << 2048.0 << 1.000 << 0.020;
        QTest::newRow("million") << 1e6 << 1.000 << 0.013;
    }
    void poissonPrior() {
        QFETCH(double, dimensions);
        QFETCH(double, mean);
        QFETCH(double, spread);
        const Process p = processNamed("edm");
        const int n = 3072, rows = 2000;
        Tensor first;
        const RequestEstimator zero = [&](const DenoiseRequest& q) {
            if (!first) first = q.x;
            return Answer{combine({{0, q.x}}), {}, {}};
        };
        const Tensor start = combine({{80, normals(rows, n, 21)}});
        run("pfgmpp", p, {80, 0}, start, {{"dimensions", dimensions}}, zero);
        double sum = 0, squares = 0;
        for (double rms : rmsRows(first)) {
            sum += rms / 80;
            squares += rms * rms / 6400;
        }
        const double got = sum / rows, deviation = std::sqrt(squares / rows - got * got);
        qInfo("D = %g: mean %.4f, spread %.4f", dimensions, got, deviation / got);
        QVERIFY(std::abs(got - mean) < 0.005);
        QVERIFY(std::abs(deviation / got - spread) < 0.0025);
        // The direction stays that of the Gaussian.
        const auto a = download(start).toDoubles(), b = download(first).toDoubles();
        for (std::size_t i = 0; i < 3072; i += 97) QVERIFY(std::abs(b[i] / b[0] - a[i] / a[0]) < 1e-9 * std::abs(a[i] / a[0]));
    }
    // The exact field of point charges with weights 0.2 and 0.8 (kernel (‖x − y‖² + σ² D)^(−(N + D)/2), N = 2): the right prior fills them by their weights.
    void poissonFieldFillsItsCharges() {
        const Process p = processNamed("edm");
        for (double dimensions : {1.0, 16.0}) {
            const RequestEstimator field = [&](const DenoiseRequest& q) {
                auto v = download(q.x).toDoubles();
                const double r2 = q.tau * q.tau * dimensions, power = -(2 + dimensions) / 2;
                for (std::size_t i = 0; i < v.size(); i += 2) {
                    const double left = std::log(0.2) + power * std::log(std::pow(v[i] + 1, 2) + v[i + 1] * v[i + 1] + r2);
                    const double right = std::log(0.8) + power * std::log(std::pow(v[i] - 1, 2) + v[i + 1] * v[i + 1] + r2);
                    v[i] = std::tanh((right - left) / 2);
                    v[i + 1] = 0;
                }
                return Answer{tensorOf(q.x.shape(), v), {}, {}};
            };
            const int n = 20000;
            // A state whose tail began k times farther out than the others' is still k σ from its charge at σ, so the levels go down until even the farthest of them,
            // k about 10⁵ for D = 1, has arrived.
            const auto x = run("pfgmpp", p, karrasLevels(80, 80, 1e-8), combine({{80, normals(n, 2, 31)}}), {{"dimensions", dimensions}}, field).values();
            int right = 0, near = 0;
            for (std::size_t i = 0; i < x.size(); i += 2) {
                right += x[i] > 0;
                near += std::abs(std::abs(x[i]) - 1) < 1e-3 && std::abs(x[i + 1]) < 1e-3;
            }
            qInfo("D = %g: %.4f of 0.8 at the right charge, %d of %d at a charge", dimensions, double(right) / n, near, n);
            QVERIFY(std::abs(double(right) / n - 0.8) < 4 * std::sqrt(0.16 / n) + 0.003);
            QCOMPARE(near, n);
        }
    }

    // Whole loops of diffusers' schedulers on their test bench, float32 on the CPU, sums in double; the first and last elements too.
    void diffusersLoops_data() {
        QTest::addColumn<QString>("loop");
        QTest::addColumn<double>("sum");
        QTest::addColumn<double>("second");
        QTest::addColumn<double>("last");
        QTest::newRow("consistency, one step") << "cm1" << 192.76130215957528 << 0.0026179014 << 0.50198263;
        QTest::newRow("consistency, steps 0 and 106 of 201") << "cm2" << 347.6356405267725 << -0.67591214 << 0.01750729;
        QTest::newRow("LCM, one step") << "lcm1" << 18.70967684963398 << 0.00025409667 << 0.048723701;
        QTest::newRow("TCD, one step") << "tcd1" << 29.871534759433416 << 0.00040568647 << 0.077791035;
    }
    void diffusersLoops() {
        QFETCH(QString, loop);
        QFETCH(double, sum);
        QFETCH(double, second);
        QFETCH(double, last);
        std::vector<double> x;
        if (loop.startsWith("cm")) {
            const Process p = processNamed("edm");
            const RequestEstimator network = [&](const DenoiseRequest& q) {  // c_skip and c_out with their boundary at σmin (Song et al. 2023, appendix C), time 250 ln σ
                const double s = q.tau, skip = 0.25 / ((s - 0.002) * (s - 0.002) + 0.25), out = 0.5 * (s - 0.002) / std::sqrt(s * s + 0.25);
                auto x0 = download(benchAnswer({1 / std::sqrt(s * s + 0.25), 0, skip, out}, 250 * std::log(s), q).denoised).toDoubles();
                for (double& v : x0) v = std::clamp(v, -1.0, 1.0);  // clip_denoised
                return Answer{tensorOf(q.x.shape(), x0), {}, {}};
            };
            const auto grid = [](int step) { return std::pow(std::pow(80, 1 / 7.0) + step / 200.0 * (std::pow(0.002, 1 / 7.0) - std::pow(80, 1 / 7.0)), 7); };
            const std::vector<double> levels = loop == "cm1" ? std::vector<double>{80, 0} : std::vector<double>{80, grid(106), 0};
            x = solve(*findSampler("consistency"), p, levels, benchSample(80), {}, network, torchNoise(0)).values();
        } else {
            const Process p = processNamed("vp");
            const bool isLcm = loop.startsWith("lcm");
            const RequestEstimator network = [&](const DenoiseRequest& q) {
                const Conversion c = conversionAt(p, isLcm ? Parametrization::LcmEpsilon : Parametrization::Epsilon, q.tau);
                return benchAnswer(c, c.time, q);
            };
            // The states of both are native: y = x √(1 + σ²). TCD ends on training step 0.
            const std::vector<double> levels = {p.tauOfStep(999), isLcm ? 0 : p.tauOfStep(0)};
            x = solve(*findSampler(isLcm ? "lcm" : "tcd"), p, levels, benchSample(1 / p.nativeScale(levels[0])), isLcm ? Params{} : Params{{"gamma", 0.0}}, network, torchNoise(0)).values();
            for (double& v : x) v *= p.nativeScale(levels.back());
        }
        double got = 0;
        for (double v : x) got += std::abs(v);
        qInfo("%s: %.8g of %.8g", QTest::currentDataTag(), got, sum);
        QVERIFY2(std::abs(got / sum - 1) < 1e-5, qPrintable(QString::number(got, 'g', 10)));
        // The table's elements are in the order of the bench.
        QVERIFY(std::abs(x[1] / second - 1) < 1e-5);
        if (loop != "cm2") {
            QVERIFY(std::abs(x.back() / last - 1) < 1e-5);
            return;
        }
        // Here the last one is a small sum of c_skip x, c_out F and noise, all of order 1, so a run in single precision has only four digits of it: PyTorch gives
        // 0.01750727 in float32 (the table) and 0.01750662 with the same float32 noise in float64. Held to the second, as far as the noise is the same to 2.4e-7.
        QVERIFY2(std::abs(x.back() - 0.017506620682765102) < 2.4e-7 * 1.9128436, qPrintable(QString::number(x.back(), 'g', 12)));
        QVERIFY2(std::abs(got / 347.6356427356934 - 1) < 1e-7, qPrintable(QString::number(got, 'g', 12)));
    }

    // The built-in shortcut networks: told the step they keep their promise s(2d) ≈ the mean of two s(d), and one step beats one step of the untold velocity.
    void builtInShortcut_data() {
        QTest::addColumn<QString>("name");
        for (const char* n : {"moons", "spiral", "checkerboard", "eight-gaussians"}) QTest::newRow(n) << n;
    }
    void builtInShortcut() {
        QFETCH(QString, name);
        auto loaded = loadModel("builtin:flow2d-" + name.toStdString() + "-shortcut", cpu());
        QVERIFY2(loaded.ok(), loaded ? "" : loaded.error().text.c_str());
        Model& model = **loaded;
        const Process& p = model.info().process;
        QCOMPARE(model.info().distillation, Distillation::Shortcut);
        const RequestEstimator network = [&](const DenoiseRequest& q) {
            NetworkBatch b;
            b.x = q.x;
            b.times.assign(std::size_t(q.x.rows()), p.networkTime(q.tau));
            b.taus.assign(std::size_t(q.x.rows()), q.tau);
            b.targets.assign(std::size_t(q.x.rows()), q.target);
            b.conditioning.resize(std::size_t(q.x.rows()));
            TapResult none;
            return Answer{combine({{1, q.x}, {-q.tau, model.predict(b, {}, none)}}), {}, {}};
        };
        const std::int64_t n = 1500;
        const Tensor start = normals(n, 2, 41).converted(DType::F32);
        const auto end = [&](int steps, bool tells) {
            const Params params = {{"tell_step", tells}};
            return run("shortcut", p, levelsOf(*findSampler("shortcut"), p, "uniform_t", steps, params), start, params, network).values();
        };
        // Energy distance to the data: 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ (the constant last term left out by comparing).
        const auto data = model.drawData(n, 5, {}).toDoubles();
        const auto meanDistance = [&](const std::vector<double>& a, const std::vector<double>& b) {
            double sum = 0;
            for (std::size_t i = 0; i < a.size(); i += 2)
                for (std::size_t j = 0; j < b.size(); j += 2) sum += std::hypot(a[i] - b[j], a[i + 1] - b[j + 1]);
            return sum / (double(n) * double(n));
        };
        const double own = meanDistance(data, data);
        const auto distance = [&](const std::vector<double>& x) { return 2 * meanDistance(x, data) - meanDistance(x, x) - own; };
        const double one = distance(end(1, true)), untold = distance(end(1, false)), four = distance(end(4, true)), fine = distance(end(64, false));
        // One told step against two of half the length, from the same noise, relative to the way that is gone.
        const auto whole = end(1, true), halves = end(2, true);
        const auto y = download(start).toDoubles();
        double miss = 0, way = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            miss += std::pow(whole[i] - halves[i], 2);
            way += std::pow(halves[i] - y[i], 2);
        }
        qInfo("%s: energy distance %.4f told, %.4f untold in one step; %.4f told in four; %.4f in 64; one against two steps %.3f", qPrintable(name), one, untold, four, fine, std::sqrt(miss / way));
        QVERIFY(one < 0.2 * untold);
        QVERIFY(four < one + 0.005);
        QVERIFY(std::sqrt(miss / way) < 0.35);
    }

    // A plan names the wrong rule and its remedy.
    void cautions_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("says");  // empty: no warning
        QTest::newRow("Euler on consistency") << "builtin:flow2d-moons-consistency" << "euler" << "Euler on a consistency model.*Choose Consistency";
        QTest::newRow("LCM on consistency") << "builtin:flow2d-moons-consistency" << "lcm" << "";
        QTest::newRow("Heun on shortcut") << "builtin:flow2d-moons-shortcut" << "heun" << "Heun on a shortcut model.*Choose Shortcut";
        QTest::newRow("Euler on shortcut") << "builtin:flow2d-moons-shortcut" << "euler" << "";
        QTest::newRow("Heun on reflow") << "builtin:flow2d-moons-reflow" << "heun" << "";
        QTest::newRow("anchored on reflow") << "builtin:flow2d-moons-reflow" << "anchored_flow" << "";
        QTest::newRow("LCM on a flow") << "builtin:flow2d-moons" << "lcm" << "LCM is made for .* ordinary .*Choose Euler";
        QTest::newRow("TCD on an exact trajectory") << "analytic:gaussian2?distilled=trajectory" << "tcd" << "";
        QTest::newRow("DDIM on an exact trajectory") << "analytic:gaussian2?distilled=trajectory" << "ddim" << "DDIM on a trajectory consistency model.*Choose TCD";
        QTest::newRow("PFGM++ on a diffusion") << "analytic:ring8" << "pfgmpp" << "PFGM.. is made for a Poisson flow model.*Choose Heun";
        QTest::newRow("DPM++ 2M on LCM") << "builtin:sprites-lcm" << "dpmpp_2m" << "latent consistency model.*Choose LCM";
    }
    void cautions() {
        QFETCH(QString, model);
        QFETCH(QString, sampler);
        QFETCH(QString, says);
        auto info = inspectModel(model.toStdString());
        QVERIFY2(info.ok(), info ? "" : info.error().text.c_str());
        Recipe r = recommendedRecipe(*info);
        r.sampler = {sampler.toStdString(), {}};
        r.steps = 2;
        const auto made = plan(r, *info);
        QVERIFY2(made.ok(), made ? "" : made.error().text.c_str());
        QString warning;
        for (const auto& note : made->notes)
            if (note.kind == NoteKind::Warning && note.key == "sampler") warning += QString::fromStdString(note.text);
        if (says.isEmpty())
            QVERIFY2(warning.isEmpty(), qPrintable(warning));
        else
            QVERIFY2(QRegularExpression(says).match(warning).hasMatch(), qPrintable(warning));
    }
    void everyKindHasItsRule() {
        for (int i = 0; i < distillations; ++i) {
            const CheckpointRule& rule = checkpointRule(Distillation(i));
            QCOMPARE(rule.distillation, Distillation(i));
            QCOMPARE(distillationOf(rule.key), std::optional(Distillation(i)));
            if (!*rule.sampler) continue;
            QVERIFY2(findSampler(rule.sampler), rule.sampler);
            QVERIFY2(isMadeFor(*findSampler(rule.sampler), rule.distillation), rule.sampler);
        }
    }
};

QTEST_GUILESS_MAIN(TestFewStep)
#include "tst_few_step.moc"
