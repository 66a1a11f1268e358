// The random rows of the Gaussian golden table with the noise of the program that made them: torch's CPU generator, seed 0; a Brownian tree for the DPM++ SDE family.
#include <QtTest>

#include "engine/sampling/noise/brownian_tree.h"
#include "engine/sampling/noise/torch_random.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

Tensor tensor(const Tensor& like, const std::vector<float>& v) { return upload(cpu(), HostTensor::fromDoubles(like.shape(), std::vector<double>(v.begin(), v.end()))); }

// One generator, drawn from in the order of the requests.
NoiseFunction torchNoise(std::uint64_t seed) {
    return [random = std::make_shared<noise::TorchCpuRandom>(seed)](const NoiseRequest&, const Tensor& like) {
        std::vector<float> v(std::size_t(like.count()));
        random->normals(v);
        return tensor(like, v);
    };
}
// One path from the first level to the last above clean.
NoiseFunction brownianNoise(const std::vector<double>& levels, std::uint64_t seed) {
    return [tree = std::make_shared<noise::BrownianNoise>(levels[levels.size() - 2], levels.front(), 256, seed)](const NoiseRequest& q, const Tensor& like) {
        return tensor(like, tree->between(q.from, q.to));
    };
}
bool usesBrownianTree(const QString& sampler) { return sampler.startsWith("dpmpp_") && sampler.contains("_sde") || sampler == "dpmpp_sde"; }

}  // namespace

class TestStochasticGolden : public QObject {
    Q_OBJECT
private slots:
    void golden_data() {
        QTest::addColumn<int>("row");
        const auto rows = gaussianRows();
        for (int i = 0; i < int(rows.size()); ++i)
            if (rows[std::size_t(i)].random) QTest::addRow("%s %s", qPrintable(rows[std::size_t(i)].space), qPrintable(rows[std::size_t(i)].sampler)) << i;
    }
    // Sum and elements within 1e-5 of the table's, elements measured by the mean size of one (the table is of single precision and has seven decimals).
    void golden() {
        QFETCH(int, row);
        const GoldenRow want = gaussianRows()[std::size_t(row)];
        const SamplerInfo* info = findSampler(want.sampler.toStdString());
        QVERIFY(info);
        const GoldenProblem problem = goldenProblem(want.space);
        const auto go = [&](const Process& process, const Params& params) {
            const NoiseFunction noise = usesBrownianTree(want.sampler) ? brownianNoise(problem.levels, 0) : torchNoise(0);
            const auto solution = solve(*info, process, problem.levels, problem.start, params, oracleEstimator(*info, process), noise);
            const Summary got = summary(solution.values());
            const double size = want.sumAbs / 256;
            const double worst = std::max({std::abs(got.sumAbs / want.sumAbs - 1), std::abs(got.first - want.first) / size, std::abs(got.second - want.second) / size, std::abs(got.last - want.last) / size});
            qInfo("%s: %.1e, %d evaluations  %.7f %.7f %.7f %.7f", QTest::currentDataTag(), worst, solution.requests, got.sumAbs, got.first, got.second, got.last);
            return std::pair(worst, solution.requests);
        };
        const auto [worst, requests] = go(problem.process, {});
        if (qEnvironmentVariableIsSet("SA") && want.sampler.startsWith("sa_solver")) {
            if (want.space == "ve") go(Process::vpScaledLinear(1000, 0.00085, 0.012), {});
            go(problem.process, {{"tau_start", 0.2001}});
            go(problem.process, {{"tau_end", 0.7999}});
            go(problem.process, {{"tau_start", 0.2001}, {"tau_end", 0.7999}});
            go(problem.process, {{"time_shift", 1.0}});
        }
        QVERIFY(worst < 1e-5);
        QCOMPARE(requests, want.evaluations);
    }
};

QTEST_GUILESS_MAIN(TestStochasticGolden)
#include "tst_stochastic_golden.moc"
