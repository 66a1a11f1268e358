// Log-likelihood along the probability flow against the closed form of exact models, and what its parts must do.
#include <QtTest>
#include <cmath>

#include "engine/analysis/convergence_lab.h"
#include "engine/analysis/likelihood.h"

using namespace meander;

class TestLikelihood : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    struct Problem {
        std::unique_ptr<Model> model;
        Tensor y;
        RequestEstimator estimator;
        std::vector<double> exact;
        const Process& process() const { return model->info().process; }
        // The model's own density at a level, in integration coordinates.
        std::vector<double> density(const Tensor& at, double tau) const {
            auto log = model->logDensity(download(combine({{process().nativeScale(tau), at}})), tau, {{}, {}, true});
            for (double& v : log) v += double(at.shape().rowCount()) * std::log(process().nativeScale(tau));
            return log;
        }
    };
    Problem problem(const QString& id, int points = 12) {
        Problem p;
        auto loaded = loadModel(id.toStdString(), *m_backend);
        if (!loaded) qFatal("%s", loaded.error().text.c_str());
        p.model = std::move(*loaded);
        const double low = lowestLevel(p.process(), {});
        p.y = combine({{p.process().signal(low),
                        upload(*m_backend, p.model->drawData(points, 3, {{}, {}, true})).converted(DType::F64)}});
        p.estimator = modelEstimator(*p.model, {{}, {}, true});
        p.exact = p.model->logDensity(download(combine({{p.process().nativeScale(low), p.y}})), low, {{}, {}, true});
        return p;
    }
    static double worst(const std::vector<double>& a, const std::vector<double>& b) {
        double d = a.size() == b.size() ? 0 : INFINITY;
        for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) d = std::max(d, std::abs(a[i] - b[i]));
        return d;
    }
    Likelihood solved(const Problem& p, int steps, int probes = 0, std::uint64_t seed = 1) {
        LikelihoodOptions o;
        o.steps = steps;
        o.probes = probes;
        o.seed = seed;
        o.prior = [&](const Tensor& y, double tau) { return p.density(y, tau); };
        return logLikelihood(p.process(), p.estimator, p.y, o);
    }
    void models() {
        QTest::addColumn<QString>("id");
        for (const char* model : {"gaussian2", "ring8"})
            for (const char* process : {"edm", "sd15", "flow"})
                QTest::addRow("%s %s", model, process) << QString("analytic:%1?process=%2").arg(model, process);
    }

private slots:
    // Hostile numbers end with a sentence, at once.
    void endsOnHostileNumbers() {
        const Problem p = problem("analytic:ring8?process=edm", 2);
        LikelihoodOptions o;
        int asked = 0;
        const RequestEstimator estimator = [&](const DenoiseRequest& q) {
            ++asked;
            return p.estimator(q);
        };
        for (const double bad : {1e308, double(INFINITY), double(NAN)}) {
            asked = 0;
            o.steps = 100'000;
            const Tensor y = upload(*m_backend, HostTensor::fromDoubles({1, 2}, std::vector<double>{bad, bad}));
            QVERIFY_THROWS_EXCEPTION(Failure, logLikelihood(p.process(), estimator, y, o));
            QVERIFY2(asked < 5'000, qPrintable(QString("%1 evaluations for %2").arg(asked).arg(bad)));
        }
        // What would take years.
        o.probes = 100'000;
        const Tensor many(*m_backend, {100'000, 2}, DType::F64);
        QVERIFY_THROWS_EXCEPTION(Failure, logLikelihood(p.process(), estimator, many, o));
    }
    void outOfRange() {
        const Problem p = problem("analytic:gaussian2?process=edm", 2);
        for (const double low : {-1.0, 0.0, 1e-300, 1e6, double(INFINITY), double(NAN)})
            QVERIFY_THROWS_EXCEPTION(Failure, logLikelihood(p.process(), p.estimator, p.y, {.low = low, .steps = 2}));
        for (const double d : {-1.0, 0.0, 1e-300, 2.0, double(NAN)})
            QVERIFY_THROWS_EXCEPTION(Failure,
                                     logLikelihood(p.process(), p.estimator, p.y, {.steps = 2, .difference = d}));
        const RequestEstimator broken = [](const DenoiseRequest& q) {
            return DenoiseResult{combine({{NAN, q.x}}), {}, {}};
        };
        QVERIFY_THROWS_EXCEPTION(Failure, logLikelihood(p.process(), broken, p.y, {.steps = 2}));
    }
    // With the exact density of the noise reached only the integration is wrong: little, and by the fourth power of the
    // step.
    void closedForm_data() { models(); }
    void closedForm() {
        QFETCH(QString, id);
        const Problem p = problem(id);
        const double coarse = worst(solved(p, 100).logDensity, p.exact),
                     fine = worst(solved(p, 200).logDensity, p.exact),
                     finest = worst(solved(p, 400).logDensity, p.exact);
        qInfo("%s: %.2e, %.2e, %.2e", qPrintable(id), coarse, fine, finest);
        QVERIFY(finest < 2e-6);
        QVERIFY(std::log2(coarse / fine) > 3.5 || fine < 1e-7);
    }
    // The Gaussian that noise is drawn from differs from the true marginal of the highest level, and by exactly that
    // much the likelihood differs.
    void gaussianPrior_data() { models(); }
    void gaussianPrior() {
        QFETCH(QString, id);
        const Problem p = problem(id);
        const Likelihood exact = solved(p, 50), plain = logLikelihood(p.process(), p.estimator, p.y, {.steps = 50});
        QCOMPARE(download(plain.latent).toDoubles(), download(exact.latent).toDoubles());
        const auto y = download(plain.latent).toDoubles();
        const double tau = p.process().maximum();
        for (std::size_t r = 0; r < plain.prior.size(); ++r) {
            const double log =
                -(y[2 * r] * y[2 * r] + y[2 * r + 1] * y[2 * r + 1]) / (2 * tau * tau) - std::log(2 * M_PI * tau * tau);
            QVERIFY(std::abs(plain.prior[r] - log) < 1e-12 * (1 + std::abs(log)));
            QVERIFY(std::abs(plain.logDensity[r] - exact.logDensity[r] - (plain.prior[r] - exact.prior[r])) < 1e-11);
        }
    }
    // Random signs: their mean is the trace. A diagonal Jacobian gives it from a single one; on the ring its error
    // falls as one over the root of their number.
    void randomSigns() {
        const Problem gaussian = problem("analytic:gaussian2?process=edm");
        QVERIFY(worst(solved(gaussian, 60, 1).logDensity, solved(gaussian, 60).logDensity) < 1e-6);
        const Problem ring = problem("analytic:ring8?process=edm", 200);
        const auto exact = solved(ring, 40).logDensity;
        const auto rms = [&](int probes) {
            const auto got = solved(ring, 40, probes, 5).logDensity;
            double sum = 0, bias = 0;
            for (std::size_t i = 0; i < got.size(); ++i) {
                sum += std::pow(got[i] - exact[i], 2) / double(got.size());
                bias += (got[i] - exact[i]) / double(got.size());
            }
            if (std::abs(bias) > 4 * std::sqrt(sum / double(got.size()))) qFatal("biased by %g", bias);
            return std::sqrt(sum);
        };
        const double one = rms(1), many = rms(16);
        qInfo("root mean square error: %.4f with one direction, %.4f with 16", one, many);
        QVERIFY(one > 0.01);
        QVERIFY(std::abs(one / many / 4 - 1) < 0.3);
    }
};

QTEST_GUILESS_MAIN(TestLikelihood)
#include "tst_likelihood.moc"
