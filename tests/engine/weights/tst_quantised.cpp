// Weights in small formats: rounding, scales and rotations by explicit arithmetic, and a network layer that stays
// small.
#include <cmath>

#include "engine/models/layers/builder.h"
#include "engine/weights/quantised.h"
#include "engine/weights/scaled_weights.h"
#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;
using namespace meander::test;

namespace {

HostWeight bytesOfText(const std::string& text) {
    std::vector<float> values;
    for (const char c : text) values.push_back(float(static_cast<unsigned char>(c)));
    return HostWeight::fromFloats({std::int64_t(text.size())}, values);
}

}  // namespace

class TestQuantised : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

private slots:
    // The largest error of a value, as a part of the largest value of its block or row.
    void rounding_data() {
        QTest::addColumn<int>("format");
        QTest::addColumn<double>("relative");
        const auto add = [](WeightFormat f, double relative) {
            QTest::newRow(kernels::infoOf(f).name) << int(f) << relative;
        };
        add(WeightFormat::F32, 0);
        add(WeightFormat::F16, 0x1p-11);
        add(WeightFormat::BF16, 0x1p-8);
        add(WeightFormat::F8E4M3, 0x1p-4);
        add(WeightFormat::F8E5M2, 0x1p-3);
        add(WeightFormat::I8, 0.5 / 127 * 1.001);
        add(WeightFormat::Q8_0, 0.5 / 127 * 1.2);  // the scale is a half
        add(WeightFormat::Q4_0, 1.0 / 8);
    }
    void rounding() {
        QFETCH(int, format);
        QFETCH(double, relative);
        const auto v = randomFloats(6 * 64, 3);
        const HostWeight q = quantised(HostWeight::fromFloats({6, 64}, v), WeightFormat(format));
        QVERIFY(q.format == WeightFormat(format) && q.staysStored());
        QCOMPARE(q.bytes.size(), kernels::bytesOf(q.format, 6 * 64));
        const auto got = q.floats();
        for (std::size_t r = 0; r < v.size(); r += 32) {
            float largest = 0;
            for (std::size_t i = r; i < r + 32; ++i) largest = std::max(largest, std::fabs(v[i]));
            if (q.format == WeightFormat::I8)
                for (std::size_t i = r / 64 * 64; i < r / 64 * 64 + 64; ++i)
                    largest = std::max(largest, std::fabs(v[i]));
            for (std::size_t i = r; i < r + 32; ++i) QVERIFY(std::fabs(got[i] - v[i]) <= relative * largest);
        }
    }

    // Every 8-bit float is its own nearest value; between two neighbours the nearer one wins, the even one in the
    // middle.
    void eightBitFloats_data() {
        QTest::addColumn<int>("format");
        QTest::addColumn<int>("largest");
        QTest::newRow("e4m3") << int(WeightFormat::F8E4M3) << 0x7e;
        QTest::newRow("e5m2") << int(WeightFormat::F8E5M2) << 0x7b;
    }
    void eightBitFloats() {
        QFETCH(int, format);
        QFETCH(int, largest);
        const auto f = WeightFormat(format);
        std::vector<std::uint8_t> codes;
        for (int i = 0; i <= largest; ++i) codes.push_back(std::uint8_t(i));
        std::vector<float> values(codes.size());
        kernels::decodeWeights(f, codes.data(), std::int64_t(codes.size()), values.data());
        const auto codeOf = [&](float x) { return int(quantised(HostWeight::fromFloats({1}, {x}), f).bytes[0]); };
        for (int i = 0; i <= largest; ++i) {
            QCOMPARE(codeOf(values[std::size_t(i)]), i);
            QCOMPARE(codeOf(-values[std::size_t(i)]), i | 0x80);
            if (i == largest) break;
            const float a = values[std::size_t(i)], b = values[std::size_t(i) + 1], middle = (a + b) / 2;
            QCOMPARE(codeOf(std::nextafter(middle, a)), i);
            QCOMPARE(codeOf(std::nextafter(middle, b)), i + 1);
            QCOMPARE(codeOf(middle), i % 2 ? i + 1 : i);
        }
        QCOMPARE(codeOf(1e9f), largest);
    }

    void whatCannotBeWrittenIsSaid() {
        const HostWeight w = HostWeight::fromFloats({2, 33}, randomFloats(66, 1));
        QVERIFY_THROWS_EXCEPTION(Failure, quantised(w, WeightFormat::Q4_K));
        QVERIFY_THROWS_EXCEPTION(Failure, quantised(w, WeightFormat::Q8_0));
    }

    void onlyMatricesAreQuantised() {
        auto source = std::make_shared<MemoryWeights>();
        source->add("a.weight", {4, 64}, randomFloats(256, 1));
        source->add("b.weight", {4, 64}, randomFloats(256, 1));
        source->add("odd.weight", {4, 33}, randomFloats(132, 1));
        source->add("norm.weight", {64}, randomFloats(64, 1));
        source->add("conv.weight", {4, 4, 3, 3}, randomFloats(144, 1));
        Quantised q(source, WeightFormat::Q8_0, [](const std::string& name) { return !name.starts_with("b."); });
        QVERIFY(q.read("a.weight", {4, 64}).format == WeightFormat::Q8_0);
        for (const auto& [name, shape] : {std::pair{"b.weight", kernels::Shape{4, 64}},
                                          {"odd.weight", {4, 33}},
                                          {"norm.weight", {64}},
                                          {"conv.weight", {4, 4, 3, 3}}})
            QVERIFY2(q.read(name, shape).format == WeightFormat::F32, name);
    }

    void scalesBesideTheWeights_data() {
        QTest::addColumn<QString>("scale");
        QTest::addColumn<bool>("isPerRow");
        QTest::newRow("one") << "l.weight_scale" << false;
        QTest::newRow("older name") << "l.scale_weight" << false;
        QTest::newRow("a row") << "l.weight_scale" << true;
    }
    void scalesBesideTheWeights() {
        QFETCH(QString, scale);
        QFETCH(bool, isPerRow);
        auto source = std::make_shared<MemoryWeights>();
        source->weights["l.weight"] = HostWeight::fromBytes(
            {2, 2}, WeightFormat::I8, {std::byte(1), std::byte(0xff), std::byte(2), std::byte(127)});
        if (isPerRow) source->add(scale.toStdString(), {2, 1}, {0.5f, 3});
        else source->add(scale.toStdString(), {}, {0.5f});
        ScaledWeights w(source);
        const HostWeight got = w.read("l.weight", {2, 2});
        QVERIFY(got.format == WeightFormat::I8 && got.staysStored());
        QCOMPARE(got.floats(),
                 isPerRow ? (std::vector<float>{0.5f, -0.5f, 6, 381}) : (std::vector<float>{0.5f, -0.5f, 1, 63.5f}));
    }

    // Weights rotated before rounding: stored are the integers of W·R, so that W = (q·s)·R.
    void rotatedIntegers_data() {
        QTest::addColumn<int>("group");
        for (int group : {4, 16, 64}) QTest::addRow("%d", group) << group;
    }
    void rotatedIntegers() {
        QFETCH(int, group);
        const int columns = 128;
        // R as the Kronecker power, written out.
        const double h[4][4] = {{1, 1, 1, -1}, {1, 1, -1, 1}, {1, -1, 1, 1}, {-1, 1, 1, 1}};
        const auto r = [&](int i, int j) {
            double x = i / group == j / group ? 1 : 0;
            for (int step = 1; step < group; step *= 4) x *= 0.5 * h[i / step % 4][j / step % 4];
            return x;
        };
        std::vector<std::byte> q(std::size_t(2 * columns));
        for (std::size_t i = 0; i < q.size(); ++i) q[i] = std::byte(i * 37 & 255);
        auto source = std::make_shared<MemoryWeights>();
        source->weights["l.weight"] = HostWeight::fromBytes({2, columns}, WeightFormat::I8, q);
        source->add("l.weight_scale", {2}, {0.01f, 0.02f});
        source->weights["l.comfy_quant"] = bytesOfText(
            R"({"format": "int8_tensorwise", "convrot": true, "convrot_groupsize": )" + std::to_string(group) + "}");
        ScaledWeights w(source);
        const HostWeight got = w.read("l.weight", {2, columns});
        QVERIFY(got.format == WeightFormat::F16 && got.staysStored());
        const auto values = got.floats();
        for (int row = 0; row < 2; ++row)
            for (int j = 0; j < columns; ++j) {
                double want = 0;
                for (int i = 0; i < columns; ++i)
                    want += double(std::int8_t(q[std::size_t(row * columns + i)])) * (row + 1) * 0.01 * r(i, j);
                QVERIFY(std::fabs(values[std::size_t(row * columns + j)] - want) < 3e-3);
            }
        source->weights["l.comfy_quant"] =
            bytesOfText(R"({"format": "int8_tensorwise", "convrot": true, "convrot_groupsize": 8})");
        QVERIFY_THROWS_EXCEPTION(Failure, w.read("l.weight", {2, columns}));
    }

    void otherFormatsAreNamed() {
        auto source = std::make_shared<MemoryWeights>();
        source->add("l.weight", {2, 2}, {1, 2, 3, 4});
        source->weights["l.comfy_quant"] = bytesOfText(R"({"format": "nvfp4"})");
        try {
            ScaledWeights(source).read("l.weight", {2, 2});
            QFAIL("nvfp4 was read");
        } catch (const Failure& f) {
            QVERIFY(std::string(f.what()).find("nvfp4") != std::string::npos);
        }
    }

    // NetworkBuilder keeps what is small: the same sums as from the widened weights, in about the bytes of the file.
    void layersStaySmall_data() {
        QTest::addColumn<int>("format");
        for (const auto f : {WeightFormat::F16, WeightFormat::BF16, WeightFormat::F8E4M3, WeightFormat::I8,
                             WeightFormat::Q8_0, WeightFormat::Q4_0})
            QTest::newRow(kernels::infoOf(f).name) << int(f);
    }
    void layersStaySmall() {
        if (qEnvironmentVariable("MEANDER_CPU_DNNL") == "1") QSKIP("oneDNN sums in another order");
        QFETCH(int, format);
        const std::int64_t out = 96, in = 256, rows = 5;
        auto source = std::make_shared<MemoryWeights>();
        source->add("l.weight", {out, in}, randomFloats(out * in, 1));
        source->add("l.bias", {out}, randomFloats(out, 2));
        Quantised small(source, WeightFormat(format));
        auto wide = std::make_shared<MemoryWeights>();
        wide->add("l.weight", {out, in}, small.read("l.weight", {out, in}).floats());
        wide->add("l.bias", {out}, randomFloats(out, 2));

        NetworkBuilder a(*m_backend, small, DType::F32), b(*m_backend, *wide, DType::F32);
        const Linear kept = a.linear("l", in, out), widened = b.linear("l", in, out);
        const Tensor x = upload(*m_backend, HostTensor::fromFloats({rows, in}, randomFloats(rows * in, 3)));
        Tensor y(*m_backend, {rows, out}), z(*m_backend, {rows, out});
        m_backend->linear(x, *kept, y);
        m_backend->linear(x, *widened, z);
        QVERIFY(download(y).sameBits(download(z)));
        QCOMPARE(a.parameters, b.parameters);
        QCOMPARE(a.weightBytes, kept->bytes);
        const double stored = double(kernels::bytesOf(WeightFormat(format), out * in));
        QVERIFY(double(kept->bytes) < 1.25 * stored && double(kept->bytes) < 0.6 * double(widened->bytes));

        // Parts of rows and stacks of layers of different formats are kept too.
        const Linear part = a.linearRows("l", in, out, 32, 32);
        QVERIFY(double(part->bytes) < 0.6 * 32 * in * 4);
        m_backend->linear(x, *part, y = Tensor(*m_backend, {rows, 32}));
        const HostTensor got = download(y), all = download(z);
        for (std::int64_t i = 0; i < rows * 32; ++i) QCOMPARE(got.at(i), all.at(i / 32 * out + 32 + i % 32));
    }

    // As in GGUF files, where v has another format than q and k.
    void stacksOfDifferentFormats() {
        if (qEnvironmentVariable("MEANDER_CPU_DNNL") == "1") QSKIP("oneDNN sums in another order");
        const std::int64_t in = 256;
        auto source = std::make_shared<MemoryWeights>(), wide = std::make_shared<MemoryWeights>();
        const WeightFormat formats[] = {WeightFormat::Q4_0, WeightFormat::Q8_0, WeightFormat::F16};
        std::vector<NetworkBuilder::Part> parts;
        for (int i = 0; i < 3; ++i) {
            const std::string name = "l" + std::to_string(i);
            source->weights[name + ".weight"] =
                quantised(HostWeight::fromFloats({16, in}, randomFloats(16 * in, std::uint32_t(i))), formats[i]);
            wide->add(name + ".weight", {16, in}, source->weights[name + ".weight"].floats());
            parts.emplace_back(name, 16);
        }
        NetworkBuilder a(*m_backend, *source, DType::F32), b(*m_backend, *wide, DType::F32);
        const Linear kept = a.linearStack(parts, in, false, DType::F32),
                     widened = b.linearStack(parts, in, false, DType::F32);
        const Tensor x = upload(*m_backend, HostTensor::fromFloats({3, in}, randomFloats(3 * in, 3)));
        Tensor y(*m_backend, {3, 48}), z(*m_backend, {3, 48});
        m_backend->linear(x, *kept, y);
        m_backend->linear(x, *widened, z);
        QVERIFY(download(y).sameBits(download(z)));
        QVERIFY(kept->bytes < widened->bytes / 2);
    }
};

QTEST_GUILESS_MAIN(TestQuantised)
#include "tst_quantised.moc"
