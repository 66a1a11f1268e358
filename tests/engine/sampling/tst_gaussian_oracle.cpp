// Every deterministic sampler against the values that other programs get on the exact Gaussian
// (tests/golden/gaussian_oracle.tsv; the problem is in oracle_bench.h). The random rows, which need those programs'
// noise, are in tst_stochastic_golden.
#include <QtTest>

#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

// dpm_adaptive chooses its steps by the measured difference of two results, whose third root counts. In exact
// arithmetic that of the first step is 2·10⁻⁹; in single precision it is the rounding of the state, 3·10⁻⁷, and the
// second's 4.7·10⁻⁷ stands over 1.2·10⁻⁷, which changes all later steps. The row is therefore checked in two parts:
// 1. In double precision against the published algorithm in double precision, computed independently.
constexpr Summary adaptiveInDouble{93.9020348245, 0.754956394374, 0.720189935161, 0.752274669955};
// 2. In single precision against the row, like every other. How near it lies is decided by the rounding of the states:
//    the program that made the row gets sums between 93.8472 and
//    93.8713 (a range of 2.6·10⁻⁴) when the last bits of the start change at random, so that another order of
//        operations may not be held to less than that.
}  // namespace

class TestGaussianOracle : public QObject {
    Q_OBJECT
private slots:
    void golden_data() {
        QTest::addColumn<int>("row");
        QTest::addColumn<bool>("single");
        const auto rows = gaussianRows();
        QCOMPARE(rows.size(), std::size_t(62));
        QCOMPARE(std::count_if(rows.begin(), rows.end(), [](const GoldenRow& r) { return r.random; }), 30);
        for (int i = 0; i < int(rows.size()); ++i)
            for (bool single : {false, true})
                if (!rows[std::size_t(i)].random)
                    QTest::addRow("%s %s %s", qPrintable(rows[std::size_t(i)].space),
                                  qPrintable(rows[std::size_t(i)].sampler), single ? "f32" : "f64")
                        << i << single;
    }
    void golden() {
        QFETCH(int, row);
        QFETCH(bool, single);
        const GoldenRow want = gaussianRows()[std::size_t(row)];
        const SamplerInfo* info = findSampler(want.sampler.toStdString());
        QVERIFY2(info, "there is no such sampler");
        const GoldenProblem problem = goldenProblem(want.space, single ? DType::F32 : DType::F64);
        const auto solution =
            solve(*info, problem.process, problem.levels, problem.start, {}, oracleEstimator(*info, problem.process));
        const Summary got = summary(solution.values());
        const bool adaptive = want.sampler == "dpm_adaptive";
        GoldenRow wanted = want;
        if (adaptive && !single) {
            wanted.sumAbs = adaptiveInDouble.sumAbs;
            wanted.first = adaptiveInDouble.first;
            wanted.second = adaptiveInDouble.second;
            wanted.last = adaptiveInDouble.last;
        }
        const double difference = worst(got, wanted), tolerance = adaptive && !single ? 1e-10 : 1e-5;
        qInfo("%s: relative difference %.1e, %d evaluations", QTest::currentDataTag(), difference, solution.requests);
        QVERIFY2(difference < tolerance, qPrintable(QString("%1 %2 %3 %4")
                                                        .arg(got.sumAbs, 0, 'g', 9)
                                                        .arg(got.first, 0, 'g', 9)
                                                        .arg(got.second, 0, 'g', 9)
                                                        .arg(got.last, 0, 'g', 9)));
        QCOMPARE(solution.requests, want.evaluations);
    }
    // The RMS column of the deterministic rows is the error against the exact flow: the bench's own closed form agrees.
    void errorsAreThoseOfTheExactFlow() {
        for (const auto& row : gaussianRows()) {
            const SamplerInfo* info = findSampler(row.sampler.toStdString());
            if (row.random || !info || info->unconditional || row.sampler == "dpm_adaptive") continue;
            const auto problem = goldenProblem(row.space);
            const auto got = solve(*info, problem.process, problem.levels, problem.start, {},
                                   oracleEstimator(*info, problem.process))
                                 .values();
            const auto exact =
                download(exactFlow(oraclePair.conditional, problem.process, problem.start, problem.levels.front(), 0))
                    .toDoubles();
            double sum = 0;
            for (std::size_t i = 0; i < got.size(); ++i) sum += (got[i] - exact[i]) * (got[i] - exact[i]);
            const double rms = std::sqrt(sum / double(got.size()));
            QVERIFY2(std::abs(rms / row.rms - 1) < 2e-3 + 1e-6 / row.rms,
                     qPrintable(QString("%1 %2: %3").arg(row.space, row.sampler).arg(rms)));
        }
    }
};

QTEST_GUILESS_MAIN(TestGaussianOracle)
#include "tst_gaussian_oracle.moc"
