// What schedules must be by their definitions: closed forms, convergence, invariants of all of them under all
// processes, refusals with a sentence.
#include <QtTest>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>

#include "engine/schedule/beta_quantile.h"
#include "engine/schedule/schedule.h"

using namespace meander;

namespace {

void compare(const std::vector<double>& got, const std::vector<double>& want, double relative = 2e-6) {
    QCOMPARE(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        QVERIFY2(std::abs(got[i] - want[i]) <= relative * std::abs(want[i]),
                 qPrintable(QString("%1: %2 instead of %3").arg(i).arg(got[i], 0, 'g', 17).arg(want[i], 0, 'g', 17)));
}

Process sd15() { return Process::vpScaledLinear(1000, 0.00085, 0.012); }
std::vector<Process> processes() {
    return {Process::varianceExploding(0.002, 80),
            Process::vpLinear(1000, 1e-4, 0.02),
            sd15(),
            Process::vpCosine(1000),
            Process::rectifiedFlow(),
            Process::rectifiedFlow(1000, 3),
            sd15().withZeroTerminalSnr()};
}
ParamValue word(const char* s) { return std::string(s); }

std::vector<double> made(const char* id, const Process& p, int n, const Params& params = {},
                         std::optional<int> tokens = {}) {
    const auto r = makeSchedule(id, p, n, params, tokens);
    if (!r) qFatal("%s: %s", id, r.error().text.c_str());
    return *r;
}

// Time of the Ornstein-Uhlenbeck process, whose signal is e^−τ.
double ouTime(double sigma) { return 0.5 * std::log1p(sigma * sigma); }

// KL divergence of N(0, v) from N(0, w).
double divergence(double v, double w) { return 0.5 * (v / w - 1 - std::log(v / w)); }

// Ancestral sampling of exact Gaussian data of variance λ along σ-levels: the variance of the result against what it
// should be there.
double ancestralDivergence(const std::vector<double>& sigmas, double lambda) {
    double variance = lambda + sigmas.front() * sigmas.front();
    for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
        const double a = sigmas[i] * sigmas[i], b = sigmas[i + 1] * sigmas[i + 1], gain = (lambda + b) / (lambda + a);
        variance = gain * gain * variance + b * (a - b) / a;
    }
    return divergence(variance, lambda + sigmas.back() * sigmas.back());
}

// DDIM from exact scores of two Gaussians at ±8 of deviation 0.5, on the path signal cos(πt/2), noise sin(πt/2), for
// 200 quantiles of the start.
std::vector<double> ddimOfTwoModes(const std::vector<double>& shares) {
    constexpr double at = 8, deviation = 0.5, first = 0.999, last = 0.001;
    std::vector<double> ends;
    for (int q = 0; q < 200; ++q) {
        double z = normalQuantile((q + 0.5) / 200);
        for (std::size_t i = 0; i + 1 < shares.size(); ++i) {
            const auto time = [&](double share) { return std::numbers::pi / 2 * (last + (first - last) * share); };
            const double s = std::cos(time(shares[i])), n = std::sin(time(shares[i])),
                         s2 = std::cos(time(shares[i + 1])), n2 = std::sin(time(shares[i + 1]));
            const double variance = s * s * deviation * deviation + n * n, mean = at * std::tanh(s * at * z / variance);
            const double denoised = mean + s * deviation * deviation / variance * (z - s * mean);
            z = s2 * denoised + n2 * (z - s * denoised) / n;
        }
        ends.push_back(z);
    }
    return ends;
}

double rms(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum / double(a.size()));
}

}  // namespace

