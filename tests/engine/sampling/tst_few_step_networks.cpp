// Few-step rules with networks: whole loops that diffusers ran, the built-in shortcut networks, and what a plan says
// about rules that do not suit a checkpoint.
#include <QtTest>

#include "engine/models/checkpoint.h"
#include "engine/models/model.h"
#include "engine/run/plan.h"
#include "tests/engine/sampling/few_step_bench.h"

using namespace meander;
using namespace meander::bench;

class TestFewStepNetworks : public QObject {
    Q_OBJECT
private slots:
    // Whole loops of diffusers' schedulers on their test bench, float32 on the CPU, sums in double; the first and last
    // elements too.
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
            const RequestEstimator network =
                [&](const DenoiseRequest& q) {  // c_skip and c_out with their boundary at σmin (Song et al. 2023,
                                                // appendix C), time 250 ln σ
                    const double s = q.tau, skip = 0.25 / ((s - 0.002) * (s - 0.002) + 0.25),
                                 out = 0.5 * (s - 0.002) / std::sqrt(s * s + 0.25);
                    auto x0 =
                        download(
                            benchAnswer({1 / std::sqrt(s * s + 0.25), 0, skip, out}, 250 * std::log(s), q).denoised)
                            .toDoubles();
                    for (double& v : x0) v = std::clamp(v, -1.0, 1.0);  // clip_denoised
                    return DenoiseResult{tensorOf(q.x.shape(), x0), {}, {}};
                };
            const auto grid = [](int step) {
                return std::pow(
                    std::pow(80, 1 / 7.0) + step / 200.0 * (std::pow(0.002, 1 / 7.0) - std::pow(80, 1 / 7.0)), 7);
            };
            const std::vector<double> levels =
                loop == "cm1" ? std::vector<double>{80, 0} : std::vector<double>{80, grid(106), 0};
            x = solve(*findSampler("consistency"), p, levels, benchSample(80), {}, network, torchNoise(0)).values();
        } else {
            const Process p = processNamed("vp");
            const bool isLcm = loop.startsWith("lcm");
            const RequestEstimator network = [&](const DenoiseRequest& q) {
                const Conversion c =
                    conversionAt(p, isLcm ? Parametrization::LcmEpsilon : Parametrization::Epsilon, q.tau);
                return benchAnswer(c, c.time, q);
            };
            // The states of both are native: y = x √(1 + σ²). TCD ends on training step 0.
            const std::vector<double> levels = {p.tauOfStep(999), isLcm ? 0 : p.tauOfStep(0)};
            x = solve(*findSampler(isLcm ? "lcm" : "tcd"), p, levels, benchSample(1 / p.nativeScale(levels[0])),
                      isLcm ? Params{} : Params{{"gamma", 0.0}}, network, torchNoise(0))
                    .values();
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
        // Here the last one is a small sum of c_skip x, c_out F and noise, all of order 1, so a run in single precision
        // has only four digits of it: PyTorch gives 0.01750727 in float32 (the table) and 0.01750662 with the same
        // float32 noise in float64. Held to the second, as far as the noise is the same to 2.4e-7.
        QVERIFY2(std::abs(x.back() - 0.017506620682765102) < 2.4e-7 * 1.9128436,
                 qPrintable(QString::number(x.back(), 'g', 12)));
        QVERIFY2(std::abs(got / 347.6356427356934 - 1) < 1e-7, qPrintable(QString::number(got, 'g', 12)));
    }

    // The built-in shortcut networks: told the step they keep their promise s(2d) ≈ the mean of two s(d), and one step
    // beats one step of the untold velocity.
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
            return DenoiseResult{combine({{1, q.x}, {-q.tau, model.predict(b)}}), {}, {}};
        };
        const std::int64_t n = 1500;
        const Tensor start = normals(n, 2, 41).converted(DType::F32);
        const auto end = [&](int steps, bool tells) {
            const Params params = {{"tell_step", tells}};
            return run("shortcut", p, levelsOf(*findSampler("shortcut"), p, "uniform_t", steps, params), start, params,
                       network)
                .values();
        };
        // Energy distance to the data: 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ (the constant last term left out by
        // comparing).
        const auto data = model.drawData(n, 5, {}).toDoubles();
        const auto meanDistance = [&](const std::vector<double>& a, const std::vector<double>& b) {
            double sum = 0;
            for (std::size_t i = 0; i < a.size(); i += 2)
                for (std::size_t j = 0; j < b.size(); j += 2) sum += std::hypot(a[i] - b[j], a[i + 1] - b[j + 1]);
            return sum / (double(n) * double(n));
        };
        const double own = meanDistance(data, data);
        const auto distance = [&](const std::vector<double>& x) {
            return 2 * meanDistance(x, data) - meanDistance(x, x) - own;
        };
        const double one = distance(end(1, true)), untold = distance(end(1, false)), four = distance(end(4, true)),
                     fine = distance(end(64, false));
        // One told step against two of half the length, from the same noise, relative to the way that is gone.
        const auto whole = end(1, true), halves = end(2, true);
        const auto y = download(start).toDoubles();
        double miss = 0, way = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            miss += std::pow(whole[i] - halves[i], 2);
            way += std::pow(halves[i] - y[i], 2);
        }
        qInfo("%s: energy distance %.4f told, %.4f untold in one step; %.4f told in four; %.4f in 64; one against two "
              "steps %.3f",
              qPrintable(name), one, untold, four, fine, std::sqrt(miss / way));
        QVERIFY(one < 0.2 * untold);
        QVERIFY(four < one + 0.005);
        QVERIFY(std::sqrt(miss / way) < 0.35);
    }

    // A plan names the wrong rule and its remedy.
    void cautions_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("says");  // empty: no warning
        QTest::newRow("Euler on consistency") << "builtin:flow2d-moons-consistency"
                                              << "euler"
                                              << "Euler on a consistency model.*Choose Consistency";
        QTest::newRow("LCM on consistency") << "builtin:flow2d-moons-consistency"
                                            << "lcm"
                                            << "";
        QTest::newRow("Heun on shortcut") << "builtin:flow2d-moons-shortcut"
                                          << "heun"
                                          << "Heun on a shortcut model.*Choose Shortcut";
        QTest::newRow("Euler on shortcut") << "builtin:flow2d-moons-shortcut"
                                           << "euler"
                                           << "";
        QTest::newRow("Heun on reflow") << "builtin:flow2d-moons-reflow"
                                        << "heun"
                                        << "";
        QTest::newRow("anchored on reflow") << "builtin:flow2d-moons-reflow"
                                            << "anchored_flow"
                                            << "";
        QTest::newRow("LCM on a flow") << "builtin:flow2d-moons"
                                       << "lcm"
                                       << "LCM is made for .* ordinary .*Choose Euler";
        QTest::newRow("TCD on an exact trajectory") << "analytic:gaussian2?distilled=trajectory"
                                                    << "tcd"
                                                    << "";
        QTest::newRow("DDIM on an exact trajectory") << "analytic:gaussian2?distilled=trajectory"
                                                     << "ddim"
                                                     << "DDIM on a trajectory consistency model.*Choose TCD";
        QTest::newRow("PFGM++ on a diffusion") << "analytic:ring8"
                                               << "pfgmpp"
                                               << "PFGM.. is made for a Poisson flow model.*Choose Heun";
        QTest::newRow("DPM++ 2M on LCM") << "builtin:sprites-lcm"
                                         << "dpmpp_2m"
                                         << "latent consistency model.*Choose LCM";
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
        if (says.isEmpty()) QVERIFY2(warning.isEmpty(), qPrintable(warning));
        else QVERIFY2(QRegularExpression(says).match(warning).hasMatch(), qPrintable(warning));
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

QTEST_GUILESS_MAIN(TestFewStepNetworks)
#include "tst_few_step_networks.moc"
