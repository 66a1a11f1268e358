// Every text encoder against transformers: small models with random weights (tests/golden/text_encoders), every hidden
// state, the pooled vector, padded texts; configurations and ids that cannot be.
#include <QtTest>
#include <cmath>
#include <set>

#include "engine/models/text/language_model.h"
#include "engine/models/text/t5_encoder.h"
#include "engine/weights/weight_file.h"

using namespace meander;

namespace {

constexpr double tolerance = 1e-5;  // relative to the root mean square of the expected values

HostTensor tensorIn(const WeightFile& file, const std::string& name) {
    const HostWeight w = file.read(name);
    return HostTensor::fromFloats(w.shape, w.floats());
}

double relativeDifference(const HostTensor& a, const HostTensor& b) {
    if (a.count() != b.count()) qFatal("tensors of different sizes");
    double worst = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        const double d = std::abs(a.at(i) - b.at(i));
        if (!std::isfinite(d)) return d;
        worst = std::max(worst, d);
        square += b.at(i) * b.at(i);
    }
    return worst / std::sqrt(square / double(b.count()));
}

// (states, tokens, width) → (tokens, width) of one of them
HostTensor stateOf(const HostTensor& all, std::int64_t i) {
    const Shape s = all.shape();
    const auto v = all.toFloats();
    const auto first = v.begin() + i * s[1] * s[2];
    return HostTensor::fromFloats({s[1], s[2]}, std::vector<float>(first, first + s[1] * s[2]));
}

std::string classOf(const Json& config) { return config["architectures"][0].get<std::string>(); }

const std::string folder = MEANDER_SOURCE_DIR "/tests/golden/text_encoders/";

}  // namespace

class TestTextEncoders : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    struct Loaded {
        WeightFile golden;
        Json config;
        std::vector<int> ids;
        std::unique_ptr<TextEncoder> encoder;
    };
    std::unique_ptr<TextEncoder> build(const std::string& path, const Json& config) {
        auto weights = FileWeights::open(path);
        if (!weights) qFatal("%s", weights.error().text.c_str());
        const TextEncoderKind* kind = findTextEncoder(classOf(config));
        if (!kind) qFatal("no row for %s", classOf(config).c_str());
        NetworkBuilder builder(*m_backend, **weights, DType::F32);
        kind->describe(config, "the test's configuration");
        return kind->build(config, "the test's configuration", builder);
    }
    Loaded load(const QString& name) {
        const std::string path = folder + name.toStdString() + ".safetensors";
        auto golden = WeightFile::open(path);
        if (!golden) qFatal("%s", golden.error().text.c_str());
        const Json config = *parseJson(golden->metadata().at("config"), "config"),
                   ids = *parseJson(golden->metadata().at("ids"), "ids");
        return {std::move(*golden), config, ids.get<std::vector<int>>(), build(path, config)};
    }
    void everyFile() {
        QTest::addColumn<QString>("name");
        for (const QString& f : QDir(QString::fromStdString(folder)).entryList({"*.safetensors"}))
            QTest::newRow(qPrintable(f)) << QFileInfo(f).completeBaseName();
    }
    HostTensor states(const Loaded& l, const TextStates& wanted) {
        return download(l.encoder->encode(l.ids, wanted).states);
    }

