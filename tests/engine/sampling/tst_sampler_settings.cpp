// Settings of samplers: what does not fit together is refused before a run, what samples another law than a user
// expects says so, and draws of long chains have addresses of their own.
#include <QtTest>
#include <cmath>
#include <set>

#include "engine/models/checkpoint.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampler_common.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/sampling/few_step_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

std::string adviceFor(const char* id, const Params& given, const Process& p, std::int64_t elements = 1000,
                      int images = 1, int steps = 10) {
    const SamplerInfo& info = *findSampler(id);
    const Params params = *resolveParams(info, given);
    const auto levels = *makeSchedule("karras", p, steps, {});
    return info.advice ? info.advice({params, p, levels, elements, images}) : "";
}

// Each parameter at its ends, the others at their defaults; with a text for messages.
std::vector<std::pair<Params, std::string>> variantsOf(const SamplerInfo& info) {
    std::vector<std::pair<Params, std::string>> all{{{}, info.id + " at its defaults"}};
    for (const ParamSpec& p : info.params) {
        std::vector<ParamValue> values;
        if (p.kind == ParamKind::Toggle) values = {true, false};
        if (p.kind == ParamKind::Choice)
            for (const auto& c : p.choices) values.push_back(c.id);
        if (p.kind == ParamKind::Real) values = {p.minimum, std::min(p.maximum, 1e9)};
        if (p.kind == ParamKind::Integer) values = {std::int64_t(p.minimum), std::int64_t(std::min(p.maximum, 4.0))};
        for (const ParamValue& v : values) all.push_back({{{p.key, v}}, info.id + " with " + p.key + "=" + display(v)});
    }
    return all;
}

// The noise that a run of four steps draws.
std::vector<NoiseRequest> drawsOf(const SamplerInfo& info, const Params& params) {
    const Process p = Process::vpScaledLinear(1000, 0.00085, 0.012);
    auto levels = *makeSchedule("karras", p, 4, {});
    if (info.inverts || info.roundTrip) levels = std::vector<double>(levels.rbegin(), levels.rend());
    if (info.roundTrip) levels.insert(levels.end(), std::next(levels.rbegin()), levels.rend());
    if (info.ownLevels) levels = info.ownLevels(p, levels, params);
    std::vector<NoiseRequest> draws;
    const NoiseFunction noise = [&](const NoiseRequest& q, const Tensor& like) {
        draws.push_back(q);
        return philox(3)(q, like);
    };
    const auto estimate = gaussianEstimator(p, meander::Gaussian{0.2, 0.5});
    const RequestEstimator atRequest = [&](const DenoiseRequest& q) { return estimate(q.x, q.tau); };
    const auto images = [](std::uint64_t seed) {
        return philox(seed)({-1, 4095, 0, 0}, Tensor(cpu(), {2, 4, 4, 1}, DType::F64));
    };
    solve(info, p, levels, combine({{std::max(levels.front(), 1e-3), images(8)}}), params, atRequest, noise, 0,
          images(9));
    return draws;
}

}  // namespace

