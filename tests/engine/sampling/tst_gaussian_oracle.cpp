// Every sampler against the values that other programs get on the exact Gaussian (tests/golden/gaussian_oracle.tsv; the problem is in oracle_bench.h).
#include <QtTest>

#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

// Rows whose sampler is not in the table yet. Must become empty.
const QStringList missing = {};

// Golden name → our id and parameters, where they are not the name itself with its defaults.
struct Dialect {
    const char *golden, *id;
    Params params = {};
};
const std::vector<Dialect> dialects = {};

// Rows that single precision decides: their own program gives other values when its rounding changes. dpm_adaptive measures the error of its first steps, 2·10⁻⁹ in exact
// arithmetic, as 2·10⁻⁷ of rounding noise, and chooses all later steps from it; single-precision emulations of its rule that differ in the order of operations scatter
// over 93.858 … 93.902 around the row's 93.865. Evaluations are equal.
double toleranceOf(const GoldenRow& row) { return row.sampler == "dpm_adaptive" ? 5e-4 : 1e-5; }

// Noise of random rows, seed 0 on the CPU. Empty while the noise sources are not there: then random rows are skipped by name.
NoiseFunction goldenNoise(const GoldenRow&, const GoldenProblem&) { return {}; }

Dialect dialectOf(const GoldenRow& row) {
    for (const auto& d : dialects)
        if (row.sampler == d.golden) return d;
    return {nullptr, nullptr, {}};
}

}  // namespace

class TestGaussianOracle : public QObject {
    Q_OBJECT
private slots:
    void golden_data() {
        QTest::addColumn<int>("row");
        const auto rows = gaussianRows();
        QCOMPARE(rows.size(), std::size_t(62));
        for (int i = 0; i < int(rows.size()); ++i) QTest::addRow("%s %s", qPrintable(rows[std::size_t(i)].space), qPrintable(rows[std::size_t(i)].sampler)) << i;
    }
    void golden() {
        QFETCH(int, row);
        const GoldenRow want = gaussianRows()[std::size_t(row)];
        const Dialect dialect = dialectOf(want);
        const std::string id = dialect.id ? dialect.id : want.sampler.toStdString();
        const SamplerInfo* info = findSampler(id);
        QVERIFY2(bool(info) != missing.contains(want.sampler), "the list of missing samplers is out of date");
        if (!info) QSKIP("not in the table yet");
        const GoldenProblem problem = goldenProblem(want.space);
        const NoiseFunction noise = goldenNoise(want, problem);
        if (want.random && !noise) QSKIP("no noise source yet");
        const auto solution = solve(*info, problem.process, problem.levels, problem.start, dialect.params, oracleEstimator(*info, problem.process), noise);
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
            if (row.random || !info || info->unconditional || dialectOf(row).id) continue;
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
