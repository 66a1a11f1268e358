// PixArt, SANA and DiT against diffusers: small ones with random weights under the names of their authors
// (tests/golden/diffusion_transformers), two rows at different times.
#include <QtTest>
#include <cmath>

#include "engine/models/architectures/architecture.h"
#include "engine/weights/renamed.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/models/small_models.h"
#include "tests/engine/models/trunk_check.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using namespace meander::fixture;
using namespace meander::test;

namespace {

// The names of a golden file, where they are not those that the network reads.
const std::map<std::string, const char*> tables{
    {"pixart_alpha", "pixart"}, {"pixart_sigma", "pixart"}, {"sana", "sana"}, {"dit", ""}};

HostTensor tensorIn(const WeightFile& file, const std::string& name) {
    const HostWeight w = file.read(name);
    return HostTensor::fromFloats(w.shape, w.floats());
}

// The largest difference, relative to the root mean square of the expected values; ‖a − b‖ / ‖b‖.
std::pair<double, double> differences(const HostTensor& a, const HostTensor& b) {
    if (a.shape() != b.shape()) return {1e9, 1e9};
    double worst = 0, off = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        const double d = std::abs(a.at(i) - b.at(i));
        worst = std::max(worst, std::isfinite(d) ? d : 1e9);
        off += d * d;
        square += b.at(i) * b.at(i);
    }
    return {worst / std::sqrt(square / double(b.count())), std::sqrt(off / square)};
}

struct Case {
    Case(Backend& backend, const std::string& name, DType type) {
        auto opened =
            FileWeights::open(MEANDER_SOURCE_DIR "/tests/golden/diffusion_transformers/" + name + ".safetensors");
        if (!opened) qFatal("%s", opened.error().text.c_str());
        weights = std::move(*opened);
        const WeightFile& file = weights->files().front();
        const Json config = *parseJson(file.metadata().at("config"), "config");
        times = parseJson(file.metadata().at("times"), "times")->get<std::vector<double>>();
        const Architecture* architecture = findArchitecture(file.metadata().at("class"));
        if (!architecture) qFatal("no architecture %s", file.metadata().at("class").c_str());
        architecture->describe(config, "the test's configuration", info);
        std::shared_ptr<WeightSource> source = weights;
        if (*tables.at(name)) source = std::make_shared<Renamed>(source, *NameTable::named(tables.at(name)));
        NetworkBuilder builder(backend, *source, type);
        net = architecture->build(config, "the test's configuration", builder);
        const auto given = [&](const char* key) { return file.entries().contains(std::string("golden.") + key); };
        std::vector<Conditions> rows(2);
        for (std::size_t r = 0; r < 2; ++r) {
            Conditions raw;
            for (const char* key : {condition::context, condition::size})
                if (given(key)) raw.tensors[key] = upload(backend, tensorIn(file, std::string("golden.") + key));
            if (given("classes"))
                raw.tensors[condition::label] =
                    upload(backend, tensorIn(file, "golden.classes").rows(std::int64_t(r), 1));
            rows[r] = net->prepare(raw);
        }
        conditions = stacked({&rows[0], &rows[1]});
        x = upload(backend, tensorIn(file, "golden.x"));
        y = tensorIn(file, "golden.y");
    }
    HostTensor output(const nn::Hooks& hooks = {}) const {
        return download(net->forward({x, times, conditions, hooks, {}}));
    }

    std::shared_ptr<FileWeights> weights;
    std::vector<double> times;
    ModelInfo info;
    std::unique_ptr<Denoiser> net;
    Conditions conditions;
    Tensor x;
    HostTensor y;
};

}  // namespace

class TestDiffusionTransformers : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});
    QTemporaryDir m_folder;

    void eachNetwork() {
        QTest::addColumn<QString>("name");
        for (const auto& [name, table] : tables) QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }

private slots:
    void parity_data() { eachNetwork(); }
    void parity() {
        QFETCH(QString, name);
        const Case exact(*m_backend, name.toStdString(), DType::F32),
            coarse(*m_backend, name.toStdString(), DType::BF16);
        const double f32 = differences(exact.output(), exact.y).first;
        const auto [bf16, whole] = differences(coarse.output(), coarse.y);
        qInfo("%s: f32 %.1e, bf16 %.1e of the root mean square, at the worst element; bf16 over all elements %.1e",
              qPrintable(name), f32, bf16, whole);
        QVERIFY2(f32 < 1e-5, qPrintable(QString::number(f32)));
        QVERIFY2(bf16 < 0.05, qPrintable(QString::number(bf16)));
        QVERIFY2(whole < 1e-2, qPrintable(QString::number(whole)));
    }

    // What a configuration says agrees with what is built from it, and every weight of the file is read.
    void description_data() { eachNetwork(); }
    void description() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        std::vector<std::string> blocks;
        for (const nn::Site* s : c.net->sites())
            if (s->kind == nn::SiteKind::Block) blocks.push_back(s->path);
        QCOMPARE(blocks.size(), c.info.blocks.size());
        for (std::size_t i = 0; i < blocks.size(); ++i) QCOMPARE(c.info.blocks[i].path, blocks[i]);
        std::int64_t stored = 0;
        for (const auto& [key, entry] : c.weights->files().front().entries())
            if (!key.starts_with("golden.")) stored += entry.count;
        QCOMPARE(c.net->parameters, stored);
    }

    // Every trunk is a site, and one that is kept is not computed again.
    void trunks_data() { eachNetwork(); }
    void trunks() {
        QFETCH(QString, name);
        const Case c(*m_backend, name.toStdString(), DType::F32);
        const std::string fault =
            trunkFault(*m_backend, *c.net, c.info, [&](const nn::Hooks& hooks) { return c.output(hooks); });
        QVERIFY2(fault.empty(), fault.c_str());
    }

    // A file of DiT with the codec beside it: classes are drawn, and one of them differs from none.
    void classesToPixels() {
        const Json config = {{"_class_name", "DiTTransformer2DModel"},
                             {"num_attention_heads", 1},
                             {"attention_head_dim", 64},
                             {"num_layers", 1},
                             {"in_channels", 4},
                             {"out_channels", 8},
                             {"sample_size", 8},
                             {"num_embeds_ada_norm", 3}};
        const QString file = m_folder.filePath("dit/model.safetensors");
        writeText(file, safetensorsBytes(randomNetwork(config, *m_backend)));
        writeText(m_folder.filePath("dit/vae/vae.safetensors"), safetensorsBytes(ldmCodec(4, {32, 32, 32, 32}, true)));
        const auto info = inspectModel(file.toStdString());
        QVERIFY2(info.ok(), info.ok() ? "" : info.error().text.c_str());
        QVERIFY2(info->missing.empty(), info->missing.empty() ? "" : info->missing.front().c_str());
        QCOMPARE(info->classes.size(), std::size_t(3));
        QCOMPARE(info->state.image, Shape({64, 64, 3}));
        Recipe r = recommendedRecipe(*info);
        QCOMPARE(r.guidance.front().id, std::string("cfg"));
        r.steps = 3;
        std::vector<HostTensor> images;
        for (const std::optional<int> c : {std::optional<int>(), std::optional<int>(2)}) {
            r.classIndex = c;
            const auto run = carryOut(planned(r));
            QVERIFY2(run->status == RunStatus::Finished, run->problem.c_str());
            images.push_back(run->images);
        }
        QVERIFY(differences(images[0], images[1]).first > 1e-3);
    }
};

QTEST_GUILESS_MAIN(TestDiffusionTransformers)
#include "tst_diffusion_transformers.moc"
