// Changes of weights by explicit arithmetic, under every way of naming them.
#include <QJsonDocument>
#include <QJsonObject>
#include <cmath>

#include "engine/weights/formats/safetensors_writer.h"
#include "engine/weights/lora/with_lora.h"
#include "engine/weights/quantised.h"
#include "engine/weights/renamed.h"
#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;
using namespace meander::test;

namespace {

using Tensors = std::map<std::string, HostTensor>;

HostTensor tensorOf(kernels::Shape shape, const std::vector<float>& values) {
    return HostTensor::fromFloats(shape, values);
}
HostTensor randomTensor(kernels::Shape shape, std::uint32_t seed) {
    return tensorOf(shape, randomFloats(std::size_t(shape.count()), seed));
}
std::shared_ptr<const Lora> loraOf(const Tensors& tensors) {
    auto file = WeightFile::fromBytes(safetensorsBytes(tensors), "lora");
    if (!file) qFatal("%s", file.error().text.c_str());
    return std::make_shared<Lora>(std::move(*file));
}

constexpr std::int64_t out = 4, in = 6, rank = 2;

// Σ_k up[o, k] down[k, i]
std::vector<double> lowRank(const HostTensor& up, const HostTensor& down) {
    const std::int64_t rows = up.shape()[0], inner = up.shape().rowCount(), columns = down.shape().rowCount();
    std::vector<double> d(std::size_t(rows * columns), 0);
    for (std::int64_t o = 0; o < rows; ++o)
        for (std::int64_t i = 0; i < columns; ++i)
            for (std::int64_t k = 0; k < inner; ++k)
                d[std::size_t(o * columns + i)] += up.at(o * inner + k) * down.at(k * columns + i);
    return d;
}

double largestDifference(const std::vector<float>& got, const std::vector<double>& want) {
    if (got.size() != want.size()) return INFINITY;
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::fabs(got[i] - want[i]));
    return worst;
}

}  // namespace

class TestLora : public QObject {
    Q_OBJECT
    std::shared_ptr<MemoryWeights> m_source = std::make_shared<MemoryWeights>();
    std::vector<float> m_base = randomFloats(out * in, 1);
    const HostTensor m_down = randomTensor({rank, in}, 2), m_up = randomTensor({out, rank}, 3);

    std::vector<double> changed(const std::vector<double>& delta, double strength) const {
        std::vector<double> w(m_base.begin(), m_base.end());
        for (std::size_t i = 0; i < w.size(); ++i) w[i] += strength * delta[i];
        return w;
    }
    std::vector<float> merged(const Tensors& tensors, double strength = 1) {
        WithLora w(m_source, {{loraOf(tensors), strength}}, loraPrefixesOfDenoiser());
        auto values = w.read("mid.attn1.to_q.weight", {out, in}).floats();
        if (!w.unused(0).empty()) qFatal("%s is not used", w.unused(0).front().c_str());
        return values;
    }
    static constexpr const char* kohya = "lora_unet_mid_attn1_to_q";

private slots:
    void initTestCase() {
        m_source->add("mid.attn1.to_q.weight", {out, in}, m_base);
        m_source->add("mid.attn1.to_q.bias", {out}, {1, 2, 3, 4});
        m_source->add("conv.weight", {out, 3, 3, 3}, randomFloats(out * 27, 9));
        m_source->add("other.weight", {2}, {1, 2});
    }

    void names_data() {
        QTest::addColumn<QString>("down");
        QTest::addColumn<QString>("up");
        for (const auto& [down, up] :
             {std::pair{"lora_unet_mid_attn1_to_q.lora_down.weight", "lora_unet_mid_attn1_to_q.lora_up.weight"},
              {"unet.mid.attn1.to_q.lora_A.weight", "unet.mid.attn1.to_q.lora_B.weight"},
              {"unet.mid.attn1.to_q.lora.down.weight", "unet.mid.attn1.to_q.lora.up.weight"},
              {"unet.mid.attn1.processor.to_q_lora.down.weight", "unet.mid.attn1.processor.to_q_lora.up.weight"},
              {"transformer.mid.attn1.to_q.lora_A.weight", "transformer.mid.attn1.to_q.lora_B.weight"},
              {"diffusion_model.mid.attn1.to_q.lora_A.weight", "diffusion_model.mid.attn1.to_q.lora_B.weight"},
              {"base_model.model.mid.attn1.to_q.lora_A.default.weight",
               "base_model.model.mid.attn1.to_q.lora_B.default.weight"},
              {"mid.attn1.to_q.lora_A.weight", "mid.attn1.to_q.lora_B.weight"},
              {"lycoris_mid_attn1_to_q.lora_down.weight", "lycoris_mid_attn1_to_q.lora_up.weight"}})
            QTest::newRow(down) << down << up;
    }
    void names() {
        QFETCH(QString, down);
        QFETCH(QString, up);
        const auto got = merged({{down.toStdString(), m_down}, {up.toStdString(), m_up}}, 0.75);
        QVERIFY(largestDifference(got, changed(lowRank(m_up, m_down), 0.75)) < 1e-6);
    }

