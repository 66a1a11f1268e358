// The networks against values computed by PyTorch from the same weights, and taps that change nothing.
#include <QtTest>
#include <cmath>

#include "engine/core/json.h"
#include "engine/core/resources.h"
#include "engine/interventions/attention_store.h"
#include "engine/models/architectures/dit.h"
#include "engine/models/architectures/unet.h"
#include "engine/models/model.h"
#include "engine/weights/weight_file.h"

using namespace meander;

namespace {

// (n, c, h, w) → (n, h, w, c)
HostTensor channelsLast(const HostTensor& t) {
    const Shape s = t.shape();
    std::vector<float> v(std::size_t(t.count()));
    for (std::int64_t i = 0; i < t.count(); ++i) {
        const std::int64_t x = i % s[3], y = i / s[3] % s[2], c = i / (s[3] * s[2]) % s[1],
                           n = i / (s[3] * s[2] * s[1]);
        v[std::size_t(((n * s[2] + y) * s[3] + x) * s[1] + c)] = t.floats()[std::size_t(i)];
    }
    return HostTensor::fromFloats({s[0], s[2], s[3], s[1]}, v);
}

HostTensor tensorIn(const WeightFile& file, const char* name) {
    const HostWeight w = file.read(name);
    return HostTensor::fromFloats(w.shape, w.floats());
}

// Largest difference over the root mean square of the expected values.
double relativeDifference(const HostTensor& a, const HostTensor& b) {
    if (a.count() != b.count()) qFatal("tensors of different sizes");
    double worst = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        worst = std::max(worst, std::abs(a.at(i) - b.at(i)));
        square += b.at(i) * b.at(i);
    }
    return worst / std::sqrt(square / double(b.count()));
}

}  // namespace

class TestNetworks : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    struct Loaded {
        std::unique_ptr<Model> model;
        WeightFile golden;
        NetworkBatch batch;
    };
    Loaded load(const QString& name) {
        const auto path = findResource("models/" + name.toStdString() + "/golden.safetensors");
        if (!path) qFatal("the built-in model is missing");
        auto model = loadModel("builtin:" + name.toStdString(), *m_backend);
        if (!model) qFatal("%s %s", model.error().text.c_str(), model.error().detail.c_str());
        auto golden = WeightFile::open(*path);
        if (!golden) qFatal("%s", golden.error().text.c_str());
        Loaded l{std::move(*model), std::move(*golden), {}};
        const auto prompts = parseJson(l.golden.metadata().at("prompts"), "prompts");
        l.batch.x = upload(*m_backend, channelsLast(tensorIn(l.golden, "x")));
        l.batch.times = tensorIn(l.golden, "t").toDoubles();
        for (double t : l.batch.times) {
            l.batch.taus.push_back(l.model->info().process.tauOfTime(t));
            l.batch.targets.push_back(NAN);
        }
        for (const auto& p : *prompts)
            l.batch.conditioning.push_back(l.model->condition({.text = p.get<std::string>()}));
        return l;
    }
    void models() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"sprites-unet", "sprites-lcm", "sprites-dit"}) QTest::newRow(name) << QString(name);
    }

