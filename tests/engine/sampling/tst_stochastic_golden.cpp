// The random rows of the Gaussian golden table with the noise of the program that made them: torch's CPU generator,
// seed 0; a Brownian tree for the DPM++ SDE family.
#include <QtTest>

#include "engine/sampling/noise/brownian_tree.h"
#include "engine/sampling/noise/torch_random.h"
#include "engine/schedule/schedule.h"
#include "tests/engine/sampling/oracle_bench.h"

using namespace meander;
using namespace meander::bench;

namespace {

Tensor tensor(const Tensor& like, const std::vector<float>& v) {
    return upload(cpu(), HostTensor::fromDoubles(like.shape(), std::vector<double>(v.begin(), v.end())))
        .converted(like.type());
}

// One generator, drawn from in the order of the requests.
NoiseFunction torchNoise(std::uint64_t seed) {
    return [random = std::make_shared<noise::TorchCpuRandom>(seed)](const NoiseRequest&, const Tensor& like) {
        std::vector<float> v(std::size_t(like.count()));
        random->normals(v);
        return tensor(like, v);
    };
}
// The tree rounds times to six decimals, and a Brownian path moves by √Δt: the last bit of a level of single precision
// shows in the third decimal of the noise. These are the levels of the problem as that program computes them; the
// schedule's single-precision dialect has them to the bit.
const std::vector<float> singleLevels = {14.614643096923828f,
                                         9.102933883666992f,
                                         5.478399276733398f,
                                         3.168609380722046f,
                                         1.7494219541549683f,
                                         0.9140757918357849f,
                                         0.4469204545021057f,
                                         0.20139972865581512f,
                                         0.08191098272800446f,
                                         0.029167499393224716f,
                                         0};
// One path from the first level to the last above clean.
NoiseFunction brownianNoise(const std::vector<double>& levels, std::uint64_t seed) {
    return [tree = std::make_shared<noise::BrownianNoise>(levels[levels.size() - 2], levels.front(), 256, seed)](
               const NoiseRequest& q, const Tensor& like) { return tensor(like, tree->between(q.from, q.to)); };
}
bool usesBrownianTree(const QString& sampler) { return sampler.startsWith("dpmpp_") && sampler.contains("sde"); }

}  // namespace

class TestStochasticGolden : public QObject {
    Q_OBJECT
private slots:
    void singlePrecisionLevels() {
        const auto levels = *makeSchedule("karras", goldenProblem("ve").process, 10,
                                          {{"max", sigmaMax}, {"min", sigmaMin}, {"dialect", std::string("single")}});
        QVERIFY(levels == std::vector<double>(singleLevels.begin(), singleLevels.end()));
    }
    void golden_data() {
        QTest::addColumn<int>("row");
        QTest::addColumn<bool>("single");
        const auto rows = gaussianRows();
        for (int i = 0; i < int(rows.size()); ++i)
            for (bool single : {false, true})
                if (rows[std::size_t(i)].random)
                    QTest::addRow("%s %s %s", qPrintable(rows[std::size_t(i)].space),
                                  qPrintable(rows[std::size_t(i)].sampler), single ? "f32" : "f64")
                        << i << single;
    }
    // Sum and elements within 1e-5 of the table's, elements measured by the mean size of one (the table is of single
    // precision and has seven decimals).
    void golden() {
        QFETCH(int, row);
        QFETCH(bool, single);
        const GoldenRow want = gaussianRows()[std::size_t(row)];
        const SamplerInfo* info = findSampler(want.sampler.toStdString());
        QVERIFY(info);
        GoldenProblem problem = goldenProblem(want.space, single ? DType::F32 : DType::F64);
        if (usesBrownianTree(want.sampler) && want.space == "ve")
            problem.levels = *makeSchedule("karras", problem.process, 10,
                                           {{"max", sigmaMax}, {"min", sigmaMin}, {"dialect", std::string("single")}});
        const NoiseFunction noise = usesBrownianTree(want.sampler) ? brownianNoise(problem.levels, 0) : torchNoise(0);
        const auto solution = solve(*info, problem.process, problem.levels, problem.start, {},
                                    oracleEstimator(*info, problem.process), noise);
        const Summary got = summary(solution.values());
        const double difference = worstBySize(got, want);
        qInfo("%s: %.1e, %d evaluations  %.7f %.7f %.7f %.7f", QTest::currentDataTag(), difference, solution.requests,
              got.sumAbs, got.first, got.second, got.last);
        QVERIFY(difference < 1e-5);
        QCOMPARE(solution.requests, want.evaluations);
    }
};

QTEST_GUILESS_MAIN(TestStochasticGolden)
#include "tst_stochastic_golden.moc"