    void alphaOverRank() {
        const std::string k = kohya;
        const auto got = merged(
            {{k + ".lora_down.weight", m_down}, {k + ".lora_up.weight", m_up}, {k + ".alpha", tensorOf({}, {1.0f})}},
            2);
        QVERIFY(largestDifference(got, changed(lowRank(m_up, m_down), 2 * 1.0 / rank)) < 1e-6);
    }

    void severalAtOnceWithStrengths() {
        const std::string k = kohya;
        const HostTensor down = randomTensor({3, in}, 5), up = randomTensor({out, 3}, 6);
        WithLora w(
            m_source,
            {{loraOf({{k + ".lora_down.weight", m_down}, {k + ".lora_up.weight", m_up}}), 0.5},
             {loraOf({{"unet.mid.attn1.to_q.lora_A.weight", down}, {"unet.mid.attn1.to_q.lora_B.weight", up}}), -1},
             {loraOf({{k + ".lora_down.weight", m_down}, {k + ".lora_up.weight", m_up}}), 0}},
            loraPrefixesOfDenoiser());
        auto want = changed(lowRank(m_up, m_down), 0.5);
        const auto second = lowRank(up, down);
        for (std::size_t i = 0; i < want.size(); ++i) want[i] -= second[i];
        QVERIFY(largestDifference(w.read("mid.attn1.to_q.weight", {out, in}).floats(), want) < 1e-6);
        // What no LoRA names is the very tensor of the source.
        QVERIFY(w.read("other.weight", {2}).bytes.data() == m_source->read("other.weight", {2}).bytes.data());
    }

    void convolutions() {
        const HostTensor down = randomTensor({rank, 3, 3, 3}, 11), up = randomTensor({out, rank, 1, 1}, 12);
        WithLora w(m_source,
                   {{loraOf({{"lora_unet_conv.lora_down.weight", down}, {"lora_unet_conv.lora_up.weight", up}}), 1}},
                   loraPrefixesOfDenoiser());
        const auto delta = lowRank(up, down);
        std::vector<double> want;
        const auto base = m_source->read("conv.weight", {out, 3, 3, 3}).floats();
        for (std::size_t i = 0; i < base.size(); ++i) want.push_back(base[i] + delta[i]);
        QVERIFY(largestDifference(w.read("conv.weight", {out, 3, 3, 3}).floats(), want) < 1e-6);
    }

    // down (r, in, 1, 1), middle (r, r, 3, 3), up (out, r, 1, 1): Σ_{a, b} up[o, a] middle[a, b, t] down[b, c]
    void convolutionsWithAMiddle() {
        const HostTensor down = randomTensor({rank, 3, 1, 1}, 11), middle = randomTensor({rank, rank, 3, 3}, 12),
                         up = randomTensor({out, rank, 1, 1}, 13);
        WithLora w(m_source,
                   {{loraOf({{"lora_unet_conv.lora_down.weight", down},
                             {"lora_unet_conv.lora_mid.weight", middle},
                             {"lora_unet_conv.lora_up.weight", up}}),
                     1}},
                   loraPrefixesOfDenoiser());
        const auto base = m_source->read("conv.weight", {out, 3, 3, 3}).floats();
        std::vector<double> want(base.begin(), base.end());
        for (int o = 0; o < out; ++o)
            for (int c = 0; c < 3; ++c)
                for (int t = 0; t < 9; ++t)
                    for (int a = 0; a < rank; ++a)
                        for (int b = 0; b < rank; ++b)
                            want[std::size_t((o * 3 + c) * 9 + t)] +=
                                up.at(o * rank + a) * middle.at((a * rank + b) * 9 + t) * down.at(b * 3 + c);
        QVERIFY(largestDifference(w.read("conv.weight", {out, 3, 3, 3}).floats(), want) < 1e-5);
    }