private slots:
    void golden_data() { models(); }
    void golden() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        const HostTensor out = download(l.model->predict(l.batch));
        const double difference = relativeDifference(out, channelsLast(tensorIn(l.golden, "out")));
        qInfo("%s: largest difference %.2g of the root mean square", qPrintable(name), difference);
        QVERIFY(difference < 1e-4);
    }
    void tokensAreTheGoldenOnes_data() { models(); }
    void tokensAreTheGoldenOnes() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        const HostTensor ids = tensorIn(l.golden, "ids");
        for (std::int64_t r = 0; r < ids.shape()[0]; ++r)
            for (std::int64_t i = 0; i < ids.shape()[1]; ++i)
                QCOMPARE(l.batch.conditioning[std::size_t(r)]->tokens[std::size_t(i)].id,
                         int(ids.at(r * ids.shape()[1] + i)));
    }
    // The attention that PyTorch recorded, and the same bits of the prediction whatever is recorded of whichever rows.
    void taps_data() { models(); }
    void taps() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        const ModelInfo& info = l.model->info();
        const HostTensor plain = download(l.model->predict(l.batch));
        const auto recorded = [&](AttentionLevel level, const std::vector<char>& rows) {
            const auto store = std::make_shared<AttentionStore>(level, info.attention);
            NetworkBatch batch = l.batch;
            for (int r = 0; r < 2; ++r)
                if (rows[std::size_t(r)]) batch.hooks.add(store, r, 1);
            const HostTensor out = download(l.model->predict(batch));
            return std::pair(out, std::vector{store->take(0), store->take(1)});
        };
        for (AttentionLevel level : {AttentionLevel::Summary, AttentionLevel::Layers, AttentionLevel::Full}) {
            for (const std::vector<char>& rows :
                 {std::vector<char>{1, 1}, std::vector<char>{1, 0}, std::vector<char>{0, 1}}) {
                const auto [out, maps] = recorded(level, rows);
                QVERIFY(out.sameBits(plain));
                for (std::size_t r = 0; r < 2; ++r) {
                    const std::size_t expected =
                        !rows[r] ? 0 : info.attention.size() + (level == AttentionLevel::Summary ? 1 : 0);
                    QCOMPARE(maps[r].size(), expected);
                }
            }
        }
        const auto maps = recorded(AttentionLevel::Layers, {1, 1}).second;
        const std::string module = l.golden.metadata().at("attention_module");
        const HostTensor expected = tensorIn(l.golden, "attention");
        bool found = false;
        for (std::size_t site = 0; site < info.attention.size(); ++site) {
            const TapSite& s = info.attention[site];
            for (std::size_t r = 0; r < 2; ++r) {
                const AttentionMap& m = maps[r][site];
                QCOMPARE(m.probabilities.shape(), Shape({1, s.height, s.width, s.tokens}));
                QCOMPARE(int(m.entropy.size()), s.heads);
                for (float e : m.entropy) QVERIFY(e >= 0 && e <= 1.00001f);
                double mass = 0;
                for (float v : m.mass) mass += v;
                QVERIFY(std::abs(mass - s.heads) < 1e-3);
                if (s.path != module) continue;
                found = true;
                const std::int64_t n = m.probabilities.count();
                for (std::int64_t i = 0; i < n; ++i)
                    QVERIFY(std::abs(m.probabilities.at(i) - expected.at(std::int64_t(r) * n + i)) < 1e-3);
            }
        }
        QVERIFY2(found, module.c_str());
    }
    // A row's prediction does not depend on the rows beside it.
    void rowsAreIndependent_data() { models(); }
    void rowsAreIndependent() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        const HostTensor both = download(l.model->predict(l.batch));
        for (std::size_t r = 0; r < 2; ++r) {
            NetworkBatch one;
            one.x = l.batch.x.slice(std::int64_t(r), 1);
            one.times = {l.batch.times[r]};
            one.taus = {l.batch.taus[r]};
            one.targets = {NAN};
            one.conditioning = {l.batch.conditioning[r]};
            QVERIFY(relativeDifference(download(l.model->predict(one)), both.rows(std::int64_t(r), 1)) < 1e-6);
        }
    }
    void unconditionalIsTheEmptyPrompt() {
        Loaded l = load("sprites-unet");
        l.batch.conditioning = {nullptr, l.model->condition({.text = "", .classIndex = {}, .unconditional = true})};
        NetworkBatch empty = l.batch;
        empty.conditioning = {l.model->condition({.text = ""}), l.model->condition({.text = "   "})};
        QVERIFY(download(l.model->predict(l.batch)).sameBits(download(l.model->predict(empty))));
    }
    void codecRoundTrip() {
        const Loaded l = load("sprites-unet");
        std::vector<float> pixels(2 * 32 * 32 * 3);
        for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = float(i % 251) / 250;
        const HostTensor images = HostTensor::fromFloats({2, 32, 32, 3}, pixels);
        const HostTensor states = l.model->encode(images);
        QCOMPARE(states.shape(), Shape({2, 16, 16, 12}));
        // torch's pixel_unshuffle: channel c·4 + dy·2 + dx of (y, x) is pixel (2y + dy, 2x + dx).
        QCOMPARE(float(states.at((0 * 16 + 3) * 16 * 12 + 5 * 12 + 1 * 4 + 1 * 2 + 0)),
                 2 * pixels[std::size_t((7 * 32 + 10) * 3 + 1)] - 1);
        const HostTensor back = l.model->decode(states);
        for (std::int64_t i = 0; i < back.count(); ++i) QVERIFY(std::abs(back.at(i) - images.at(i)) < 1e-6);
    }
    void planarModelsMatchTheirGoldenValues() {
        int tested = 0;
        for (const auto& entry : builtInModels()) {
            if (entry.id.find("flow2d") == std::string::npos) continue;
            auto model = loadModel(entry.id, *m_backend);
            QVERIFY2(model.ok(), entry.id.c_str());
            const std::string name = entry.id.substr(entry.id.find("flow2d-") + 7);
            auto file = findResource("models/flow2d/" + name + ".safetensors");
            if (!file) file = findResource("models/flow2d/" + name + "-flow.safetensors");
            const auto about = parseJson(WeightFile::open(*file)->metadata().at("meander"), "about");
            const Json& g = (*about)["golden"];
            NetworkBatch batch;
            std::vector<float> x;
            for (const auto& p : g["xy"])
                for (const auto& v : p) x.push_back(v.get<float>());
            batch.x = upload(*m_backend, HostTensor::fromFloats({3, 2}, x));
            batch.times = g["t"].get<std::vector<double>>();
            batch.taus = batch.times;
            batch.conditioning = {nullptr, nullptr, nullptr};
            const auto d = g["d"].get<std::vector<double>>();
            for (std::size_t r = 0; r < 3; ++r) batch.targets.push_back(batch.times[r] - d[r]);
            const HostTensor out = download((*model)->predict(batch));
            for (std::int64_t i = 0; i < 6; ++i)
                QVERIFY2(std::abs(out.at(i) - g["out"][std::size_t(i / 2)][std::size_t(i % 2)].get<double>()) < 2e-4,
                         entry.id.c_str());
            QVERIFY((*model)->drawData(100, 1, {}).count() == 200);
            ++tested;
        }
        QVERIFY(tested > 0);
    }
    // Full-size configurations count their weights as the published models do (no weights are made).
    void sizes() {
        const UNetConfig c = sd15UNetConfig();
        QCOMPARE(int(c.down.size()), 4);
        QVERIFY(c.down[0].attention && !c.down[3].attention && !c.up[0].attention && c.up[3].attention);
        QCOMPARE(c.down[0].heads, 8);
        QCOMPARE(ditXl2Config().layers, 28);
    }
    void smallRandomNetworksRun() {
        UNetConfig c = sd15UNetConfig();
        for (auto* side : {&c.down, &c.up})
            for (auto& b : *side) {
                b.channels /= 10;
                b.heads = 4;
            }
        c.midHeads = 4;
        c.normGroups = 8;
        c.crossAttentionWidth = 48;
        c.sampleHeight = c.sampleWidth = 16;
        const auto net = makeRandomUNet(c, *m_backend, DType::F32);
        std::vector<float> noise(2 * 16 * 16 * 4), text(7 * 48);
        for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = float(std::sin(double(i) * 1.7) * 1.4);
        for (std::size_t i = 0; i < text.size(); ++i) text[i] = float(std::cos(double(i) * 0.9));
        const Tensor prepared =
            net->prepare({{{condition::context, upload(*m_backend, HostTensor::fromFloats({1, 7, 48}, text))}}})
                .at(condition::context);
        const Tensor pair[] = {prepared, prepared};
        const std::vector<double> times{999, 3.5};
        const HostTensor out = download(net->forward({upload(*m_backend, HostTensor::fromFloats({2, 16, 16, 4}, noise)),
                                                      times,
                                                      {{{condition::context, stackRows(pair)}}},
                                                      nn::Hooks()}));
        QCOMPARE(out.shape(), Shape({2, 16, 16, 4}));
        for (float v : out.floats()) QVERIFY(std::isfinite(v));
        QCOMPARE(int(net->crossAttentions(16, 16, 7).size()), 16);
        QCOMPARE(net->crossAttentions(16, 16, 7).front().path,
                 std::string("down_blocks.0.attentions.0.transformer_blocks.0.attn2"));

        DiTConfig d;
        d.width = 96;
        d.layers = 2;
        d.heads = 4;
        d.gridHeight = d.gridWidth = 8;
        d.classes = 10;
        const auto dit = makeRandomDiT(d, *m_backend, DType::F32);
        const std::vector<int> classes{3, 10};
        const HostTensor y =
            download(dit->forward(upload(*m_backend, HostTensor::fromFloats({2, 16, 16, 4}, noise)), times, classes));
        for (float v : y.floats()) QVERIFY(std::isfinite(v));
    }
};

QTEST_GUILESS_MAIN(TestNetworks)
#include "tst_networks.moc"