private slots:
    // Classes under one name are the same code; each name has a file.
    void everyKindHasAFile() {
        std::set<std::string> proven;
        for (const QString& f : QDir(QString::fromStdString(folder)).entryList({"*.safetensors"}))
            proven.insert(findTextEncoder(classOf(load(QFileInfo(f).completeBaseName()).config))->name);
        for (const TextEncoderKind* kind : textEncoderKinds()) QVERIFY2(proven.contains(kind->name), kind->name);
    }

    void hiddenStates_data() { everyFile(); }
    void hiddenStates() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        const HostTensor expected = tensorIn(l.golden, "golden.states");
        const std::int64_t count = expected.shape()[0];
        // transformers applies the final norm to the last state, but not CLIP's.
        const bool isLastNormalised = !name.startsWith("clip");
        double worst = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            const bool isNormalised = isLastNormalised && i == count - 1;
            const HostTensor state = states(l, {{int(i)}, isNormalised});
            worst = std::max(worst, relativeDifference(state, stateOf(expected, i)));
            // Counted from the end it is the same state.
            QVERIFY(state.sameBits(states(l, {{int(i - count)}, isNormalised})));
        }
        worst = std::max(worst, relativeDifference(states(l, {}), tensorIn(l.golden, "golden.last")));
        qInfo() << name << "largest relative error" << worst;
        QVERIFY(worst < tolerance);
        QCOMPARE(l.encoder->width(), int(expected.shape()[2]));
        QVERIFY(l.encoder->parameters > 0 && l.encoder->weightBytes > 0);
    }

    void pooled_data() { everyFile(); }
    void pooled() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        const Tensor pooled = l.encoder->encode(l.ids, {}).pooled;
        QCOMPARE(bool(pooled), l.golden.entries().contains("golden.pooled"));
        if (pooled) QVERIFY(relativeDifference(download(pooled), tensorIn(l.golden, "golden.pooled")) < tolerance);
    }

    // Several states side by side, as Flux.2 takes them.
    void severalStates() {
        const Loaded l = load("qwen3");
        const HostTensor both = states(l, {{1, 2}, false});
        const auto first = states(l, {{1}, false}).toFloats(), second = states(l, {{2}, false}).toFloats();
        const std::size_t width = std::size_t(l.encoder->width());
        for (std::size_t t = 0; t < l.ids.size(); ++t)
            for (std::size_t c = 0; c < width; ++c) {
                QCOMPARE(both.floats()[t * 2 * width + c], first[t * width + c]);
                QCOMPARE(both.floats()[t * 2 * width + width + c], second[t * width + c]);
            }
    }

    void padding_data() {
        QTest::addColumn<QString>("name");
        for (const QString& f : QDir(QString::fromStdString(folder)).entryList({"*.safetensors"}))
            if (!f.startsWith("clip") && !f.contains("t5"))
                QTest::newRow(qPrintable(f)) << QFileInfo(f).completeBaseName();
    }
    void padding() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        const auto* model = dynamic_cast<const LanguageModel*>(l.encoder.get());
        QVERIFY(model);
        const HostTensor right = tensorIn(l.golden, "golden.right"), left = tensorIn(l.golden, "golden.left");
        const std::int64_t n = std::int64_t(l.ids.size()), pad = right.shape()[0] - n;
        std::vector<int> ids = l.ids;
        ids.resize(std::size_t(n + pad), 0);
        // Where the second state is the last, transformers applies the final norm to it.
        const TextStates second{{2}, tensorIn(l.golden, "golden.states").shape()[0] == 3};
        const auto paddedRight = download(model->encodePadded(ids, 0, n, second).states);
        std::rotate(ids.begin(), ids.begin() + n, ids.end());
        const auto paddedLeft = download(model->encodePadded(ids, pad, n, second).states);
        qInfo() << name << relativeDifference(paddedRight, right)
                << relativeDifference(paddedLeft.rows(pad, n), left.rows(pad, n))
                << relativeDifference(paddedLeft.rows(0, pad), left.rows(0, pad));
        QVERIFY(relativeDifference(paddedRight, right) < tolerance);
        QVERIFY(relativeDifference(paddedLeft.rows(pad, n), left.rows(pad, n)) < tolerance);
        // A soft cap runs through transformers' plain attention, in which padding before a text sees everything.
        if (name != "gemma2") QVERIFY(relativeDifference(paddedLeft, left) < tolerance);
    }

    void t5Buckets() {
        QCOMPARE(t5Bucket(0, 32, 128), 0);
        QCOMPARE(t5Bucket(-7, 32, 128), 7);
        QCOMPARE(t5Bucket(7, 32, 128), 23);
        QCOMPARE(t5Bucket(-8, 32, 128), 8);
        QCOMPARE(t5Bucket(-127, 32, 128), 15);
        QCOMPARE(t5Bucket(100000, 32, 128), 31);
    }

    void impossibleTexts_data() { everyFile(); }
    void impossibleTexts() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        for (const std::vector<int>& ids : {std::vector<int>{}, std::vector<int>{-1}, std::vector<int>{1 << 20},
                                            std::vector<int>(std::size_t(l.encoder->longest()) + 1, 1)})
            QVERIFY_THROWS_EXCEPTION(Failure, l.encoder->encode(ids, {}));
        QVERIFY_THROWS_EXCEPTION(Failure, l.encoder->encode(l.ids, {{99}, true}));
    }

    // Each number of a configuration as something that it cannot be: a sentence, or the same network where it does not
    // matter.
    void impossibleConfigurations_data() { everyFile(); }
    void impossibleConfigurations() {
        QFETCH(QString, name);
        const Loaded l = load(name);
        int refused = 0;
        const bool isNested = l.config.contains("text_config");
        const Json sizes = isNested ? l.config["text_config"] : l.config;
        for (const auto& [key, value] : sizes.items()) {
            if (!value.is_number()) continue;
            for (const Json& wrong : {Json(-1), Json(0), Json("x"), Json(1e30), Json(Json::array())}) {
                Json config = l.config;
                (isNested ? config["text_config"] : config)[key] = wrong;
                try {
                    build(folder + name.toStdString() + ".safetensors", config);
                } catch (const Failure&) {
                    ++refused;
                }
            }
        }
        QVERIFY2(refused > 20, qPrintable(QString::number(refused)));
    }
};

QTEST_GUILESS_MAIN(TestTextEncoders)
#include "tst_text_encoders.moc"