class TestSchedule : public QObject {
    Q_OBJECT
private slots:
    void trailingStepsAreThePublishedOnes() {
        const auto p = sd15();
        const auto levels = made("model_steps", p, 5);
        const double steps[] = {999, 799, 599, 399, 199};
        for (int i = 0; i < 5; ++i) QCOMPARE(p.networkTime(levels[std::size_t(i)]), steps[i]);
    }
    void trailingTakesAnOffset() {  // a one-step model distilled at step 800
        const auto p = sd15();
        QCOMPARE(p.networkTime(made("model_steps", p, 1, {{"offset", std::int64_t(-199)}}).front()), 800.0);
        QCOMPARE(p.networkTime(made("model_steps", p, 4, {{"offset", std::int64_t(-9)}}).front()), 990.0);
    }
    void lcmStepsAreThePublishedOnes() {  // 4 of 50
        const auto p = sd15();
        const auto levels = made("model_steps", p, 4, {{"spacing", word("lcm")}});
        const double steps[] = {999, 759, 499, 259};
        for (int i = 0; i < 4; ++i) QCOMPARE(p.networkTime(levels[std::size_t(i)]), steps[i]);
    }
    void exactStepsAreWhole() {
        for (const auto& p : {sd15(), Process::vpCosine(1000), Process::vpLinear(1000, 1e-4, 0.02)})
            for (const char* spacing : {"leading", "trailing", "linspace"})
                for (int n : {1, 7, 48, 61, 103, 1000}) {
                    const auto levels = made("model_steps", p, n, {{"spacing", word(spacing)}});
                    QCOMPARE(
                        int(levels.size()),
                        n + 1
                            - (n == 1000
                               && std::string(spacing) == "leading"));  // the offset of 1 meets the last step twice
                    for (std::size_t i = 0; i + 1 < levels.size(); ++i)
                        QCOMPARE(p.networkTime(levels[i]), std::round(p.networkTime(levels[i])));
                }
    }
    void flowShiftOfThree() {  // t' = 3t/(1 + 2t)
        compare(made("flow_shift", Process::rectifiedFlow(), 8, {{"shift", 3.0}}),
                {1, 21.0 / 22, 0.9, 5.0 / 6, 0.75, 9.0 / 14, 0.5, 0.3, 0}, 1e-14);
    }
    void flowShiftRespectsItsEnd() {
        for (const auto& p : {Process::rectifiedFlow(), sd15(), Process::varianceExploding(0.002, 80)}) {
            const auto levels = made("flow_shift", p, 6, {{"min", 0.05}, {"max", 0.9}});
            QCOMPARE(levels.size(), std::size_t(7));
            QCOMPARE(levels.front(), 0.9);
            QCOMPARE(levels[5], 0.05);
            QCOMPARE(levels.back(), 0.0);
        }
        compare(made("uniform_t", Process::rectifiedFlow(), 5, {{"min", 0.2}}), {1, 0.8, 0.6, 0.4, 0.2, 0}, 1e-14);
    }
    void flowUniform() { compare(made("uniform_t", Process::rectifiedFlow(), 4), {1, 0.75, 0.5, 0.25, 0}, 1e-15); }