    void hadamard() {
        const std::string k = kohya;
        const HostTensor b1 = randomTensor({rank, in}, 21), a1 = randomTensor({out, rank}, 22),
                         b2 = randomTensor({rank, in}, 23), a2 = randomTensor({out, rank}, 24);
        const auto got = merged({{k + ".hada_w1_a", a1},
                                 {k + ".hada_w1_b", b1},
                                 {k + ".hada_w2_a", a2},
                                 {k + ".hada_w2_b", b2},
                                 {k + ".alpha", tensorOf({}, {3.0f})}});
        auto delta = lowRank(a1, b1);
        const auto second = lowRank(a2, b2);
        for (std::size_t i = 0; i < delta.size(); ++i) delta[i] *= second[i];
        QVERIFY(largestDifference(got, changed(delta, 3.0 / rank)) < 1e-5);
    }

    void kronecker_data() {
        QTest::addColumn<bool>("isFactored");
        QTest::newRow("whole, alpha does not count") << false;
        QTest::newRow("second factor a product") << true;
    }
    void kronecker() {
        QFETCH(bool, isFactored);
        const std::string k = kohya;
        const HostTensor w1 = randomTensor({2, 2}, 31), w2 = randomTensor({2, 3}, 32), a = randomTensor({2, 1}, 33),
                         b = randomTensor({1, 3}, 34);
        Tensors tensors{{k + ".lokr_w1", w1}, {k + ".alpha", tensorOf({}, {0.5f})}};
        std::vector<double> second;
        if (isFactored) {
            tensors[k + ".lokr_w2_a"] = a, tensors[k + ".lokr_w2_b"] = b;
            second = lowRank(a, b);
        } else {
            tensors[k + ".lokr_w2"] = w2;
            for (int i = 0; i < 6; ++i) second.push_back(w2.at(i));
        }
        std::vector<double> delta(out * in);
        for (int r = 0; r < out; ++r)
            for (int c = 0; c < in; ++c)
                delta[std::size_t(r * in + c)] = w1.at(r / 2 * 2 + c / 3) * second[std::size_t(r % 2 * 3 + c % 3)];
        QVERIFY(largestDifference(merged(tensors), changed(delta, isFactored ? 0.5 : 1)) < 1e-6);
    }

    // W' = m (W + ΔW) / ‖W + ΔW‖; a strength goes from W towards W'.
    void magnitudes_data() {
        QTest::addColumn<bool>("isPerRow");
        QTest::newRow("per output row") << true;
        QTest::newRow("per input column") << false;
    }
    void magnitudes() {
        QFETCH(bool, isPerRow);
        const std::string k = kohya;
        const HostTensor m = isPerRow ? tensorOf({out, 1}, {1, 2, 3, 4}) : tensorOf({1, in}, {1, 2, 3, 4, 5, 6});
        const auto got =
            merged({{k + ".lora_down.weight", m_down}, {k + ".lora_up.weight", m_up}, {k + ".dora_scale", m}}, 0.5);
        const auto whole = changed(lowRank(m_up, m_down), 1);
        std::vector<double> want(whole.size());
        for (int r = 0; r < out; ++r)
            for (int c = 0; c < in; ++c) {
                double squares = 0;
                for (int j = 0; j < (isPerRow ? in : out); ++j) {
                    const double x = whole[std::size_t(isPerRow ? r * in + j : j * in + c)];
                    squares += x * x;
                }
                const std::size_t i = std::size_t(r * in + c);
                const double full = m.at(isPerRow ? r : c) * whole[i] / std::sqrt(squares);
                want[i] = m_base[i] + 0.5 * (full - m_base[i]);
            }
        QVERIFY(largestDifference(got, want) < 1e-5);
    }

