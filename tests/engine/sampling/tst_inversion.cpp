// Inversions: convergence to the exact flow, round trips, Anderson's residual, inversion-free editing, and whole loops
// of another program.
#include <QtTest>
#include <cmath>
#include <numbers>

#include "engine/process/parametrization.h"
#include "engine/sampling/inversion_common.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/sampling/noise_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

// Karras' levels rising from the lowest to the highest.
std::vector<double> rising(const Process& p, int steps) {
    auto levels = karrasLevels(steps + 1, p.maximum(), p.minimum());
    levels.pop_back();
    std::reverse(levels.begin(), levels.end());
    return levels;
}

// Three modes on a line (the mixture of the reference measurements) in coordinates y = x0 + τ ε.
RequestEstimator threeModes() {
    return [](const DenoiseRequest& q) {
        static const double mean[] = {-1.5, 0.5, 2.0}, stddev[] = {0.3, 0.2, 0.4}, weight[] = {0.3, 0.4, 0.3};
        auto v = download(q.x).toDoubles();
        for (double& y : v) {
            double logs[3], top = -INFINITY, sum = 0, x0 = 0;
            for (int k = 0; k < 3; ++k) {
                const double s2 = stddev[k] * stddev[k] + q.tau * q.tau;
                logs[k] = std::log(weight[k]) - (y - mean[k]) * (y - mean[k]) / (2 * s2) - 0.5 * std::log(s2);
                top = std::max(top, logs[k]);
            }
            for (int k = 0; k < 3; ++k) sum += logs[k] = std::exp(logs[k] - top);
            for (int k = 0; k < 3; ++k)
                x0 += logs[k] / sum
                      * (mean[k] + stddev[k] * stddev[k] / (stddev[k] * stddev[k] + q.tau * q.tau) * (y - mean[k]));
            y = x0;
        }
        return DenoiseResult{tensorOf(q.x.shape(), v), {}, {}};
    };
}
Tensor threeModeData(int perMode) {
    std::vector<double> x;
    for (int k = 0; k < 3; ++k)
        for (int i = 0; i < perMode; ++i) {  // normal quantiles, so that there is no chance in it
            double z = 0;
            const double p = (i + 0.5) / perMode;
            for (int n = 0; n < 60; ++n)
                z -= (0.5 * std::erfc(-z / std::numbers::sqrt2) - p)
                     / (std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi));
            x.push_back(std::vector<double>{-1.5, 0.5, 2.0}[std::size_t(k)]
                        + std::vector<double>{0.3, 0.2, 0.4}[std::size_t(k)] * z);
        }
    return tensorOf({std::int64_t(x.size()), 1}, x);
}
// The grid of the reference: u = 0.001 … 1, log ᾱ = −(0.1 u + 9.95 u²), as σ.
std::vector<double> referenceGrid(int steps) {
    std::vector<double> levels;
    for (int k = 0; k <= steps; ++k) {
        const double u = 1e-3 + (1 - 1e-3) * k / steps, a = std::exp(-(0.1 * u + 9.95 * u * u));
        levels.push_back(std::sqrt((1 - a) / a));
    }
    return levels;
}

double meanDifference(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum / double(a.size());
}
double worstDifference(const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]) / (1 + std::abs(b[i])));
    return worst;
}

// Up by the inversion and down again on the same levels.
std::vector<double> roundTrip(const char* up, const Params& params, const char* down, const Params& downParams,
                              const Process& p, std::vector<double> levels, const Tensor& data,
                              const RequestEstimator& estimator) {
    const Tensor noise = solve(*findSampler(up), p, levels, data, params, estimator, philox(3)).state;
    std::reverse(levels.begin(), levels.end());
    return solve(*findSampler(down), p, levels, noise, downParams, estimator, philox(4)).values();
}

Tensor benchSample(double scale) {
    std::vector<double> v(768);
    for (std::size_t i = 0; i < 768; ++i) {
        const std::size_t x = i % 8, y = i / 8 % 8, c = i / 64 % 3, b = i / 192;
        v[i] = scale * double(((c * 8 + y) * 8 + x) * 4 + b) / 768;
    }
    return tensorOf({4, 3, 8, 8}, v);
}

}  // namespace