    // σ = c tan θ in even θ: on data of deviation c one Euler step multiplies the exact solution by cos Δθ, so N of
    // them by cos(Δθ)^N.
    void tangentLawIsExactOnItsGaussian() {
        const double c = 0.5;
        const auto p = Process::varianceExploding(0.002, 80);
        const auto relativeError = [&](const std::vector<double>& sigmas) {
            double x = 1;
            for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
                const double a = sigmas[i], b = sigmas[i + 1], denoised = c * c / (c * c + a * a) * x;
                x = denoised + b / a * (x - denoised);
            }
            return std::abs(x * std::hypot(c, sigmas.front()) / std::hypot(c, sigmas.back()) - 1);
        };
        for (int n : {5, 10, 40}) {
            const auto levels = made("tangent", p, n, {{"to_clean", false}});
            const double angle = (std::atan(80 / c) - std::atan(0.002 / c)) / n;
            QVERIFY(std::abs(relativeError(levels) - (1 - std::pow(std::cos(angle), n))) < 1e-12);
            QVERIFY(relativeError(made("tangent", p, n)) < relativeError(made("karras", p, n)));
        }
        QVERIFY(std::abs(relativeError(made("tangent", p, 10)) - 0.1156) < 1e-4);
        QVERIFY(std::abs(relativeError(made("karras", p, 10)) - 0.2696) < 1e-4);
        // and it is the cosine schedule for c = 1
        compare(made("tangent", p, 9, {{"c", 1.0}, {"to_clean", false}}),
                made("kl_optimal", p, 9, {{"dialect", word("a1111")}}), 1e-12);
    }

    void constantThenGeometric() {
        for (const auto& p : processes())
            for (int n : {1, 2, 7, 20, 200}) {
                const auto levels = made("constant_geometric", p, n);
                QCOMPARE(int(levels.size()), n + 1);
                QCOMPARE(levels.back(), p.minimum());  // the early stop
                QCOMPARE(made("constant_geometric", p, n, {{"to_clean", true}}).back(), 0.0);
                double step = 0, ratio = 0;
                for (int i = 1; i < n; ++i) {  // the first level of a flow is pure noise
                    const double from = ouTime(p.sigma(levels[std::size_t(i)])),
                                 to = ouTime(p.sigma(levels[std::size_t(i) + 1]));
                    if (to > 1 + 1e-9) {
                        if (step > 0) QVERIFY(std::abs((from - to) / step - 1) < 1e-6);
                        step = from - to;
                    } else {
                        if (ratio > 0)
                            QVERIFY2(std::abs(from / to / ratio - 1) < 1e-6,
                                     qPrintable(QString("%1 %2 %3").arg(n).arg(from / to).arg(ratio)));
                        ratio = from / to;
                    }
                }
                if (step > 0 && ratio > 0) QVERIFY(std::abs(1 + step - ratio) < 1e-6);  // both are κ
            }
    }
    // Õ(1/N) in KL with a stochastic step: doubling N at least halves it.
    void constantThenGeometricConverges() {
        const auto p = Process::varianceExploding(0.002, 80);
        double before = ancestralDivergence(made("constant_geometric", p, 20), 0.25);
        for (int n : {40, 80, 160, 320}) {
            const double now = ancestralDivergence(made("constant_geometric", p, n), 0.25);
            QVERIFY2(now < before / 2, qPrintable(QString("%1 steps: %2 after %3").arg(n).arg(now).arg(before)));
            before = now;
        }
    }

    void betaOfOneIsUniform() {
        const Params uniform = {{"alpha", 1.0}, {"beta", 1.0}, {"dialect", word("paper")}};
        QCOMPARE(made("beta", Process::rectifiedFlow(), 7, uniform), made("uniform_t", Process::rectifiedFlow(), 7));
        for (int n : {1, 4, 10, 50}) compare(made("beta", sd15(), n, uniform), made("model_steps", sd15(), n), 1e-12);
    }
    void betaOfOneHalfIsACosine() {  // its quantile is sin²(πu/2)
        compare(made("beta", Process::rectifiedFlow(), 9, {{"alpha", 0.5}, {"beta", 0.5}, {"dialect", word("paper")}}),
                made("cosine_t", Process::rectifiedFlow(), 9), 1e-12);
    }
    // At equal cost less error than even times on separated modes; quantiles taken the wrong way round (the CDF) do
    // worse than even ones.
    void betaLowersTheErrorOfDdim() {
        std::vector<double> fine;
        for (int i = 0; i <= 4000; ++i) fine.push_back(1 - i / 4000.0);
        const auto reference = ddimOfTwoModes(fine);
        const auto flow = Process::rectifiedFlow();
        for (int n : {5, 10, 20}) {
            const double even = rms(ddimOfTwoModes(made("uniform_t", flow, n)), reference);
            std::vector<double> wrong;
            for (int i = 0; i <= n; ++i) wrong.push_back(betaCdf(1 - double(i) / n, 0.6, 0.6));
            for (const double a : {0.5, 0.6}) {
                const double error =
                    rms(ddimOfTwoModes(made("beta", flow, n, {{"alpha", a}, {"beta", a}, {"dialect", word("paper")}})),
                        reference);
                QVERIFY2(error < 0.85 * even,
                         qPrintable(QString("%1 steps, α %2: %3 against %4").arg(n).arg(a).arg(error).arg(even)));
            }
            QVERIFY(rms(ddimOfTwoModes(wrong), reference) > 1.1 * even);
        }
    }
    void quantiles() {
        for (double u : {1e-12, 1e-4, 0.03, 0.3, 0.5, 0.77, 0.999, 1 - 1e-9}) {
            const double arc = std::sin(std::numbers::pi / 2 * u);
            QVERIFY(std::abs(betaQuantile(u, 0.5, 0.5) / (arc * arc) - 1) < 1e-9);
            QVERIFY(std::abs(betaQuantile(u, 2, 1) / std::sqrt(u) - 1) < 1e-12);
            QVERIFY(std::abs(betaQuantile(u, 1, 3) / -std::expm1(std::log1p(-u) / 3) - 1) < 1e-9);
            for (const auto& [a, b] : {std::pair{0.6, 0.6}, {0.5, 0.7}, {8.0, 3.0}, {30.0, 50.0}})
                QVERIFY(std::abs(betaCdf(betaQuantile(u, a, b), a, b) / u - 1) < 1e-9);
            QVERIFY(std::abs(0.5 * std::erfc(-normalQuantile(u) / std::numbers::sqrt2) / u - 1) < 1e-9);
        }
        QVERIFY(std::abs(normalQuantile(0.975) - 1.959963984540054) < 1e-12);
        QCOMPARE(betaQuantile(0, 0.6, 0.6), 0.0);
        QCOMPARE(betaQuantile(1, 0.6, 0.6), 1.0);
    }

    void uniformLambdaIsUniform() {
        for (const auto& p : processes()) {
            const auto levels = made("uniform_lambda", p, 12);
            const double h = p.logSnr(levels[3]) - p.logSnr(levels[2]);
            for (std::size_t i = 2; i + 2 < levels.size(); ++i)
                QVERIFY(std::abs(p.logSnr(levels[i + 1]) - p.logSnr(levels[i]) - h) < 1e-6);
        }
        compare(made("uniform_lambda", sd15(), 9), made("exponential", sd15(), 9), 1e-12);
    }
    void sigmoidTendsToUniform() {
        compare(made("sigmoid_t", Process::rectifiedFlow(), 6, {{"kappa", 0.01}}),
                made("uniform_t", Process::rectifiedFlow(), 6), 1e-5);
        const auto steep = made("sigmoid_t", Process::rectifiedFlow(), 10, {{"kappa", 20.0}});
        QVERIFY(steep[0] - steep[1] < 1e-3 && steep[9] < 1e-3);
        compare(made("sigmoid_t", Process::rectifiedFlow(), 2), {1, 0.5, 0}, 1e-14);
    }
    void quadraticIsASquare() {
        compare(made("quadratic_t", Process::rectifiedFlow(), 4), {1, 9.0 / 16, 0.25, 1.0 / 16, 0}, 1e-14);
        const auto p = sd15();
        const auto levels = made("quadratic_t", p, 5, {{"dialect", word("ddim")}});  // floor of (√800 · k/4)²
        const double steps[] = {800, 450, 200, 50, 0};
        for (int i = 0; i < 5; ++i) QCOMPARE(p.networkTime(levels[std::size_t(i)]), steps[i]);
    }

    void dynamicShiftFollowsTheImage() {
        const auto p = Process::rectifiedFlow();
        // µ is 0.5 at 256 tokens and 1.15 at 4096
        for (const auto& [tokens, mu] : {std::pair{256, 0.5}, {4096, 1.15}, {2176, 0.825}})
            compare(made("flow_dynamic", p, 9, {}, tokens), made("flow_shift", p, 9, {{"shift", std::exp(mu)}}), 1e-12);
        QCOMPARE(made("flow_dynamic", p, 9, {{"tokens", std::int64_t(1024)}}, 4096),
                 made("flow_dynamic", p, 9, {}, 1024));
        compare(made("flow_dynamic", p, 9, {{"mu", 2.0}, {"kind", word("linear")}}),
                made("flow_shift", p, 9, {{"shift", 2.0}}), 1e-12);
        QVERIFY(!makeSchedule("flow_dynamic", p, 9, {}).ok());  // points have no tokens
        for (const char* id : {"flux2", "ltx2", "logit_normal"}) {
            QVERIFY(!makeSchedule(id, p, 9, {}).ok());
            QVERIFY(makeSchedule(id, p, 9, {}, 4096).ok());
        }
    }
    void terminalStretchEndsThere() {
        for (const char* dialect : {"exact", "diffusers_euler", "diffusers_dpmpp"}) {
            const auto levels =
                made("flow_shift", Process::rectifiedFlow(), 8, {{"terminal", 0.1}, {"dialect", word(dialect)}});
            QCOMPARE(levels[7], 0.1);
            QCOMPARE(levels[8], 0.0);
            const auto plain = made("flow_shift", Process::rectifiedFlow(), 8, {{"dialect", word(dialect)}});
            for (int i = 1; i < 7; ++i)
                QVERIFY(std::abs((1 - levels[std::size_t(i)]) / (1 - plain[std::size_t(i)]) - 0.9 / (1 - plain[7]))
                        < 1e-9);  // 1 − t is scaled
        }
    }

    void zeroTerminalSnr() {
        const auto p = sd15(), z = p.withZeroTerminalSnr();
        QCOMPARE(z.trainingSteps(), 1000);
        QVERIFY(std::abs(z.minimum() / p.minimum() - 1) < 1e-9);
        QVERIFY(std::abs(z.maximum() - std::sqrt(0x1p24 - 1)) < 1e-6);
        // √ᾱ was shifted by its last value and scaled.
        const auto root = [](const Process& q, int k) { return q.nativeSignal(q.tauOfStep(k)); };
        const double last = root(p, 999), first = root(p, 0);
        for (int k = 0; k < 999; ++k)
            QVERIFY(std::abs(root(z, k) - (root(p, k) - last) * first / (first - last)) < 1e-12);
        QVERIFY_THROWS_EXCEPTION(Failure, Process::rectifiedFlow().withZeroTerminalSnr());
        QCOMPARE(made("model_steps", z, 10).front(), z.maximum());  // trailing begins at pure noise
    }

    void rulesWithTheirOwnNumberOfSteps() {
        QCOMPARE(made("ddim_uniform", sd15(), 30).size(), std::size_t(32));  // strides of 33: 31 levels and 0
        QCOMPARE(made("laplace", sd15(), 8).size(), std::size_t(8));
        QVERIFY(made("laplace", sd15(), 8).back() > 0);
        QCOMPARE(made("laplace", sd15(), 8, {{"dialect", word("reforge")}}).size(), std::size_t(9));
        QVERIFY(made("beta", sd15(), 400).size() < 401);  // repeated training steps are dropped
        QVERIFY(made("kl_optimal", sd15(), 8, {{"dialect", word("a1111")}}).back() > 0);
        const auto notes = scheduleNotes(made("ddim_uniform", sd15(), 30), sd15(), 30);
        QCOMPARE(notes.size(), std::size_t(2));
        QVERIFY(notes[0].key == "steps" && notes[0].text.find("31 steps of the 30") != std::string::npos);
        QVERIFY(notes[1].key == "schedule" && notes[1].text.find("pure noise") != std::string::npos);
    }
    void notes() {
        const auto text = [](const std::vector<ScheduleNote>& list) {
            return list.size() == 1 ? list[0].text : std::string();
        };
        QVERIFY(scheduleNotes(made("karras", sd15(), 8), sd15(), 8).empty());
        QVERIFY(scheduleNotes(made("flow_shift", Process::rectifiedFlow(), 8), Process::rectifiedFlow(), 8).empty());
        const auto beyond = scheduleNotes(made("vp", sd15(), 8), sd15(), 8);
        QVERIFY(beyond.size() == 1 && beyond[0].warning);
        QVERIFY(text(beyond).find("\"Clip\"") != std::string::npos);
        QVERIFY(text(scheduleNotes(made("kl_optimal", sd15(), 8, {{"dialect", word("a1111")}}), sd15(), 8))
                    .find("\"To clean\"")
                != std::string::npos);
    }

    void customIsTakenAsItIs() {
        const auto p = sd15();
        QCOMPARE(made("custom", p, 3, {{"values", std::vector<double>{10, 3, 0.5}}}),
                 (std::vector<double>{10, 3, 0.5, 0}));
        QVERIFY(!makeSchedule("custom", p, 3, {{"values", std::vector<double>{10, 11, 0.5}}}));
        QVERIFY(!makeSchedule("custom", p, 3, {{"values", std::vector<double>{10, 0.5}}}));
        QVERIFY(!makeSchedule("custom", p, 3, {{"values", std::vector<double>{10, 3, -0.5}}}));
        QVERIFY(!makeSchedule("custom", p, 3, {}));
    }
    void customUnits() {
        const auto p = sd15(), flow = Process::rectifiedFlow();
        const auto custom = [](const Process& q, const char* unit, std::vector<double> values, int n) {
            return made("custom", q, n, {{"values", std::move(values)}, {"unit", word(unit)}});
        };
        compare(custom(p, "step", {999, 499, 0}, 3), {p.maximum(), p.tauOfStep(499), p.minimum(), 0},
                1e-12);  // step 0 is not clean
        compare(custom(flow, "sigma", {3, 1, 0.25}, 3), {0.75, 0.5, 0.2, 0}, 1e-12);
        compare(custom(flow, "log_snr", {-2, 0, 2}, 3),
                {std::exp(1) / (1 + std::exp(1)), 0.5, std::exp(-1) / (1 + std::exp(-1)), 0}, 1e-12);
        compare(custom(p, "alpha_bar", {0.2, 0.5, 0.8, 1}, 3), {2, 1, 0.5, 0}, 1e-12);
        // An inference chain of three β: ᾱ = 0.9, 0.9·0.5, 0.9·0.5·0.1, matched to fractional training steps.
        const auto chain = custom(p, "beta", {0.1, 0.5, 0.9}, 3);
        compare(chain, {std::sqrt(0.955 / 0.045), std::sqrt(0.55 / 0.45), std::sqrt(0.1 / 0.9), 0}, 1e-12);
        QVERIFY(p.networkTime(chain[0]) > 600 && p.networkTime(chain[0]) != std::round(p.networkTime(chain[0])));
        QVERIFY(!makeSchedule("custom", flow, 1, {{"values", std::vector<double>{999}}, {"unit", word("step")}}));
        QVERIFY(!makeSchedule("custom", p, 1, {{"values", std::vector<double>{1000}}, {"unit", word("step")}}));
    }

    // Every schedule under every process either gives levels that fall to their end, or says why not.
    void allFall() {
        int given = 0, refused = 0;
        for (const auto& info : schedules())
            for (const auto& p : processes())
                for (int n : {1, 2, 3, 10, 20, 50}) {
                    if (info.id == "custom") continue;
                    const auto levels = makeSchedule(info.id, p, n, {}, 4096);
                    const QString what =
                        QString::fromStdString(info.id + ", " + p.name()) + QString(", %1 steps").arg(n);
                    if (!levels) {
                        QVERIFY2(levels.error().text.size() > 40 && levels.error().text.back() == '.',
                                 qPrintable(what + ": " + levels.error().text.c_str()));
                        ++refused;
                        continue;
                    }
                    ++given;
                    QVERIFY2(levels->size() >= 2, qPrintable(what));
                    for (std::size_t i = 1; i < levels->size(); ++i)
                        QVERIFY2(levels->at(i) < levels->at(i - 1), qPrintable(what));
                    const bool stopsEarly = info.id == "laplace" || info.id == "constant_geometric";
                    QVERIFY2((levels->back() == 0) == !stopsEarly, qPrintable(what));
                    QVERIFY2(levels->front() <= p.maximum() * (1 + 1e-9) || info.id == "vp" || info.id == "ays"
                                 || info.id == "gits",
                             qPrintable(what));
                }
        QVERIFY(given > 700);
        QVERIFY2(refused < given / 4, qPrintable(QString("%1 of %2").arg(refused).arg(given)));
    }
    void everyDialectWorksSomewhere() {
        for (const auto& info : schedules())
            for (const auto& spec : info.params)
                for (const auto& choice : spec.choices) {
                    if (info.id == "custom" || (info.id == "model_steps" && choice.id == "log_linear")) continue;
                    bool works = false;
                    for (const auto& p : processes())
                        works |= makeSchedule(info.id, p, 10, {{spec.key, choice.id}}, 4096).ok();
                    QVERIFY2(works, qPrintable(QString::fromStdString(info.id + " " + spec.key + "=" + choice.id)));
                }
    }
    void tableIsInOrder() {
        std::set<std::string> ids, groups;
        std::string before;
        for (const auto& info : schedules()) {
            QVERIFY2(ids.insert(info.id).second, info.id.c_str());
            QVERIFY2(!info.label.empty() && !info.summary.empty() && !info.group.empty() && info.make, info.id.c_str());
            if (info.group != before)
                QVERIFY2(groups.insert(info.group).second, info.group.c_str());  // each heading once
            before = info.group;
            for (const auto& s : info.params)
                QVERIFY2(s.help.size() > 5 && (s.kind != ParamKind::Choice || !s.choices.empty()),
                         (info.id + " " + s.key).c_str());
        }
        // Recipes of earlier versions name these.
        for (const char* id : {"karras", "exponential", "uniform_t", "model_steps", "cosine", "flow_shift", "custom"})
            QVERIFY(findSchedule(id));
    }
    void rangeIsRespected() {
        const auto levels = made("karras", sd15(), 10, {{"max", 8.0}, {"min", 0.1}});
        QCOMPARE(levels.front(), 8.0);
        QCOMPARE(levels[9], 0.1);
        QVERIFY(!makeSchedule("karras", sd15(), 10, {{"max", 0.1}, {"min", 8.0}}));
        QCOMPARE(made("karras", sd15(), 10, {{"max", 30.0}}).front(),
                 30.0);  // beyond training: as asked for, with a warning in the plan
        QVERIFY(!makeSchedule("karras", Process::rectifiedFlow(), 10, {{"max", 3.0}}));
    }
    void impossibleSettingsGetASentence_data() {
        QTest::addColumn<QString>("id");
        QTest::addColumn<int>("steps");
        QTest::addColumn<bool>("flow");
        QTest::addColumn<QString>("remedy");
        QTest::newRow("unknown") << "nothing" << 8 << false << "list schedules";
        QTest::newRow("no steps") << "karras" << 0 << false << "between 1 and";
        QTest::newRow("steps of a continuous model") << "model_steps" << 8 << true << "Uniform in t";
        QTest::newRow("more steps than trained") << "model_steps" << 2000 << false << "at most";
        QTest::newRow("flow rule on a diffusion model") << "flux2" << 8 << false << "Flow shift";
        QTest::newRow("diffusion table on a flow") << "ays" << 8 << true << "Flow shift";
        QTest::newRow("one GITS step") << "gits" << 1 << false << "2 steps";
        QTest::newRow("one Laplace level") << "laplace" << 1 << false << "To clean";
        QTest::newRow("eleven turbo steps") << "sd_turbo" << 11 << false << "a1111";
    }
    void impossibleSettingsGetASentence() {
        QFETCH(QString, id);
        QFETCH(int, steps);
        QFETCH(bool, flow);
        QFETCH(QString, remedy);
        const auto r = makeSchedule(id.toStdString(), flow ? Process::rectifiedFlow() : sd15(), steps, {}, 4096);
        QVERIFY(!r.ok());
        QVERIFY2(QString::fromStdString(r.error().text).contains(remedy), r.error().text.c_str());
    }
};

QTEST_GUILESS_MAIN(TestSchedule)
#include "tst_schedule.moc"
