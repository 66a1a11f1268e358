// The order of convergence that each deterministic sampler claims, measured on the exact Gaussian and an exact mixture
// under every process (engine/analysis/convergence.h, the source of the table in the help).
#include <QtTest>

#include "engine/analysis/convergence.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;

class TestConvergence : public QObject {
    Q_OBJECT
    std::vector<ConvergenceProblem> m_problems;
    std::vector<ConvergenceCase> m_cases;

private slots:
    void initTestCase() {
        m_problems = convergenceProblems(bench::cpu());
        m_cases = convergenceCases();
        QCOMPARE(m_problems.size(), std::size_t(6));
    }
    void everySolverIsMeasured() {
        const std::vector<std::string> otherwise = {"dopri5", "dpm_adaptive",  // by tolerance, below
                                                    "addim", "time_shift"};    // change the ODE on purpose
        for (const auto& s : samplers()) {
            if (s.stochastic || s.inverts || s.order == 0) continue;
            const bool isThere =
                std::any_of(m_cases.begin(), m_cases.end(), [&](const auto& c) { return c.sampler == s.id; });
            QVERIFY2(isThere != (std::find(otherwise.begin(), otherwise.end(), s.id) != otherwise.end()), s.id.c_str());
        }
    }
    void order_data() {
        QTest::addColumn<int>("problem");
        QTest::addColumn<int>("row");
        const auto cases = convergenceCases();
        const char* problems[] = {"VE Gaussian", "VE mixture",    "VP Gaussian",
                                  "VP mixture",  "flow Gaussian", "flow mixture"};
        for (int p = 0; p < 6; ++p)
            for (int c = 0; c < int(cases.size()); ++c)
                QTest::addRow("%s %s", problems[p], cases[std::size_t(c)].label().c_str()) << p << c;
    }
    void order() {
        QFETCH(int, problem);
        QFETCH(int, row);
        const auto& c = m_cases[std::size_t(row)];
        const Convergence r = measureConvergence(c, m_problems[std::size_t(problem)]);
        qInfo("%s: %.2e %.2e %.2e %.2e %.2e %.2e order %.2f of %.0f", QTest::currentDataTag(), r.errors[0], r.errors[1],
              r.errors[2], r.errors[3], r.errors[4], r.errors[5], r.order, c.order);
        QVERIFY2(r.order > c.order - 0.2, qPrintable(QString("order %1 of %2").arg(r.order).arg(c.order)));
    }
    // The third-order term as published has half its weight: second order, where the whole weight is third order as
    // long as the start's error is small.
    void publishedThirdOrderTerm() {
        const auto with = [&](const char* term) {
            return measureConvergence({"dpm_multistep",
                                       {{"order", std::int64_t(3)}, {"third_order", std::string(term)}},
                                       3,
                                       {40, 80, 160}},
                                      m_problems[0])
                .order;
        };
        QVERIFY2(with("exact") > 2.7 && with("published") < 2,
                 qPrintable(QString("%1 %2").arg(with("exact")).arg(with("published"))));
    }
    // A tolerance ten times smaller costs evaluations and buys accuracy: error · evaluations^order stays bounded, so
    // log error falls by at least order − 1 times log evaluations over three decades.
    void tolerance_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<int>("problem");
        for (const char* id : {"dopri5", "dpm_adaptive"})
            for (int p = 0; p < 6; ++p) QTest::addRow("%s %d", id, p) << id << p;
    }
    void tolerance() {
        QFETCH(QString, sampler);
        QFETCH(int, problem);
        const auto& info = *findSampler(sampler.toStdString());
        const auto at = [&](double rtol) {
            return measureConvergence({info.id, {{"rtol", rtol}, {"atol", rtol / 10}}, 1, {20}},
                                      m_problems[std::size_t(problem)]);
        };
        const Convergence loose = at(1e-3), tight = at(1e-6);
        const double order =
            std::log(loose.errors[0] / tight.errors[0]) / std::log(double(tight.evaluations[0]) / loose.evaluations[0]);
        qInfo("%s: %.2e with %d, %.2e with %d evaluations, order %.2f", QTest::currentDataTag(), loose.errors[0],
              loose.evaluations[0], tight.errors[0], tight.evaluations[0], order);
        QVERIFY(order > info.order - 0.5);
        QVERIFY2(loose.errors[0] < 20e-3 && tight.errors[0] < 20e-6, "the error is not near the tolerance");
    }
};

QTEST_GUILESS_MAIN(TestConvergence)
#include "tst_convergence.moc"
