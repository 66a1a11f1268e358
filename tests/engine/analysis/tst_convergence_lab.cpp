// The convergence laboratory: fits with known answers, problems with known truths, matrices at equal cost.
#include <QtTest>
#include <cmath>

#include "engine/analysis/convergence_lab.h"
#include "engine/sampling/solve.h"
#include "engine/schedule/schedule.h"

using namespace meander;

class TestConvergenceLab : public QObject {
    Q_OBJECT
private:
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

private slots:
    void fits() {
        const std::vector<double> n = {10, 20, 40, 80};
        std::vector<double> exact;
        for (double v : n) exact.push_back(3 * std::pow(v, -2.0));
        const OrderFit clean = fitOrder(n, exact);
        QVERIFY(std::abs(clean.order - 2) < 1e-12 && std::abs(clean.factor - 3) < 1e-10
                && clean.high - clean.low < 1e-9);
        QCOMPARE(clean.points, 4);
        // log2 errors 0, −1, −1.9, −3.3 against log2 n 0, 1, 2, 3: slope −1.08, residuals ±; t(0.975, 2) = 4.302653,
        // standard error √(0.098/2/5).
        std::vector<double> rough;
        for (double e : {0.0, -1.0, -1.9, -3.3}) rough.push_back(std::pow(2, e));
        const OrderFit fit = fitOrder(n, rough);
        const std::vector<double> x = {0, 1, 2, 3}, y = {0, -1, -1.9, -3.3};
        double rest = 0;
        for (int i = 0; i < 4; ++i) rest += std::pow(y[std::size_t(i)] + 1.55 + 1.08 * (x[std::size_t(i)] - 1.5), 2);
        const double half = 4.302652729696142 * std::sqrt(rest / 2 / 5);
        QVERIFY2(std::abs(fit.order - 1.08) < 1e-12, qPrintable(QString::number(fit.order)));
        QVERIFY2(std::abs(fit.high - fit.order - half) < 1e-9 && std::abs(fit.order - fit.low - half) < 1e-9,
                 qPrintable(QString("%1 %2").arg(fit.high - fit.order).arg(half)));
        QVERIFY(fitOrder(n, rough, 0.5).high < fit.high);
        // Rounding floors and failures do not count.
        QCOMPARE(fitOrder(n, std::vector<double>{1e-3, 1e-4, 1e-16, NAN}).points, 2);
        QVERIFY(std::isnan(fitOrder(n, std::vector<double>{1, 0, 0, 0}).order));
    }
    void stepsWithinABudget() {
        QCOMPARE(stepsWithin(*findSampler("euler"), {}, 10), 10);
        QCOMPARE(stepsWithin(*findSampler("heun"), {}, 10), 5);  // 2·5 − 1
        QCOMPARE(stepsWithin(*findSampler("heun"), {}, 1), 1);
        QCOMPARE(stepsWithin(*findSampler("rk4"), *resolveParams(findSampler("rk4")->params, {}, ""), 3) <= 1, true);
    }
    // The two kinds of truth agree where both exist: a Gaussian and the same Gaussian as a mixture of two equal ones.
    // The second ends with the model's own estimate at its lowest level σ, as samplers do, and not with the flow from
    // there to 0: s u/√(s² + σ²) s in place of s u.
    void truths() {
        for (const char* process : {"edm", "vp-linear", "flow"}) {
            auto exact = *loadModel(std::string("analytic:gaussian?d=2&mean=0.4&eigenvalues=0.36&process=") + process,
                                    *m_backend);
            auto twin =
                *loadModel(std::string("analytic:ring8?modes=2&radius=0&width=0.6&process=") + process, *m_backend);
            const auto a = labProblem(*exact, *m_backend, 20), b = labProblem(*twin, *m_backend, 20, 1, {}, 1600);
            QCOMPARE(a.reference, std::string("exact flow"));
            QCOMPARE(b.reference, std::string("Runge–Kutta, 1600 steps"));
            // The ring is at the origin: shift by what the mean adds, which is what the flow of the mean adds to every
            // path.
            auto centred =
                *loadModel(std::string("analytic:gaussian?d=2&mean=0&eigenvalues=0.36&process=") + process, *m_backend);
            const auto c = labProblem(*centred, *m_backend, 20);
            const Process& p = c.process;
            const double lowest = p.sigma(p.minimum()), kept = 0.6 / std::hypot(0.6, lowest);
            double worst = 0, jump = 0;
            for (std::size_t i = 0; i < c.truth.size(); ++i) {
                worst = std::max(worst, std::abs(c.truth[i] * kept - b.truth[i]));
                jump = std::max(jump, std::abs(c.truth[i] - b.truth[i]));
            }
            qInfo("%s: the references differ by %.1e after the jump of %.1e", process, worst, jump);
            QVERIFY2(worst < 1e-8, qPrintable(QString::number(worst)));
        }
        QVERIFY_THROWS_EXCEPTION(Failure, labProblem(**loadModel("analytic:sphere", *m_backend), *m_backend, 4));
    }
    // Orders of the laboratory's own cells on the exact Gaussian: the schedule ends at the model's lowest level
    // whatever the steps.
    void matrix() {
        auto model = *loadModel("analytic:gaussian2?process=flow", *m_backend);
        const auto problem = labProblem(*model, *m_backend, 30);
        const auto cells = convergenceMatrix(problem,
                                             {{"euler", {}},
                                              {"heun", {}},
                                              {"no_such", {}},
                                              {"ddim_inversion", {}},
                                              {"dpm_adaptive", {}},
                                              {"euler_ancestral", {}}},
                                             {{"uniform_t", {}}, {"model_steps", {}}}, {20, 40, 80});
        QCOMPARE(cells.size(), std::size_t(6 * 2 * 3));
        const auto of = [&](const char* sampler, const char* schedule) {
            std::vector<LabCell> list;
            for (const auto& c : cells)
                if (c.sampler == sampler && c.schedule == schedule) list.push_back(c);
            return list;
        };
        for (const auto& c : of("euler", "uniform_t")) {
            QVERIFY2(c.problem.empty(), c.problem.c_str());
            QCOMPARE(c.evaluations, c.budget);
            QVERIFY(c.secondsOfModel >= 0 && c.secondsOfSampler >= 0);
        }
        for (const auto& c : of("heun", "uniform_t")) {
            QVERIFY(c.evaluations <= c.budget && c.evaluations >= c.budget - 2);
            QCOMPARE(c.steps, c.budget / 2);
        }
        const auto fit = [&](const char* sampler) { return orderOf(of(sampler, "uniform_t")); };
        const OrderFit first = fit("euler"), second = fit("heun");
        qInfo("Euler %.2f [%.2f, %.2f], Heun %.2f [%.2f, %.2f]", first.order, first.low, first.high, second.order,
              second.low, second.high);
        QVERIFY(std::abs(first.order - 1) < 0.15);
        QVERIFY(second.order > first.order);
        for (const auto& c : of("no_such", "uniform_t")) QVERIFY(!c.problem.empty() && std::isnan(c.error));
        for (const auto& c : of("dpm_adaptive", "uniform_t"))
            QVERIFY(c.problem.find("its own steps") != std::string::npos);
        // Drawn noise leaves the path of the flow: there is an error, and no order of it.
        for (const auto& c : of("euler_ancestral", "uniform_t"))
            QVERIFY(c.problem.empty() && c.drawsNoise && c.error > 0);
        QCOMPARE(fit("euler_ancestral").points, 0);
        for (const auto& c : of("ddim_inversion", "uniform_t"))
            QVERIFY(c.problem.find("noise to data") != std::string::npos);
    }
    // A run that ends above 0 is compared with the exact paths at its own end, in closed form and by Runge–Kutta.
    void runsThatEndAboveClean_data() {
        QTest::addColumn<QString>("model");
        QTest::newRow("closed form") << "analytic:gaussian2?process=edm";
        QTest::newRow("reference") << "analytic:ring8?process=edm";
    }
    void runsThatEndAboveClean() {
        QFETCH(QString, model);
        auto loaded = *loadModel(model.toStdString(), *m_backend);
        const auto problem = labProblem(*loaded, *m_backend, 20, 1, {}, 600);
        std::vector<double> levels;
        for (int k = 0; k <= 80; ++k) levels.push_back(80 * std::pow(0.5 / 80, k / 80.0));
        const auto x =
            solve(*findSampler("rk4"), problem.process, levels, problem.start, {}, problem.estimator).values();
        const auto exact = problem.truthAt(0.5);
        QCOMPARE(x.size(), exact.size());
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - exact[i]) * (x[i] - exact[i]);
        const double error = std::sqrt(sum / double(x.size()));
        qInfo("error %.2e at the level 0.5", error);
        QVERIFY2(error < 1e-4, qPrintable(QString::number(error)));
        QVERIFY(problem.truthAt(0) == problem.truth);
    }
    // A consistency model gives no velocity, so there is no path to converge to: the lab says so, as the likelihood
    // does.
    void distilledModel() {
        auto model = *loadModel("analytic:gaussian2?process=edm&distilled=trajectory", *m_backend);
        try {
            labProblem(*model, *m_backend, 30);
            QFAIL("a model without a velocity was measured");
        } catch (const Failure& e) {
            QVERIFY2(std::string(e.what()).find("does not give the velocity") != std::string::npos, e.what());
        }
    }
};

QTEST_GUILESS_MAIN(TestConvergenceLab)
#include "tst_convergence_lab.moc"