    void differences() {
        const std::string k = kohya;
        const HostTensor d = randomTensor({out, in}, 41), b = tensorOf({out}, {1, 1, 1, 1});
        WithLora w(m_source, {{loraOf({{k + ".diff", d}, {k + ".diff_b", b}}), 0.5}}, loraPrefixesOfDenoiser());
        std::vector<double> delta;
        for (int i = 0; i < out * in; ++i) delta.push_back(d.at(i));
        QVERIFY(largestDifference(w.read("mid.attn1.to_q.weight", {out, in}).floats(), changed(delta, 0.5)) < 1e-6);
        QCOMPARE(w.read("mid.attn1.to_q.bias", {out}).floats(), (std::vector<float>{1.5f, 2.5f, 3.5f, 4.5f}));
    }

    // A LoRA with LDM's names on a model that is read by those of diffusers.
    void namesOfAnotherProgram() {
        auto source = std::make_shared<MemoryWeights>();
        source->add("down_blocks.1.attentions.0.proj_in.weight", {out, in}, m_base);
        const std::string k = "lora_unet_input_blocks_4_1_proj_in";
        WithLora w(source, {{loraOf({{k + ".lora_down.weight", m_down}, {k + ".lora_up.weight", m_up}}), 1}},
                   loraPrefixesOfDenoiser(), NameTable::named("ldm_unet"));
        const auto got = w.read("down_blocks.1.attentions.0.proj_in.weight", {out, in}).floats();
        QVERIFY(largestDifference(got, changed(lowRank(m_up, m_down), 1)) < 1e-6);
    }

    // Fused q, k, v: one LoRA made on the whole, below the division, and one made on a part, above it.
    void fusedTensors() {
        auto source = std::make_shared<MemoryWeights>();
        const auto base = randomFloats(12 * in, 51);
        source->add("double_blocks.0.img_attn.qkv.weight", {12, in}, base);
        const HostTensor whole = randomTensor({12, rank}, 52);
        const std::string f = "lora_unet_double_blocks_0_img_attn_qkv",
                          p = "transformer.transformer_blocks.0.attn.to_k";
        auto below = std::make_shared<WithLora>(
            source,
            std::vector<AppliedLora>{{loraOf({{f + ".lora_down.weight", m_down}, {f + ".lora_up.weight", whole}}), 1}},
            loraPrefixesOfDenoiser());
        auto divided = std::make_shared<Renamed>(below, *NameTable::named("flux"));
        WithLora w(divided, {{loraOf({{p + ".lora_A.weight", m_down}, {p + ".lora_B.weight", m_up}}), 1}},
                   loraPrefixesOfDenoiser());
        const auto fused = lowRank(whole, m_down), part = lowRank(m_up, m_down);
        std::vector<double> want;
        for (std::size_t i = 0; i < out * in; ++i) want.push_back(base[out * in + i] + fused[out * in + i] + part[i]);
        QVERIFY(largestDifference(w.read("transformer_blocks.0.attn.to_k.weight", {out, in}).floats(), want) < 1e-5);
    }

    void storedWeightsStaySmall() {
        auto source = std::make_shared<MemoryWeights>();
        source->weights["w.weight"] =
            quantised(HostWeight::fromFloats({out, 32}, randomFloats(out * 32, 61)), WeightFormat::Q8_0);
        const HostTensor down = randomTensor({rank, 32}, 62);
        WithLora w(source, {{loraOf({{"unet.w.lora_A.weight", down}, {"unet.w.lora_B.weight", m_up}}), 1}},
                   loraPrefixesOfDenoiser());
        const HostWeight changed = w.read("w.weight", {out, 32});
        QVERIFY(changed.format == WeightFormat::F16 && changed.staysStored());
        const auto base = source->weights["w.weight"].floats();
        const auto delta = lowRank(m_up, down);
        std::vector<double> want;
        for (std::size_t i = 0; i < base.size(); ++i) want.push_back(base[i] + delta[i]);
        QVERIFY(largestDifference(changed.floats(), want) < 4e-3);
    }