class TestSamplerSettings : public QObject {
    Q_OBJECT
private slots:
    void settingsThatDoNotFit_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("bad");
        QTest::addColumn<QString>("good");
        QTest::newRow("dpmpp_3s") << "dpmpp_3s"
                                  << R"({"r1": 0.7, "r2": 0.5})"
                                  << R"({"r1": 0.5, "r2": 0.7})";
        QTest::newRow("dpmpp_3s equal") << "dpmpp_3s"
                                        << R"({"r1": 0.5, "r2": 0.5})"
                                        << "{}";
        QTest::newRow("seeds_3") << "seeds_3"
                                 << R"({"r_1": 0.7, "r_2": 0.5})"
                                 << R"({"r_1": 0.5, "r_2": 0.7})";
        QTest::newRow("seeds_3 equal") << "seeds_3"
                                       << R"({"r_1": 0.5, "r_2": 0.5})"
                                       << "{}";
        QTest::newRow("reflected") << "reflected"
                                   << R"({"low": 1.0, "high": -1.0})"
                                   << R"({"low": -2.0, "high": 2.0})";
        QTest::newRow("langevin") << "langevin"
                                  << R"({"step": 2.01})"
                                  << R"({"step": 2.01, "mala": true})";
        QTest::newRow("reflected flat") << "reflected"
                                        << R"({"low": 1.0, "high": 1.0})"
                                        << "{}";
    }
    void settingsThatDoNotFit() {
        QFETCH(QString, sampler);
        QFETCH(QString, bad);
        QFETCH(QString, good);
        const SamplerInfo& info = *findSampler(sampler.toStdString());
        const auto refused = resolveParams(info, *paramsFromJson(Json::parse(bad.toStdString())));
        QVERIFY(!refused.ok());
        QVERIFY2(refused.error().text.starts_with(info.label), refused.error().text.c_str());
        QVERIFY(resolveParams(info, *paramsFromJson(Json::parse(good.toStdString()))).ok());
        for (const auto& s : samplers()) QVERIFY2(resolveParams(s, {}).ok(), s.id.c_str());
    }

    // Every sampler at its defaults and with each parameter at its ends: where drawsNoise says no, nothing is drawn, at
    // its defaults it says just what happens (a sampler of a climb that is drawn on its own terms aside), and where it
    // draws beside a path of noise, no draw is for a way down.
    void drawsAreKnown_data() {
        QTest::addColumn<QString>("sampler");
        for (const SamplerInfo& s : samplers())
            if (!s.curved) QTest::newRow(s.id.c_str()) << QString::fromStdString(s.id);
    }
    void drawsAreKnown() {
        QFETCH(QString, sampler);
        const SamplerInfo& info = *findSampler(sampler.toStdString());
        int downwards = 0;
        for (const auto& [given, text] : variantsOf(info)) {
            const auto params = resolveParams(info, given);
            if (!params) continue;
            const auto draws = drawsOf(info, *params);
            QVERIFY2(drawsNoise(info, *params) || draws.empty(), text.c_str());
            if (given.empty()) QVERIFY2(drawsNoise(info, *params) == !draws.empty(), text.c_str());
            downwards += int(std::count_if(draws.begin(), draws.end(), [](const auto& q) { return q.from > q.to; }));
            if (info.drawsBesidePath) QVERIFY2(downwards == 0, text.c_str());
        }
        if (info.stochastic) QVERIFY(info.drawsBesidePath == (downwards == 0));
    }

    void whatIsNotTheLawSaysSo() {
        const Process flow = Process::rectifiedFlow(), vp = Process::vpScaledLinear(1000, 0.00085, 0.012);
        const Params exact{{"exact_marginal", true}}, last{{"denoise_last", true}};
        for (const char* id : {"ddpm", "res_multistep_ancestral", "res_multistep_ancestral_cfg_pp"}) {
            QVERIFY2(!adviceFor(id, {}, flow).empty(), id);
            QVERIFY2(adviceFor(id, exact, flow).empty() && adviceFor(id, {}, vp).empty(), id);
        }
        for (const char* id : {"dpm_fast", "dpm_adaptive"}) {
            QVERIFY2(!adviceFor(id, {}, vp).empty(), id);
            QVERIFY2(adviceFor(id, last, vp).empty(), id);
        }
        const Params row{{"norms", std::string("row")}}, none{{"corrector_steps", std::int64_t(0)}};
        QVERIFY(adviceFor("predictor_corrector", {}, vp, 3072).empty());
        QVERIFY(adviceFor("predictor_corrector", {}, vp, 2, 1000).empty());
        QVERIFY(!adviceFor("predictor_corrector", {}, vp, 2, 1).empty());
        QVERIFY(!adviceFor("predictor_corrector", row, vp, 2, 1000).empty());
        QVERIFY(adviceFor("predictor_corrector", none, vp, 2, 1).empty());
    }
    // Where the advice about the first fall is silent these rules err less than 0.3; where they err more it speaks.
    void firstFalls() {
        const meander::Gaussian g{0.2, 0.5};
        int spoke = 0, silent = 0;
        for (const auto& p :
             {Process::vpCosine(1000), Process::vpScaledLinear(1000, 0.00085, 0.012),
              Process::vpLinear(1000, 1e-4, 0.02), Process::vpScaledLinear(1000, 0.00085, 0.012).withZeroTerminalSnr()})
            for (const char* id : {"pndm", "accelerated"})
                for (const int steps : {5, 10, 20, 50}) {
                    std::vector<double> levels;
                    for (int k = steps; k > 0; --k) levels.push_back(p.tauOfStep(std::round(k * 1000.0 / steps) - 1));
                    levels.push_back(0);
                    const SamplerInfo& info = *findSampler(id);
                    const Params params = *resolveParams(info, {});
                    const Tensor start = combine({{1.4 * levels.front(), normals(4, 8, 3)}});
                    const auto got = solve(info, p, levels, start, {}, gaussianEstimator(p, g)).values(),
                               want = download(exactFlow(g, p, start, levels.front(), 0)).toDoubles();
                    double sum = 0;
                    for (std::size_t i = 0; i < got.size(); ++i) sum += (got[i] - want[i]) * (got[i] - want[i]);
                    const double error = std::sqrt(sum / double(got.size()));
                    const bool speaks = !info.advice({params, p, levels, 8, 4}).empty();
                    QVERIFY2(speaks || error < 0.35, qPrintable(QString("%1, %2, %3 steps: %4")
                                                                    .arg(id)
                                                                    .arg(QString::fromStdString(p.name()))
                                                                    .arg(steps)
                                                                    .arg(error)));
                    speaks ? ++spoke : ++silent;
                }
        QVERIFY(spoke > 5 && silent > 10);
    }
    // At its defaults the predictor-corrector keeps the variance of a Gaussian within 5 %; with a row's own norm it is
    // half as large again.
    void predictorCorrectorKeepsTheVariance_data() {
        QTest::addColumn<QString>("process");
        for (const auto& p : processNames) QTest::newRow(qPrintable(p)) << p;
    }
    void predictorCorrectorKeepsTheVariance() {
        QFETCH(QString, process);
        const Process p = processNamed(process);
        const meander::Gaussian g{0.3, 0.7};
        const auto levels = *makeSchedule("karras", p, 150, {});
        const Tensor start = combine({{levels.front(), normals(4000, 2, 5)}});
        const auto variance = [&](const Params& given) {
            const auto x =
                solve(*findSampler("predictor_corrector"), p, levels, start, given, gaussianEstimator(p, g), philox(2))
                    .values();
            double mean = 0, square = 0;
            for (double v : x) mean += v / double(x.size()), square += v * v / double(x.size());
            return (square - mean * mean) / (g.stddev * g.stddev);
        };
        const double batch = variance({}), row = variance({{"norms", std::string("row")}});
        qInfo("%s: variance %.3f, by rows %.3f", qPrintable(process), batch, row);
        QVERIFY2(std::abs(batch - 1) < 0.05, qPrintable(QString::number(batch)));
        QVERIFY(row > 1.2);
    }

    // Every draw of every interval has an address of its own, the old ones the same as ever; 0 is the first state.
    void drawAddresses() {
        std::set<std::uint32_t> seen{0};
        for (int step = 0; step < 60; ++step)
            for (int draw = 0; draw < 20002; ++draw) {
                const auto address = drawAddress({step, draw, 0, 0});
                QVERIFY2(seen.insert(address).second, qPrintable(QString("%1 %2").arg(step).arg(draw)));
                if (draw < 4096) QCOMPARE(address, std::uint32_t(step * 4096 + 1 + draw));
            }
        for (const int draw : {0, 4095, 4096, 20001})  // the last interval of the longest run meets no other draw
            QVERIFY(seen.insert(drawAddress({9999, draw, 0, 0})).second);
    }

    // A reflected run is inside its box from its first state on, in all coordinates.
    void reflectedStartsInside() {
        for (const auto& name : processNames)
            for (const char* boundary : {"reflect", "clip"}) {
                const Process p = processNamed(name);
                const auto levels = *makeSchedule("karras", p, 6, {});
                double worst = 0;
                const Estimator estimator = [&](const Tensor& y, double) {
                    for (double v : download(y).toDoubles()) worst = std::max(worst, std::abs(v));
                    return DenoiseResult{0.5 * y, {}, {}};
                };
                solve(*findSampler("reflected"), p, levels, combine({{levels.front(), normals(500, 2, 8)}}),
                      {{"boundary", std::string(boundary)}}, estimator, philox(4));
                QVERIFY2(worst <= 1, qPrintable(QString::number(worst)));
            }
    }

    // The search of the time shift evaluates at whole training steps around the due one.
    void timeShiftEvaluatesAtTrainingSteps() {
        const Process p = Process::vpLinear(1000, 1e-4, 0.02);
        std::vector<double> levels;
        for (int k = 999; k > 0; k -= 60) levels.push_back(p.tauOfStep(k));
        levels.push_back(0);
        std::vector<double> asked;
        const Estimator estimator = [&](const Tensor& y, double tau) {
            asked.push_back(p.networkTime(tau));
            return DenoiseResult{0.3 * y, {}, {}};
        };
        solve(*findSampler("time_shift"), p, levels, combine({{levels.front(), normals(3, 64, 8)}}), {}, estimator);
        int shifted = 0;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            QVERIFY2(std::abs(asked[i] - std::round(asked[i])) < 1e-6, qPrintable(QString::number(asked[i], 'g', 9)));
            shifted += std::abs(asked[i] - (999 - 60.0 * double(i))) > 0.5;
        }
        QVERIFY(shifted > 3);
    }

    // diffusers' flow mode steps DPM-Solver++ and UniPC in λ = log((1 − t)/t): its two-step midpoint rule, written out.
    void lambdaDialect() {
        const Process p = Process::rectifiedFlow();
        const meander::Gaussian g{0.25, 0.5};
        std::vector<double> levels;  // flow_sigmas with shift 3, from just below pure noise
        for (int i = 0; i < 8; ++i) {
            const double t = 0.999 * (1 - i / 8.0);
            levels.push_back(3 * t / (1 + 2 * t));
        }
        levels.push_back(0);
        const Tensor start = combine({{1, normals(4, 3, 2)}});
        Tensor x = start, previous;
        double before = 0;
        for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
            const double s = levels[i], t = levels[i + 1];
            const Tensor d = denoise(g, p, x, s);
            const auto lambda = [](double v) { return std::log((1 - v) / v); };
            if (t == 0) {
                x = d;
            } else {
                const double h = lambda(t) - lambda(s), factor = -(1 - t) * std::expm1(-h);
                const Tensor first = t / s * x + factor * d;
                x = previous ? Tensor(first + 0.5 * factor * h / (lambda(s) - before) * (d - previous)) : first;
                before = lambda(s);
                previous = d;
            }
        }
        const Params dialect{{"clock", std::string("lambda")}, {"lower_order_final", false}};
        const auto want = download(x).toDoubles(),
                   got = solve(*findSampler("dpm_multistep"), p, levels, start, dialect, gaussianEstimator(p, g))
                             .values(),
                   own = solve(*findSampler("dpm_multistep"), p, levels, start, {{"lower_order_final", false}},
                               gaussianEstimator(p, g))
                             .values();
        QVERIFY2(worstDifference(got, want) < 1e-12, qPrintable(QString::number(worstDifference(got, want))));
        QVERIFY(worstDifference(own, want) > 1e-4);
        // On variance exploding and preserving the two clocks are one; at pure noise of a flow λ is not finite and the
        // first step is Euler's.
        for (const char* id : {"dpm_multistep", "dpm_singlestep", "uni_pc", "uni_pc_bh2"})
            for (const char* prediction : {"data", "noise"}) {
                Params given{{"prediction", std::string(prediction)}};
                const auto run = [&](const Process& process, const char* clock, double top) {
                    given["clock"] = std::string(clock);
                    const auto list = *makeSchedule("uniform_t", process, 8, {});
                    return solve(*findSampler(id), process, list, combine({{top, normals(4, 3, 2)}}), given,
                                 gaussianEstimator(process, g))
                        .values();
                };
                const Process vp = Process::vpLinear(1000, 1e-4, 0.02);
                QVERIFY(worstDifference(run(vp, "lambda", 150), run(vp, "log_tau", 150)) < 1e-10);
                for (double v : run(p, "lambda", 1)) QVERIFY2(std::isfinite(v), id);
            }
    }

    // The same jump to the data is no misuse of a consistency model, whatever name it has.
    void jumpsToTheDataSuitConsistency() {
        for (const char* id : {"lcm", "dmd"})
            for (const auto d : {Distillation::Consistency, Distillation::Lcm, Distillation::DistributionMatching})
                QVERIFY2(isMadeFor(*findSampler(id), d), id);
    }
};

QTEST_GUILESS_MAIN(TestSamplerSettings)
#include "tst_sampler_settings.moc"
