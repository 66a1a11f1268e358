// U-Nets of every Stable Diffusion family against diffusers: small ones with random weights (tests/golden/unets), two
// rows at different times.
#include <QtTest>
#include <cmath>

#include "engine/models/architectures/architecture.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/models/trunk_check.h"

using namespace meander;

namespace {

HostTensor tensorIn(const WeightFile& file, const std::string& name) {
    const HostWeight w = file.read(name);
    return HostTensor::fromFloats(w.shape, w.floats());
}

// The largest difference, relative to the root mean square of the expected values.
double relativeDifference(const HostTensor& a, const HostTensor& b) {
    if (a.shape() != b.shape()) return 1e9;
    double worst = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        const double d = std::abs(a.at(i) - b.at(i));
        if (!std::isfinite(d)) return 1e9;
        worst = std::max(worst, d);
        square += b.at(i) * b.at(i);
    }
    return worst / std::sqrt(square / double(b.count()));
}

}  // namespace

class TestUNets : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    double difference(const QString& name, DType type) {
        const std::string path = MEANDER_SOURCE_DIR "/tests/golden/unets/" + name.toStdString() + ".safetensors";
        auto weights = FileWeights::open(path);
        if (!weights) qFatal("%s", weights.error().text.c_str());
        const WeightFile& file = (*weights)->files().front();
        const Json config = *parseJson(file.metadata().at("config"), "config");
        const auto times = parseJson(file.metadata().at("times"), "times")->get<std::vector<double>>();
        const Architecture* architecture = findArchitecture("UNet2DConditionModel");
        ModelInfo info;
        architecture->describe(config, "the test's configuration", info);
        NetworkBuilder builder(*m_backend, **weights, type);
        const auto net = architecture->build(config, "the test's configuration", builder);
        const auto described = info.blocks.size();
        std::size_t blocks = 0;
        for (const nn::Site* s : net->sites()) blocks += s->kind == nn::SiteKind::Block;
        if (blocks != described) qFatal("%zu blocks are described, %zu built", described, blocks);
        Conditions raw;
        for (const char* key : {condition::context, condition::pooled, condition::size})
            if (const std::string tensor = std::string("golden.") + key; file.entries().contains(tensor))
                raw.tensors[key] = upload(*m_backend, tensorIn(file, tensor));
        const Conditions one = net->prepare(raw);
        const Conditions both = stacked({&one, &one});
        const Tensor x = upload(*m_backend, tensorIn(file, "golden.x"));
        const auto output = [&](const nn::Hooks& hooks) { return download(net->forward({x, times, both, hooks})); };
        const std::string fault = type == DType::F32 ? test::trunkFault(*m_backend, *net, info, output) : std::string();
        if (!fault.empty()) qFatal("%s", fault.c_str());
        return relativeDifference(output({}), tensorIn(file, "golden.y"));
    }

private slots:
    void parity_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"sd1", "sd2", "sdxl", "sdxl_refiner", "ssd1b"}) QTest::newRow(name) << name;
    }
    void parity() {
        QFETCH(QString, name);
        const double f32 = difference(name, DType::F32), bf16 = difference(name, DType::BF16);
        QVERIFY2(f32 < 1e-5, qPrintable(QString::number(f32)));
        QVERIFY2(bf16 < 0.1, qPrintable(QString::number(bf16)));
        qInfo("%s: f32 %.1e, bf16 %.1e of the root mean square, at the worst element", qPrintable(name), f32, bf16);
    }
    void partsThatDoNotFit() {
        const std::string path = MEANDER_SOURCE_DIR "/tests/golden/unets/sdxl.safetensors";
        auto weights = FileWeights::open(path);
        const Json config = *parseJson((*weights)->files().front().metadata().at("config"), "config");
        NetworkBuilder builder(*m_backend, **weights, DType::F32);
        const auto net = findArchitecture("UNet2DConditionModel")->build(config, "a test", builder);
        const auto filled = [&](Shape s) {
            return upload(*m_backend, HostTensor::fromFloats(s, std::vector<float>(std::size_t(s.count()), 0.5f)));
        };
        const Conditions wide{{{condition::context, filled({1, 5, 32})}}};
        QVERIFY_THROWS_EXCEPTION(Failure, net->prepare(wide));
        const Conditions pooled{{{condition::context, filled({1, 5, 24})},
                                 {condition::pooled, filled({1, 21})},
                                 {condition::size, filled({1, 6})}}};
        QVERIFY_THROWS_EXCEPTION(Failure, net->prepare(pooled));
    }
};

QTEST_GUILESS_MAIN(TestUNets)
#include "tst_unets.moc"
