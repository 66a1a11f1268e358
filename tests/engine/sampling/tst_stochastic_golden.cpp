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
// The tree rounds times to six decimals, and a Brownian path moves by √Δt: the last bit of a level of single precision shows in the third decimal of the noise. These are
// the levels of the problem as that program computes them, and the inner levels of dpmpp_sde.
const std::vector<float> singleLevels = {14.614643096923828f, 9.102933883666992f, 5.478399276733398f,  3.168609380722046f,  1.7494219541549683f,
                                         0.9140757918357849f, 0.4469204545021057f, 0.20139972865581512f, 0.08191098272800446f, 0.029167499393224716f};
const std::vector<float> singleMiddles = {11.53412914276123f,  7.06183385848999f,  4.166402339935303f, 2.354407548904419f, 1.264556884765625f,
                                          0.6391550302505493f, 0.3000161051750183f, 0.12844008207321167f, 0.04887881875038147f};
double single(double tau) {
    for (const auto* list : {&singleLevels, &singleMiddles})
        for (float f : *list)
            if (std::abs(f / tau - 1) < 1e-5) return f;
    return tau;
}
// One path from the first level to the last above clean.
NoiseFunction brownianNoise(const std::vector<double>& levels, std::uint64_t seed) {
    return [tree = std::make_shared<noise::BrownianNoise>(single(levels[levels.size() - 2]), single(levels.front()), 256, seed)](const NoiseRequest& q, const Tensor& like) {
        return tensor(like, tree->between(single(q.from), single(q.to)));
    };
}
bool usesBrownianTree(const QString& sampler) { return sampler.startsWith("dpmpp_") && sampler.contains("sde"); }

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
        const NoiseFunction noise = usesBrownianTree(want.sampler) ? brownianNoise(problem.levels, 0) : torchNoise(0);
        const auto solution = solve(*info, problem.process, problem.levels, problem.start, {}, oracleEstimator(*info, problem.process), noise);
        const Summary got = summary(solution.values());
        const double size = want.sumAbs / 256;
        const double worst = std::max({std::abs(got.sumAbs / want.sumAbs - 1), std::abs(got.first - want.first) / size, std::abs(got.second - want.second) / size, std::abs(got.last - want.last) / size});
        qInfo("%s: %.1e, %d evaluations  %.7f %.7f %.7f %.7f", QTest::currentDataTag(), worst, solution.requests, got.sumAbs, got.first, got.second, got.last);
        QVERIFY(worst < 1e-5);
        QCOMPARE(solution.requests, want.evaluations);
    }
};

QTEST_GUILESS_MAIN(TestStochasticGolden)
#include "tst_stochastic_golden.moc"