class TestInversion : public QObject {
    Q_OBJECT
private slots:
    void order_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<QString>("params");
        QTest::addColumn<double>("order");
        QTest::addColumn<QString>("process");
        struct Row {
            const char *id, *params;
            double order;
        };
        for (const Row& r : {Row{"ddim_inversion", "{}", 1}, Row{"dpm_inversion", "{}", 2},
                             Row{"flow_inversion", "{}", 1}, Row{"flow_inversion", R"({"solver": "midpoint"})", 2},
                             Row{"fixed_point_inversion", R"({"iterations": 60, "depth": 3})", 1}})
            for (const auto& p : processNames)
                QTest::addRow("%s %s %s", r.id, r.params, qPrintable(p)) << r.id << r.params << r.order << p;
    }
    // From the lowest to the highest level, against the exact flow of a Gaussian.
    void order() {
        QFETCH(QString, sampler);
        QFETCH(QString, params);
        QFETCH(double, order);
        QFETCH(QString, process);
        const Process p = processNamed(process);
        const Gaussian g = oraclePair.conditional;
        const auto error = [&](int steps) {
            const auto levels = rising(p, steps);
            Tensor start = cosineStart(0.8);
            const auto exact = download(exactFlow(g, p, start, levels.front(), levels.back())).toDoubles();
            const auto got = solve(*findSampler(sampler.toStdString()), p, levels, start,
                                   *paramsFromJson(Json::parse(params.toStdString())), gaussianEstimator(p, g))
                                 .values();
            double sum = 0;
            for (std::size_t i = 0; i < got.size(); ++i) sum += std::pow((got[i] - exact[i]) / levels.back(), 2);
            return std::sqrt(sum / double(got.size()));
        };
        const double coarse = error(160), fine = error(320), got = std::log2(coarse / fine);
        qInfo("%s: %.3e -> %.3e, order %.3f", QTest::currentDataTag(), coarse, fine, got);
        QVERIFY2(got > order - 0.2, qPrintable(QString::number(got)));
    }
    // From clean data: the network is never asked at τ = 0, and the error of the whole way up falls with the steps.
    void startsAtCleanData() {
        const Gaussian g = oraclePair.conditional;
        for (const auto& name : processNames)
            for (const char* id : {"ddim_inversion", "dpm_inversion", "flow_inversion", "fixed_point_inversion"}) {
                const Process p = processNamed(name);
                const RequestEstimator guarded = [&](const DenoiseRequest& q) {
                    if (!(q.tau > 0)) throw Failure("asked at τ = 0");
                    return DenoiseResult{denoise(g, p, q.x, q.tau), {}, {}};
                };
                double before = INFINITY;
                for (int steps : {10, 40, 160}) {
                    auto levels = *makeSchedule("cosine", p, steps, {});
                    std::reverse(levels.begin(), levels.end());
                    QCOMPARE(levels.front(), 0.0);
                    const Tensor start = cosineStart(0.8);
                    const auto exact = download(exactFlow(g, p, start, 0, levels.back())).toDoubles();
                    const auto got = solve(*findSampler(id), p, levels, start, {}, guarded).values();
                    const double error = meanDifference(got, exact) / levels.back();
                    QVERIFY2(
                        error < 0.6 * before,
                        qPrintable(QString("%1 %2 %3: %4 after %5").arg(id, name).arg(steps).arg(error).arg(before)));
                    before = error;
                }
                QVERIFY2(before < 0.02, qPrintable(QString("%1 %2 %3").arg(id, name).arg(before)));
            }
    }

    // Mean |x0' − x0| of the round trip on the three modes, from an independent run on the same data: DDIM, five
    // iterations, and five of the published iteration (Pan et al. 2023: κ = 1, from the scaled state). At 50 steps few
    // points at the watersheds between the modes make up the mean, so other draws of the data give 7e-5 … 8e-4; only
    // the same data can be compared.
    void roundTrips_data() {
        QTest::addColumn<int>("steps");
        QTest::addColumn<double>("ddim");
        QTest::addColumn<double>("fixedPoint");
        QTest::addColumn<double>("published");
        QTest::newRow("5") << 5 << 6.046572e-01 << 2.355220e-02 << 3.268699e-02;
        QTest::newRow("10") << 10 << 3.076776e-01 << 1.138136e-02 << 1.201153e-02;
        QTest::newRow("20") << 20 << 1.623681e-01 << 6.699243e-03 << 7.047567e-03;
        QTest::newRow("50") << 50 << 6.675210e-02 << 1.327977e-04 << 1.525512e-04;
    }
    void roundTrips() {
        QFETCH(int, steps);
        QFETCH(double, ddim);
        QFETCH(double, fixedPoint);
        QFETCH(double, published);
        const Process p = processNamed("edm");  // only y = x0 + τ ε counts; the clock is σ in both
        const auto levels = referenceGrid(steps);
        const Tensor data = threeModeData(300);
        const auto x0 = download(data).toDoubles();
        const auto trip = [&](const char* up, const Params& params) {
            return meanDifference(roundTrip(up, params, "ddim", {}, p, levels, data, threeModes()), x0);
        };
        const double plain = trip("ddim_inversion", {}),
                     five =
                         trip("fixed_point_inversion", {{"iterations", std::int64_t(5)}, {"depth", std::int64_t(0)}});
        const double accelerated =
            trip("fixed_point_inversion", {{"iterations", std::int64_t(5)}, {"depth", std::int64_t(2)}});
        const double solved =
            trip("fixed_point_inversion", {{"iterations", std::int64_t(80)}, {"depth", std::int64_t(3)}});
        qInfo("%d steps: DDIM %.2e, five iterations %.2e, with Anderson %.2e, solved %.1e", steps, plain, five,
              accelerated, solved);
        QVERIFY2(std::abs(plain / ddim - 1) < 1e-4, qPrintable(QString::number(plain, 'g', 8)));
        QVERIFY2(std::abs(five / fixedPoint - 1) < 1e-4, qPrintable(QString::number(five, 'g', 8)));
        QVERIFY2(five < published, qPrintable(QString::number(five)));
        QVERIFY2(accelerated < five, qPrintable(QString::number(accelerated)));
        QVERIFY2(solved < 1e-9, qPrintable(QString::number(solved)));
    }
    // With clean data below: sampling back on the same levels, down to 0, returns it.
    void fixedPointReturnsCleanData() {
        for (const auto& name : processNames) {
            const Process p = processNamed(name);
            auto levels = *makeSchedule("uniform_t", p, 12, {});
            std::reverse(levels.begin(), levels.end());
            const Gaussian g = oraclePair.conditional;
            const RequestEstimator estimator = [&](const DenoiseRequest& q) {
                return DenoiseResult{denoise(g, p, q.x, q.tau), {}, {}};
            };
            const Tensor data = cosineStart(0.7);
            const auto back =
                roundTrip("fixed_point_inversion", {{"iterations", std::int64_t(120)}, {"depth", std::int64_t(2)}},
                          "euler", {}, p, levels, data, estimator);
            QVERIFY2(worstDifference(back, download(data).toDoubles()) < 1e-10,
                     qPrintable(QString("%1 %2").arg(name).arg(worstDifference(back, download(data).toDoubles()))));
        }
    }
    // The second-order flow inversion closes its round trip with order 2 where Euler's has order 1.
    void flowRoundTripOrder() {
        const Process p = processNamed("flow");
        const Gaussian g = oraclePair.conditional;
        const RequestEstimator estimator = [&](const DenoiseRequest& q) {
            return DenoiseResult{denoise(g, p, q.x, q.tau), {}, {}};
        };
        const auto error = [&](const char* solver, const char* down, int steps) {
            std::vector<double> levels;
            for (int k = 0; k <= steps; ++k) levels.push_back(0.05 + 0.95 * k / steps);
            const Tensor data = cosineStart(0.7);
            return meanDifference(
                roundTrip("flow_inversion", {{"solver", std::string(solver)}}, down, {}, p, levels, data, estimator),
                download(data).toDoubles());
        };
        const double first = std::log2(error("euler", "euler", 100) / error("euler", "euler", 200)),
                     second = std::log2(error("midpoint", "heun", 100) / error("midpoint", "heun", 200));
        qInfo("round trip order: Euler %.3f, midpoint and Heun %.3f", first, second);
        QVERIFY(std::abs(first - 1) < 0.15);
        QVERIFY(std::abs(second - 2) < 0.2);
    }
    // BDIA's map can be solved for the state before: from the last two states back to the first. γ = 0 is DDIM.
    void bdiaRunsBack() {
        for (const auto& name : processNames) {
            const Process p = processNamed(name);
            const auto levels = *makeSchedule("cosine", p, 12, {});
            const Gaussian g = oraclePair.conditional;
            const Estimator estimate = gaussianEstimator(p, g);
            const Tensor start = combine({{levels[0], cosineStart(1)}});
            const double gamma = 0.7;
            const auto forward = solve(*findSampler("bdia"), p, levels, start, {{"gamma", gamma}}, estimate);
            Tensor after = forward.state, y = forward.states[forward.states.size() - 2];
            for (std::size_t k = levels.size() - 2; k > 0; --k) {  // y at level k, after at k + 1; before at k − 1
                const Tensor slope = Sampling::slope(y, estimate(y, levels[k]).denoised, levels[k]);
                const double kick = p.nativeScale(levels[k + 1]) / (gamma * p.nativeScale(levels[k - 1]));
                // before = up(y) + (after − down(y))/kick
                const Tensor before = combine({{1 - kick, y},
                                               {levels[k - 1] - levels[k] - kick * (levels[k + 1] - levels[k]), slope},
                                               {kick, after}});
                after = std::exchange(y, before);
            }
            const double error = worstDifference(download(y).toDoubles(), download(start).toDoubles());
            qInfo("%s: back within %.1e", qPrintable(name), error);
            QVERIFY2(error < 1e-9, qPrintable(QString::number(error)));
            const auto plain = solve(*findSampler("bdia"), p, levels, start, {{"gamma", 0.0}}, estimate).values(),
                       ddim = solve(*findSampler("ddim"), p, levels, start, {}, estimate).values();
            QVERIFY(worstDifference(plain, ddim) < 1e-14);
            QVERIFY(worstDifference(forward.values(), ddim) > 1e-6);
        }
    }
    // γ = 1 goes straight to a typical noise, whatever the model says.
    void controlledFlowEndsAtNoise() {
        const Process p = processNamed("flow");
        std::vector<double> levels = {0.01, 0.2, 0.5, 0.8, 1};
        const RequestEstimator estimator = [&](const DenoiseRequest& q) {
            return DenoiseResult{denoise(oraclePair.conditional, p, q.x, q.tau), {}, {}};
        };
        const Tensor data = cosineStart(0.7);
        const auto noise = download(philox(9)({0, 0, 0, 0}, data)).toDoubles();
        QVERIFY(
            worstDifference(
                solve(*findSampler("flow_inversion"), p, levels, data, {{"gamma", 1.0}}, estimator, philox(9)).values(),
                noise)
            < 1e-13);
        const auto half =
            solve(*findSampler("flow_inversion"), p, levels, data, {{"gamma", 0.5}}, estimator, philox(9)).values();
        const auto none = solve(*findSampler("flow_inversion"), p, levels, data, {}, estimator, philox(9)).values();
        QVERIFY(meanDifference(half, noise) < 0.8 * meanDifference(none, noise));
    }

    // Anderson's acceleration on a linear map of rates 0.95 … 0.2. What theory promises: as deep as there are distinct
    // rates it ends, and until then its residual is the map of GMRES's (Walker & Ni 2011, theorem 2.2); at any depth a
    // step loses at least the largest rate (Toth & Kelley 2015, theorem 2.1). Less deep than that it only gains a
    // factor: the residuals are those of an independent run with an orthogonal least-squares solver.
    void andersonResidual() {
        const std::vector<double> rates = {0.95, 0.8, 0.5, 0.2}, goal = {1, -2, 3, 0.5};
        const auto residual = [&](int depth, int iterations) {
            Anderson a(depth);
            Tensor y = tensorOf({2, 4}, {0, 0, 0, 0, 5, 5, 5, 5});
            std::vector<double> r;
            for (int i = 0; i <= iterations; ++i) {
                auto v = download(y).toDoubles();
                r.assign(v.size(), 0);
                for (std::size_t k = 0; k < v.size(); ++k) r[k] = (1 - rates[k % 4]) * (goal[k % 4] - v[k]);
                if (i < iterations) y = a.next(y, tensorOf({2, 4}, r));
            }
            double sum = 0;
            for (double v : r) sum += v * v;
            return std::sqrt(sum);
        };
        const double krylov[] = {1.653014292, 0.8893952785, 0.3360352824, 0.1235197656};
        for (int n = 1; n <= 4; ++n)
            QVERIFY2(std::abs(residual(4, n) / krylov[n - 1] - 1) < 1e-8,
                     qPrintable(QString("%1 %2").arg(n).arg(residual(4, n), 0, 'g', 12)));
        QVERIFY2(residual(4, 5) < 1e-10, qPrintable(QString::number(residual(4, 5))));
        for (int depth = 0; depth <= 4; ++depth)
            for (int n = 0; n < 12 && residual(depth, n) > 1e-12; ++n)
                QVERIFY(residual(depth, n + 1) <= 0.95 * residual(depth, n) * (1 + 1e-12));
        struct Run {
            int depth;
            double six, twelve;
        };
        for (const Run& r : {Run{0, 0.4116359, 0.1497369}, Run{1, 0.1176468, 1.096552e-2},
                             Run{2, 0.1098679, 6.573372e-3}, Run{3, 2.585061e-4, 2.039572e-8}}) {
            qInfo("depth %d: %.6e after 6, %.6e after 12", r.depth, residual(r.depth, 6), residual(r.depth, 12));
            QVERIFY(std::abs(residual(r.depth, 6) / r.six - 1) < 1e-5);
            QVERIFY(std::abs(residual(r.depth, 12) / r.twelve - 1)
                    < (r.depth == 3 ? 1e-2 : 1e-5));  // at depth 3 rounding grows with the condition of the differences
        }
    }

    // Inversion-free editing: equal prompts return the data exactly; another prompt moves it by the difference of the
    // means when only those differ.
    void inversionFreeEditing() {
        for (const auto& name : processNames)
            for (double eta : {0.0, 0.4, 1.0}) {
                const Process p = processNamed(name);
                const auto levels = *makeSchedule("cosine", p, 8, {});
                const Tensor data = cosineStart(0.7),
                             start = combine({{p.signal(levels[0]), data}, {levels[0], philox(6)({0, 7, 0, 0}, data)}});
                const auto edit = [&](double targetMean) {
                    const RequestEstimator both = [&](const DenoiseRequest& q) {
                        return DenoiseResult{denoise({targetMean, 0.5}, p, q.x, q.tau),
                                             denoise({targetMean, 0.5}, p, q.x, q.tau),
                                             denoise({0.25, 0.5}, p, q.x, q.tau)};
                    };
                    return solve(*findSampler("ddcm"), p, levels, start, {{"eta", eta}}, both, philox(2), 0, data)
                        .values();
                };
                const auto x0 = download(data).toDoubles();
                auto same = edit(0.25);
                QVERIFY2(worstDifference(same, x0) < 1e-13, qPrintable(QString::number(worstDifference(same, x0))));
                auto moved = edit(1.25);
                for (double& v : moved) v -= 1;
                QVERIFY2(worstDifference(moved, x0) < (name == "flow" ? 1e-12 : 2e-3),
                         qPrintable(QString("%1 %2").arg(name).arg(worstDifference(moved, x0))));
            }
        QVERIFY_THROWS_EXCEPTION(Failure,
                                 solve(*findSampler("ddcm"), processNamed("flow"), {1, 0}, cosineStart(1), {},
                                       gaussianEstimator(processNamed("flow"), oraclePair.conditional), philox(1)));
    }

    // Whole loops of diffusers' inverse schedulers on their test bench.
    void diffusersLoops_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<double>("sum");
        QTest::addColumn<double>("second");
        QTest::addColumn<double>("last");
        QTest::newRow("DDIM inverse") << "ddim" << 671.6816887576133 << 0.0091221426 << 1.7491714;
        QTest::newRow("DDIM inverse, v") << "ddim v" << 1394.2187949158251 << 0.017732318 << 3.8358777;
        QTest::newRow("DDIM inverse, β from 0.01") << "ddim one" << 539.9621751466766 << 0.0073332544 << 1.4061519;
        QTest::newRow("DDIM inverse, β from 0.01, first signal its own")
            << "ddim own" << 542.6721824182896 << 0.0073701986 << 1.4079849;
        QTest::newRow("DPM++ inverse") << "dpm" << 541.199348 << 0.0073500518 << 1.4093733;
        QTest::newRow("DPM++ inverse, v") << "dpm v" << 1166.87313 << 0.015847376 << 3.0387316;
        QTest::newRow("DPM++ inverse, Karras, v") << "dpm karras v" << 1368.28347 << 0.018582726 << 3.5632389;
    }
    void diffusersLoops() {
        QFETCH(QString, kind);
        QFETCH(double, sum);
        QFETCH(double, second);
        QFETCH(double, last);
        const bool isDdim = kind.startsWith("ddim"), isV = kind.endsWith("v");
        const Process p = Process::vpLinear(1000, kind.contains("one") || kind.contains("own") ? 0.01 : 1e-4, 0.02);
        std::vector<double> levels;
        if (isDdim) {
            // From data (ᾱ = 1; 10⁻⁷ stands for it, because the network's v at no noise is divided by the noise), or
            // from the first training level: then the first of the ten steps has no length and does nothing but clip x̂0
            // = x/√ᾱ, of which the sample's end lies above 1.
            levels.push_back(kind.contains("own") ? p.minimum() * (1 - 1e-9) : 1e-7);
            for (int k = 0; k < 10; ++k) levels.push_back(p.tauOfStep(100 * k));
        } else if (kind.contains("karras")) {
            levels = rising(p, 9);
        } else {
            for (int step : {0, 100, 200, 300, 400, 500, 599, 699, 799, 899, 999}) levels.push_back(p.tauOfStep(step));
        }
        const RequestEstimator network = [&](const DenoiseRequest& q) {
            const Conversion c = conversionAt(p, isV ? Parametrization::V : Parametrization::Epsilon, q.tau);
            double time = p.networkTime(q.networkTau.value_or(q.tau));
            if (kind.contains("karras")) time = std::round(time);
            const double gain = time / (time + 1);
            return DenoiseResult{combine({{c.fromState + c.fromOutput * gain * c.input, q.x}}), {}, {}};
        };
        const Params params = isDdim ? Params{{"asked", std::string("next")}, {"clip", 1.0}} : Params{};
        auto x = solve(*findSampler(isDdim ? "ddim_inversion" : "dpm_inversion"), p, levels,
                       benchSample(1 / p.nativeScale(levels.front())), params, network)
                     .values();
        double got = 0;
        for (double& v : x) got += std::abs(v *= p.nativeScale(levels.back()));
        qInfo("%s: %.8g of %.8g", QTest::currentDataTag(), got, sum);
        QVERIFY2(std::abs(got / sum - 1) < 1e-5, qPrintable(QString::number(got, 'g', 10)));
        QVERIFY(std::abs(x[1] / second - 1) < 1e-5);
        QVERIFY(std::abs(x.back() / last - 1) < 1e-5);
    }
};

QTEST_GUILESS_MAIN(TestInversion)
#include "tst_inversion.moc"