    void misfitsAreSentences() {
        const std::string k = kohya;
        const auto fails = [&](const Tensors& tensors, const char* words) {
            try {
                merged(tensors);
            } catch (const Failure& f) {
                return std::string(f.what()).find(words) != std::string::npos;
            }
            return false;
        };
        QVERIFY(fails({{k + ".lora_down.weight", randomTensor({rank, in + 1}, 1)}, {k + ".lora_up.weight", m_up}},
                      "another shape"));
        QVERIFY(fails({{k + ".lora_down.weight", m_down}, {k + ".lora_up.weight", randomTensor({out, rank + 1}, 1)}},
                      "another shape"));
        QVERIFY(fails({{k + ".lora_down.weight", m_down}}, "incomplete"));
        QVERIFY(fails({{k + ".hada_w1_a", m_up}, {k + ".hada_w1_b", m_down}}, "incomplete"));
        QVERIFY(fails({{"some.weight", m_down}}, "no LoRA"));
        QVERIFY(fails({{k + ".oft_blocks", m_down}}, "oft_blocks"));
        QVERIFY(fails({{k + ".lora_down.weight", m_down},
                       {k + ".lora_up.weight", m_up},
                       {k + ".dora_scale", tensorOf({5}, {1, 2, 3, 4, 5})}},
                      "another shape"));
    }

    void unusedModulesAreListed() {
        WithLora w(
            m_source,
            {{loraOf({{"lora_unet_elsewhere.lora_down.weight", m_down}, {"lora_unet_elsewhere.lora_up.weight", m_up}}),
              1}},
            loraPrefixesOfDenoiser());
        w.read("mid.attn1.to_q.weight", {out, in});
        QCOMPARE(w.unused(0), std::vector<std::string>{"lora_unet_elsewhere"});
    }

    // Every module of a published list is found from the names that our networks read.
    void publishedNames() {
        const auto names = reference("real/keys/ldm_LoRA-v1A-UNET.txt"),
                   keys = reference("real/keys/ldm_to_diffusers_sd1.json");
        if (!names || !keys) QSKIP("the key lists are not here");
        Tensors tensors;
        for (const QString& line : QString::fromStdString(fileBytes(*names)).split('\n', Qt::SkipEmptyParts))
            tensors[line.section(' ', 0, 0).toStdString()] = tensorOf({1}, {1});
        auto source = std::make_shared<MemoryWeights>();
        const auto map = QJsonDocument::fromJson(QByteArray::fromStdString(fileBytes(*keys))).object();
        for (const auto& name : map["ldm_diffusers_keymap"].toObject())
            if (name.toString().startsWith("unet_")) source->add(name.toString().mid(5).toStdString(), {1}, {1});
        WithLora w(source, {{loraOf(tensors), 0}}, loraPrefixesOfDenoiser());
        const std::size_t modules = loraOf(tensors)->modules().size();
        QVERIFY(modules > 150 && w.unused(0).size() == modules);
        for (const auto& [name, weight] : source->weights) w.read(name, {1});
        QCOMPARE(w.unused(0), std::vector<std::string>());
    }

    // A real file of the first generation: numbered modules, ranks of 1, learned tokens beside them.
    void firstGeneration() {
        const auto path = reference("real/lora/lora_disney.safetensors");
        if (!path) QSKIP("the real LoRA is not here");
        auto file = WeightFile::open(path->toStdString());
        QVERIFY2(file.ok(), file.ok() ? "" : file.error().text.c_str());
        QCOMPARE(file->read("<s1>").floats().size(), std::size_t(768));
        Lora lora(std::move(*file));
        std::vector<std::string> modules;
        for (int layer = 0; layer < 12; ++layer)
            for (const char* part : {"k_proj", "v_proj", "q_proj", "out_proj"})
                modules.push_back("text_model.encoder.layers." + std::to_string(layer) + ".self_attn." + part);
        lora.nameModules("text_encoder", modules);
        const std::string name = "text_model.encoder.layers.5.self_attn.q_proj";
        QVERIFY(lora.has("text_encoder." + name));
        auto source = std::make_shared<MemoryWeights>();
        source->add(name + ".weight", {768, 768}, std::vector<float>(768 * 768, 0.0f));
        WithLora w(source, {{std::make_shared<Lora>(lora), 1}}, loraPrefixesOfTextEncoder(0));
        const auto delta = w.read(name + ".weight", {768, 768}).floats();
        const auto up = lora.file().read("text_encoder:22:up").floats(),
                   down = lora.file().read("text_encoder:22:down").floats();
        for (const std::size_t i : {std::size_t(0), std::size_t(12345), delta.size() - 1})
            QCOMPARE(delta[i], up[i / 768] * down[i % 768]);
    }
};

QTEST_GUILESS_MAIN(TestLora)
#include "tst_lora.moc"
