// What deterministic samplers must be to each other, and the numbers that papers' formulas gave on exact mixtures.
#include <QtTest>
#include <map>

#include "engine/models/analytic/mixture.h"
#include "engine/sampling/corruption.h"
#include "engine/sampling/sampler_common.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

ParamValue text(const char* s) { return std::string(s); }
ParamValue number(int i) { return std::int64_t(i); }

Estimator mixtureEstimator(const Process& process, const Mixture& m) {
    return [&process, &m](const Tensor& y, double tau) {
        const auto values = download(y).toDoubles();
        std::vector<double> out(values.size());
        const std::size_t n = std::size_t(m.dimensions());
        for (std::size_t i = 0; i < values.size(); i += n)
            m.denoise(std::span(values).subspan(i, n), process.signal(tau), tau, {}, std::span(out).subspan(i, n));
        return DenoiseResult{upload(cpu(), HostTensor::fromDoubles(y.shape(), out)), {}, {}};
    };
}

// Φ⁻¹ by bisection.
double quantile(double p) {
    double low = -9, high = 9;
    for (int k = 0; k < 80; ++k) {
        const double middle = 0.5 * (low + high);
        (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
    }
    return low;
}
double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return 0.5 * (v[(v.size() - 1) / 2] + v[v.size() / 2]);
}

// The one-dimensional mixture of the papers' checks, on the linear VP process with β from 0.1 to 20 and levels equal in
// time from 1 to 0.001. Particles are the quantiles of the standard normal.
struct LineMixture {
    Process process = Process::vpLinear(1000, 1e-4, 0.02);
    static constexpr double weights[] = {0.3, 0.4, 0.3};
    Mixture mixture{1, {-1.5, 0.5, 2.0}, {0.09, 0.04, 0.16}, {weights, weights + 3}};
    Estimator estimator = mixtureEstimator(process, mixture);

    static double sigmaAt(double u) { return std::sqrt(std::expm1(0.1 * u + 0.5 * 19.9 * u * u)); }
    static std::vector<double> levels(int steps) {
        std::vector<double> l;
        for (int i = steps; i >= 0; --i) l.push_back(sigmaAt(1e-3 + (1 - 1e-3) * i / steps));
        return l;
    }
    Tensor start(int particles) const {
        std::vector<double> y;
        for (int i = 0; i < particles; ++i)
            y.push_back(quantile((i + 0.5) / particles) / process.nativeScale(sigmaAt(1)));
        return upload(cpu(), HostTensor::fromDoubles({particles, 1}, y));
    }
    // Where the probability flow ends, in closed form: in one dimension it keeps the order of particles, so a quantile
    // of the first marginal goes to the same quantile of the last.
    std::vector<double> exactEnds(int particles) const {
        const auto share = [&](double y, double sigma) {
            double sum = 0;
            for (int k = 0; k < mixture.components(); ++k)
                sum += weights[k] * 0.5
                       * std::erfc((mixture.mean(k, 0) - y) / std::sqrt(2 * (mixture.variance(k, 0) + sigma * sigma)));
            return sum;
        };
        auto ends = download(start(particles)).toDoubles();
        for (double& y : ends) {
            const double p = share(y, sigmaAt(1));
            double low = -9, high = 9;
            for (int k = 0; k < 80; ++k) {
                const double middle = 0.5 * (low + high);
                (share(middle, sigmaAt(1e-3)) < p ? low : high) = middle;
            }
            y = low;
        }
        return ends;
    }
    // Mean |x − reference| of the native state at the end.
    double error(const char* sampler, int steps, const Params& params, const std::vector<double>& reference) const {
        const auto x =
            solve(*findSampler(sampler), process, levels(steps), start(int(reference.size())), params, estimator)
                .values();
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(x[i] - reference[i]);
        return sum / double(x.size()) * process.nativeScale(sigmaAt(1e-3));
    }
};

}  // namespace

Q_DECLARE_METATYPE(meander::Params)

class TestDeterministic : public QObject {
    Q_OBJECT

