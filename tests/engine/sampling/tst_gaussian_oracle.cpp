// Every deterministic sampler against the values that other programs get on the exact Gaussian (tests/golden/gaussian_oracle.tsv; the problem is in oracle_bench.h).
// The random rows, which need those programs' noise, are in tst_stochastic_golden.
#include <QtTest>

#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

// Rows that single precision decides: their own program gives other values when its rounding changes. dpm_adaptive measures the error of its first steps, 2·10⁻⁹ in exact
// arithmetic, as 2·10⁻⁷ of rounding noise, and chooses all later steps from it; single-precision emulations of its rule that differ in the order of operations scatter
// over 93.858 … 93.902 around the row's 93.865. Evaluations are equal.
double toleranceOf(const GoldenRow& row) { return row.sampler == "dpm_adaptive" ? 5e-4 : 1e-5; }

}  // namespace

class TestGaussianOracle : public QObject {
    Q_OBJECT
private slots:
    void golden_data() {
        QTest::addColumn<int>("row");
        const auto rows = gaussianRows();
        QCOMPARE(rows.size(), std::size_t(62));
        for (int i = 0; i < int(rows.size()); ++i)
            if (!rows[std::size_t(i)].random) QTest::addRow("%s %s", qPrintable(rows[std::size_t(i)].space), qPrintable(rows[std::size_t(i)].sampler)) << i;
    }
    void golden() {
        QFETCH(int, row);
        const GoldenRow want = gaussianRows()[std::size_t(row)];
        const SamplerInfo* info = findSampler(want.sampler.toStdString());
        QVERIFY2(info, "there is no such sampler");
        const GoldenProblem problem = goldenProblem(want.space);
        const auto solution = solve(*info, problem.process, problem.levels, problem.start, {}, oracleEstimator(*info, problem.process));
        const Summary got = summary(solution.values());
        const double difference = worst(got, want);
        qInfo("%s: relative difference %.1e, %d evaluations", QTest::currentDataTag(), difference, solution.requests);
        QVERIFY2(difference < toleranceOf(want), qPrintable(QString("%1 %2 %3 %4").arg(got.sumAbs, 0, 'g', 9).arg(got.first, 0, 'g', 9).arg(got.second, 0, 'g', 9).arg(got.last, 0, 'g', 9)));
        QCOMPARE(solution.requests, want.evaluations);
    }
    // The RMS column of the deterministic rows is the error against the exact flow: the bench's own closed form agrees.
    void errorsAreThoseOfTheExactFlow() {
        for (const auto& row : gaussianRows()) {
            const SamplerInfo* info = findSampler(row.sampler.toStdString());
            if (row.random || !info || info->unconditional || toleranceOf(row) > 1e-5) continue;
            const auto problem = goldenProblem(row.space);
            const auto got = solve(*info, problem.process, problem.levels, problem.start, {}, oracleEstimator(*info, problem.process)).values();
            const auto exact = download(exactFlow(oraclePair.conditional, problem.process, problem.start, problem.levels.front(), 0)).toDoubles();
            double sum = 0;
            for (std::size_t i = 0; i < got.size(); ++i) sum += (got[i] - exact[i]) * (got[i] - exact[i]);
            const double rms = std::sqrt(sum / double(got.size()));
            QVERIFY2(std::abs(rms / row.rms - 1) < 2e-3 + 1e-6 / row.rms, qPrintable(QString("%1 %2: %3").arg(row.space, row.sampler).arg(rms)));
        }
    }
};

QTEST_GUILESS_MAIN(TestGaussianOracle)
#include "tst_gaussian_oracle.moc"