    std::vector<double> golden(const char* sampler, const Params& params, const char* space = "ve") {
        const auto p = goldenProblem(space);
        return solve(*findSampler(sampler), p.process, p.levels, p.start, params,
                     gaussianEstimator(p.process, oraclePair.conditional))
            .values();
    }

private slots:
    // Samplers that are special cases of each other; 0: bit by bit.
    void sameThing_data() {
        QTest::addColumn<QString>("one");
        QTest::addColumn<QString>("other");
        QTest::addColumn<Params>("oneParams");
        QTest::addColumn<Params>("otherParams");
        QTest::addColumn<double>("tolerance");
        const auto add = [](const char* name, const char* a, Params pa, const char* b, Params pb, double tolerance) {
            QTest::newRow(name) << a << b << pa << pb << tolerance;
        };
        for (int k = 1; k <= 4; ++k)
            add(qPrintable(QString("GHVB %1 is AB%1").arg(k)), "ghvb", {{"momentum_number", double(k)}}, "plms",
                {{"order", number(k)}, {"start", text("lower_order")}}, 0);
        for (int k = 1; k <= 4; ++k)
            add(qPrintable(QString("HB %1 is AB%1").arg(k)), "ghvb",
                {{"momentum_number", double(k)}, {"kind", text("hb")}}, "ipndm", {{"order", number(k)}}, 1e-14);
        add("time shift without window is DDIM", "time_shift", {{"window", 0.0}}, "euler", {}, 1e-15);
        add("restoration-degradation by noise is DDIM", "restoration_degradation", {}, "ddim", {}, 1e-13);
        add("restoration at the middle is the exponential midpoint", "restoration_degradation",
            {{"restoration_length", 0.5}}, "dpmpp_2s", {}, 1e-13);
        add("aDDIM without lost variance is DDIM", "addim", {{"amount", 0.0}}, "ddim", {}, 1e-13);
        add("γ = 1 is Euler", "gradient_estimation", {{"gamma", 1.0}}, "euler", {}, 1e-14);
        add("iPNDM-V with exact weights is LMS", "ipndm_v", {{"weights", text("exact")}}, "lms", {}, 1e-12);
        add("DEIS in τ is LMS", "deis", {{"time", text("rho")}}, "lms", {{"order", number(3)}}, 1e-13);
        add("DEIS in log τ is DPM-Solver of order 3", "deis", {{"time", text("log_rho")}}, "dpm_multistep",
            {{"order", number(3)},
             {"prediction", text("noise")},
             {"solver_type", text("heun")},
             {"lower_order_final", false}},
            1e-11);
        add("RES of three is DPM-Solver++ of order 3", "res_multistep", {{"order", number(3)}}, "dpm_multistep",
            {{"order", number(3)}, {"solver_type", text("heun")}, {"lower_order_final", false}}, 1e-11);
        add("DPM-Solver++ of order 2 is 2M", "dpm_multistep", {{"lower_order_final", false}}, "dpmpp_2m", {}, 1e-13);
        add("exponential Heun is RES 2S with c2 = 1", "exp_heun_2_x0", {}, "res_2s", {{"c2", 1.0}}, 1e-13);
        add("UniP of order 1 is Euler", "uni_pc", {{"order", number(1)}, {"corrector", false}, {"end_level", 0.0}},
            "euler", {}, 1e-13);
        add("UniP of order 2 is 2M", "uni_pc_bh2",
            {{"order", number(2)}, {"corrector", false}, {"end_level", 0.0}, {"lower_order_final", false}}, "dpmpp_2m",
            {}, 1e-13);
        add("singlestep of order 1 is Euler", "dpm_singlestep", {{"order", number(1)}}, "euler", {}, 1e-13);
        add("multistep of order 1 on the noise is Euler", "dpm_multistep",
            {{"order", number(1)}, {"prediction", text("noise")}}, "euler", {}, 1e-13);
        add("Kutta's tableau is RK4", "runge_kutta", {{"tableau", text("kutta_4")}}, "rk4", {}, 0);
        add("Heun's tableau is Heun", "runge_kutta", {{"tableau", text("heun")}}, "heun", {}, 1e-13);
        add("one sweep of implicit midpoint is the explicit one", "implicit_runge_kutta",
            {{"tableau", text("gauss_1")}, {"sweeps", number(1)}}, "runge_kutta", {{"tableau", text("midpoint")}},
            1e-13);
        add("ETDRK2 is exponential Heun", "exponential_runge_kutta", {{"method", text("etdrk_2")}}, "exp_heun_2_x0", {},
            1e-13);
        add("BDIA without the step back is Euler", "bdia", {{"gamma", 0.0}}, "euler", {}, 0);
        add("as many Picard sweeps as steps are Euler", "parallel", {{"tolerance", 0.0}, {"sweeps", number(10)}},
            "euler", {}, 1e-12);
        add("as many Jacobi sweeps as steps are Euler", "parallel",
            {{"tolerance", 0.0}, {"sweeps", number(10)}, {"method", text("jacobi")}}, "euler", {}, 1e-14);
        add("Newton is Euler", "parallel", {{"tolerance", 1e-9}, {"method", text("newton")}}, "euler", {}, 1e-8);
        add("Picard in a window is Euler", "parallel",
            {{"tolerance", 1e-10}, {"sweeps", number(100)}, {"window", number(3)}, {"guess", text("constant")}},
            "euler", {}, 1e-8);
    }
    void sameThing() {
        QFETCH(QString, one);
        QFETCH(QString, other);
        QFETCH(Params, oneParams);
        QFETCH(Params, otherParams);
        QFETCH(double, tolerance);
        for (const char* space : {"ve", "flow"}) {
            const auto a = golden(qPrintable(one), oneParams, space), b = golden(qPrintable(other), otherParams, space);
            double worst = 0;
            for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
            QVERIFY2(worst <= tolerance, qPrintable(QString("%1: %2").arg(space).arg(worst)));
        }
    }
    // CFG++ with equal estimates is the sampler without it.
    void cfgPlusPlusWithoutGuidance() {
        for (const auto& [guided, plain] : {std::pair{"euler_cfg_pp", "euler"},
                                            {"dpmpp_2m_cfg_pp", "dpmpp_2m"},
                                            {"res_multistep_cfg_pp", "res_multistep"},
                                            {"gradient_estimation_cfg_pp", "gradient_estimation"}}) {
            const auto a = golden(guided, {}), b = golden(plain, {});
            for (std::size_t i = 0; i < a.size(); ++i) QVERIFY2(std::abs(a[i] - b[i]) < 1e-12, guided);
        }
    }
    // ComfyUI's rule as an independent numpy loop ran it on the golden problem (sum of sizes; elements 0, 1, 255);
    // without its three extrapolations it is Euler CFG++.
    void cfgPlusPlusUd10Ab() {
        struct Row {
            const char* space;
            double sum, first, second, last;
        };
        for (const Row& row :
             {Row{"ve", 193.55924835669512, 1.040980594861629, 1.0216052251346974, 1.0394860681453306},
              Row{"flow", 243.03731779686973, 1.2921168957905436, 1.2688062879760906, 1.2903188229463676}}) {
            const auto p = goldenProblem(row.space);
            const auto run = [&](const char* id, const Params& params) {
                return solve(*findSampler(id), p.process, p.levels, p.start, params,
                             gaussianEstimator(p.process, oraclePair))
                    .values();
            };
            const auto x = run("cfgpp_ud10_ab", {});
            const Summary got = summary(x);
            QVERIFY2(std::abs(got.sumAbs / row.sum - 1) < 1e-11, qPrintable(QString::number(got.sumAbs, 'g', 16)));
            QVERIFY(std::abs(got.first - row.first) < 1e-11 && std::abs(got.second - row.second) < 1e-11
                    && std::abs(got.last - row.last) < 1e-11);
            const auto plain = run("cfgpp_ud10_ab",
                                   {{"noise_history", 0.0}, {"step_history", 0.0}, {"extrapolate_end", false}}),
                       euler = run("euler_cfg_pp", {});
            for (std::size_t i = 0; i < x.size(); ++i) QVERIFY(std::abs(plain[i] - euler[i]) < 1e-13);
        }
    }
    // What that rule tends to without guidance, on a Gaussian of deviation s and mean 0: dy/dτ = ε + w τ dε/dτ with ε =
    // g y, so y'/y = (g + w τ g')/(1 − w τ g), to first order in the step; the probability flow is elsewhere. Without
    // history it is the probability flow.
    void cfgPlusPlusUd10AbTendsElsewhere() {
        const Process p = Process::varianceExploding(0.002, 80);
        const double s2 = 0.25, top = 10, bottom = 0.05;
        const auto logSlope = [&](double tau, double w) {
            const double v = s2 + tau * tau, g = tau / v;
            return (g + w * tau * (s2 - tau * tau) / (v * v)) / (1 - w * tau * g);
        };
        const auto limit = [&](double w) {  // Simpson in log τ
            const int n = 4000;
            double sum = 0;
            for (int i = 0; i <= n; ++i) {
                const double tau = top * std::pow(bottom / top, double(i) / n);
                sum += (i == 0 || i == n ? 1 : i % 2 ? 4 : 2) * tau * logSlope(tau, w);
            }
            return std::exp(sum * std::log(bottom / top) / (3 * n));
        };
        const auto end = [&](double w, int steps) {
            std::vector<double> levels;
            for (int i = 0; i <= steps; ++i) levels.push_back(top * std::pow(bottom / top, double(i) / steps));
            return solve(*findSampler("cfgpp_ud10_ab"), p, levels,
                         upload(cpu(), HostTensor::fromDoubles({1, 1}, std::vector<double>{1.0})),
                         {{"noise_history", w}}, gaussianEstimator(p, Gaussian{0, 0.5}))
                .values()[0];
        };
        QVERIFY(std::abs(limit(0) - std::sqrt((s2 + bottom * bottom) / (s2 + top * top))) < 1e-9);
        for (double w : {0.0, 0.1, 0.5}) {
            const double coarse = std::abs(end(w, 400) - limit(w)), fine = std::abs(end(w, 800) - limit(w));
            qInfo("noise history %.1f: limit %.6f, error %.2e and %.2e", w, limit(w), coarse, fine);
            QVERIFY(std::abs(std::log2(coarse / fine) - 1) < 0.15);
        }
        QVERIFY(std::abs(limit(0.1) / limit(0) - 1) > 0.01);
    }
    // diffusers' test of IPNDM runs its loop twice with one history. The second pass starts at α = 0 from a state that
    // is no noise, where the code divides by max(α, 10⁻⁸): its 2540529 (float32; 2540518 in double) is 10⁸ times a
    // mismatch and belongs to no rule. The first pass is iPNDM, from a first step with x̂0 = 0 for the same reason; an
    // independent run in double gave its sum.
    void ipndmAsDiffusers() {
        const Process p = Process::vpLinear(1000, 1e-4, 0.02);
        std::vector<double> levels{1e8}, y;
        for (int k = 1; k < 10; ++k) {
            const double beta = std::pow(std::sin(M_PI / 2 * (1 - k / 10.0)), 2);
            levels.push_back(beta / std::sqrt(1 - beta * beta));
        }
        levels.push_back(0);
        for (int i = 0; i < 768; ++i) y.push_back(1e8 * i / 768);
        const Estimator network = [&](const Tensor& state, double tau) {
            const double a = 1 / std::hypot(1, tau), t = 2 / M_PI * std::atan(tau);  // v = x t/(t + 1), x = a y
            return DenoiseResult{combine({{tau > 1e7 ? 0 : a * a - tau * a * a * t / (t + 1), state}}), {}, {}};
        };
        double sum = 0;
        for (double v : solve(*findSampler("ipndm"), p, levels, upload(cpu(), HostTensor::fromDoubles({1, 768}, y)),
                              {{"multistep_last", true}}, network)
                            .values())
            sum += std::abs(v);
        QVERIFY2(std::abs(sum / 247.44087420292777 - 1) < 1e-7, qPrintable(QString::number(sum, 'g', 12)));
    }
    // One data point: x̂0 does not depend on the state, and the ODE is linear. Exponential integrators on x̂0 and Euler
    // solve it exactly, whatever the levels.
    void oneDataPoint() {
        const auto p = goldenProblem("ve");
        const Estimator point = [](const Tensor& y, double) {
            return DenoiseResult{
                upload(cpu(), HostTensor::fromDoubles(y.shape(), std::vector<double>(std::size_t(y.count()), 0.7))),
                {},
                {}};
        };
        for (const auto& s : samplers()) {
            if (s.stochastic || s.order == 0 || s.freeSteps || s.inverts || s.id == "addim" || s.id == "time_shift")
                continue;
            const bool isExact = s.id != "dpmpp_2m_v2" && s.id != "accelerated";
            const auto full = resolveParams(s.params,
                                            s.params.end()
                                                    == std::find_if(s.params.begin(), s.params.end(),
                                                                    [](const auto& q) { return q.key == "end_level"; })
                                                ? Params{}
                                                : Params{{"end_level", 0.0}},
                                            s.label);
            for (double v : solve(s, p.process, p.levels, p.start, *full, point).values())
                QVERIFY2(!isExact || std::abs(v - 0.7) < 1e-9, (s.id + ": " + std::to_string(v)).c_str());
        }
    }
    void solvesLinearSystems() {
        const std::vector<std::vector<double>> a = {
            {0, 2, 1, 0.5}, {1, -1, 3, 0.1}, {4, 0.3, 0.2, -2}, {0.7, 5, -0.4, 1}};
        const std::vector<double> x = {1.5, -2, 0.25, 3};
        std::vector<double> b(4, 0.0);
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = 0; j < 4; ++j) b[i] += a[i][j] * x[j];
        const auto got = solveLinear(a, b);
        for (std::size_t i = 0; i < 4; ++i) QVERIFY(std::abs(got[i] - x[i]) < 1e-14);
    }

    // Li et al. 2024: mean error against the exact solution. A check of the paper's formula in numpy with random
    // particles gave the numbers; it took a level above the first for the first step, which a network does not have, so
    // the errors here must be smaller for the plain form and the same for the cached one.
    void acceleratedNumbers() {
        const LineMixture line;
        const auto exact = line.exactEnds(500);
        const double ddim[] = {3.1e-2, 1.5e-2, 7.6e-3, 3.9e-3, 1.9e-3},
                     accelerated[] = {2.6e-2, 7.8e-3, 2.3e-3, 6.3e-4, 1.8e-4},
                     cached[] = {3.6e-2, 9.5e-3, 2.4e-3, 6.7e-4, 1.9e-4};
        double last = 0;
        for (int k = 0; k < 5; ++k) {
            const int steps = 50 << k;
            const double a = line.error("ddim", steps, {}, exact), b = line.error("accelerated", steps, {}, exact),
                         c = line.error("accelerated", steps, {{"cached", true}}, exact);
            qInfo("T %d: DDIM %.2e (%.1e), accelerated %.2e (%.1e), cached %.2e (%.1e)", steps, a, ddim[k], b,
                  accelerated[k], c, cached[k]);
            QVERIFY(std::abs(a / ddim[k] - 1) < 0.1 && b < accelerated[k] && std::abs(c / cached[k] - 1) < 0.25);
            if (k == 4) QVERIFY(std::log2(last / b) > 1.75);
            last = b;
        }
    }
    // Sweeps on the 50-step DDIM chain: median over particles of the largest error over levels. Published checks:
    // Newton 9.3e-2, 5.2e-4, 3.9e-9; Picard 2.6e-1, 7.3e-2, 1.4e-2, 1.9e-3, 1.7e-4, 1.4e-5; Jacobi 2.7e-1 after six.
    void parallelSweeps() {
        const LineMixture line;
        const auto levels = LineMixture::levels(50);
        const Tensor start = line.start(64);
        const auto chain = solve(*findSampler("euler"), line.process, levels, start, {}, line.estimator);
        const auto errorAfter = [&](const char* method, int sweeps) {
            const Params params = {{"method", text(method)},
                                   {"sweeps", number(sweeps)},
                                   {"tolerance", 0.0},
                                   {"guess", text("constant")},
                                   {"difference", 1e-6}};
            const auto got = solve(*findSampler("parallel"), line.process, levels, start, params, line.estimator);
            std::vector<double> worst(64, 0.0);
            for (std::size_t i = 0; i < chain.states.size(); ++i) {
                const auto a = download(got.states[i]).toDoubles(), b = download(chain.states[i]).toDoubles();
                for (std::size_t k = 0; k < 64; ++k)
                    worst[k] = std::max(worst[k], std::abs(a[k] - b[k]) * line.process.nativeScale(levels[i + 1]));
            }
            return median(worst);
        };
        const auto near = [](double got, double published, double factor) {
            return got < published * factor && got > published / factor;
        };
        const double newton[] = {9.3e-2, 5.2e-4, 3.9e-9}, picard[] = {2.6e-1, 7.3e-2, 1.4e-2, 1.9e-3, 1.7e-4, 1.4e-5};
        for (int k = 0; k < 6; ++k) {
            const double p = errorAfter("picard", k + 1), n = k < 3 ? errorAfter("newton", k + 1) : 0;
            qInfo("sweep %d: Picard %.1e (%.1e), Newton %.1e", k + 1, p, picard[k], n);
            QVERIFY(near(p, picard[k], 2));
            if (k < 2) QVERIFY(near(n, newton[k], 2));
            if (k == 2) QVERIFY(n < 1e-7);
        }
        QVERIFY(near(errorAfter("jacobi", 6), 2.7e-1, 2));
    }
    // Wizadwongsa et al. 2024 on a ring of eight modes, σ from 10 to 0.3 in equal steps. Published check of the
    // formula: slopes DDIM 1.00, AB2 1.99, GHVB 1.8 1.99, GHVB 1.5 1.97, HB 0.8 1.00, AB4 3.85, GHVB 3.8 3.83.
    void momentumSlopes() {
        std::vector<double> means;
        for (int k = 0; k < 8; ++k) {
            means.push_back(2 * std::cos(k * M_PI / 4));
            means.push_back(2 * std::sin(k * M_PI / 4));
        }
        const Mixture ring(2, means, std::vector<double>(8, 0.15 * 0.15));
        const Process ve = Process::varianceExploding(0.002, 80);
        const Estimator estimator = mixtureEstimator(ve, ring);
        std::vector<double> y;
        for (int i = 0; i < 400; ++i)
            y.push_back(10 * quantile((i * 0.6180339887498949 - std::floor(i * 0.6180339887498949)) * 0.98 + 0.01));
        const Tensor start = upload(cpu(), HostTensor::fromDoubles({200, 2}, y));
        const auto levels = [](int n) {
            std::vector<double> l;
            for (int i = 0; i <= n; ++i) l.push_back(10 - 9.7 * i / n);
            return l;
        };
        const auto exact = solve(*findSampler("rk4"), ve, levels(10000), start, {}, estimator).values();
        const auto error = [&](const Params& params, int n) {
            const auto x = solve(*findSampler("ghvb"), ve, levels(n), start, params, estimator).values();
            double sum = 0;
            for (std::size_t i = 0; i < x.size(); i += 2) sum += std::hypot(x[i] - exact[i], x[i + 1] - exact[i + 1]);
            return sum / 200;
        };
        const std::tuple<const char*, double, double> rows[] = {
            {"ghvb", 1, 1.00}, {"ghvb", 2, 1.99}, {"ghvb", 1.8, 1.99}, {"ghvb", 1.5, 1.97},
            {"hb", 0.8, 1.00}, {"ghvb", 4, 3.85}, {"ghvb", 3.8, 3.83}};
        for (const auto& [kind, momentum, published] : rows) {
            const Params params = {{"momentum_number", momentum}, {"kind", text(kind)}};
            const double slope = std::log2(error(params, 800) / error(params, 1600));
            qInfo("%s %.1f: slope %.2f (published check %.2f)", kind, momentum, slope, published);
            QVERIFY(std::abs(slope - published) < 0.15);
        }
    }
    // Heek et al. 2024 on sixteen modes in 256 dimensions, cosine process: spread within a mode, of which 0.5 is true.
    // Published check: 8 steps DDIM 0.417 and aDDIM 0.497; 4 steps 0.351 and 0.477.
    void addimRestoresSpread() {
        constexpr int dimensions = 256, particles = 200;
        std::vector<double> means(16 * dimensions), normals(particles * dimensions);
        Tensor z(cpu(), Shape{216, dimensions}, DType::F64);
        std::vector<kernels::NoiseAddress> addresses;
        for (int i = 0; i < 216; ++i) addresses.push_back({3, std::uint32_t(i), 0, 0});
        cpu().normal(addresses, z);
        const auto v = download(z).toDoubles();
        for (std::size_t i = 0; i < means.size(); ++i) means[i] = 0.7 * v[i];
        for (std::size_t i = 0; i < normals.size(); ++i) normals[i] = v[means.size() + i];
        const Mixture modes(dimensions, means, std::vector<double>(16, 0.25));
        const Process vp = Process::vpLinear(1000, 1e-4, 0.02);
        const Estimator estimator = mixtureEstimator(vp, modes);
        const auto spread = [&](const char* sampler, int steps) {
            std::vector<double> levels;
            for (int i = 0; i <= steps; ++i)
                levels.push_back(i == steps ? 0 : std::tan(M_PI / 2 * 0.999 * (steps - i) / steps));
            auto y = normals;
            for (double& e : y) e *= std::hypot(1, levels[0]);
            const auto x = solve(*findSampler(sampler), vp, levels,
                                 upload(cpu(), HostTensor::fromDoubles({particles, dimensions}, y)), {}, estimator)
                               .values();
            double sum = 0;
            for (int r = 0; r < particles; ++r) {
                double nearest = 1e300;
                for (int m = 0; m < 16; ++m) {
                    double d2 = 0;
                    for (int i = 0; i < dimensions; ++i)
                        d2 += std::pow(x[std::size_t(r * dimensions + i)] - means[std::size_t(m * dimensions + i)], 2);
                    nearest = std::min(nearest, d2);
                }
                sum += nearest;
            }
            return std::sqrt(sum / particles / dimensions);
        };
        const std::tuple<int, double, double> rows[] = {{8, 0.417, 0.497}, {4, 0.351, 0.477}};
        for (const auto& [steps, ddim, addim] : rows) {
            const double a = spread("ddim", steps), b = spread("addim", steps);
            qInfo("%d steps: DDIM %.3f (%.3f), aDDIM %.3f (%.3f)", steps, a, ddim, b, addim);
            QVERIFY(std::abs(a - ddim) < 0.01 && std::abs(b - addim) < 0.01);
        }
    }
    // Corruptions keep the mean, keep constants, and blur has the deviation asked for.
    void corruptions() {
        std::vector<double> x(1 * 32 * 32 * 2, 0.0);
        x[(16 * 32 + 16) * 2] = 1;
        for (std::size_t i = 1; i < x.size(); i += 2) x[i] = 0.3;
        const Tensor image = upload(cpu(), HostTensor::fromDoubles({1, 32, 32, 2}, x));
        const auto blurred = download(corrupted(image, "blur", 2.0)).toDoubles(),
                   blocks = download(corrupted(image, "pixelate", 4)).toDoubles();
        double sum = 0, variance = 0;
        for (int r = 0; r < 32; ++r)
            for (int c = 0; c < 32; ++c) {
                const std::size_t i = std::size_t(r * 32 + c) * 2;
                sum += blurred[i];
                variance += blurred[i] * (r - 16) * (r - 16);
                QVERIFY(std::abs(blurred[i + 1] - 0.3) < 1e-14 && std::abs(blocks[i + 1] - 0.3) < 1e-14);
                QVERIFY(std::abs(blocks[i] - (r / 4 == 4 && c / 4 == 4 ? 1 / 16.0 : 0)) < 1e-15);
            }
        QVERIFY(std::abs(sum - 1) < 1e-12 && std::abs(variance - 4) < 0.02);
        QVERIFY_THROWS_EXCEPTION(
            Failure,
            corrupted(upload(cpu(), HostTensor::fromDoubles({4, 2}, std::vector<double>(8, 1.0))), "blur", 1.0));
    }
};

QTEST_GUILESS_MAIN(TestDeterministic)
#include "tst_deterministic.moc"
