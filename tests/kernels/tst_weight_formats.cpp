// Weights that stay in the format of their file: the bits of the widened product, and honest counts of bytes.
#include <QTest>

#include "kernels/verify/stored_matrix.h"

using namespace meander::kernels;
using verify::StoredMatrix;

class WeightFormatsTest : public QObject {
    Q_OBJECT

private slots:
    void sameBitsAsWidened_data() {
        QTest::addColumn<int>("format");
        for (int i = 0; i < weightFormatCount; ++i) QTest::newRow(infoOf(WeightFormat(i)).name) << i;
    }
    // Several tiles of columns, a last panel that is narrow, one row and many.
    void sameBitsAsWidened() {
        if (qEnvironmentVariable("MEANDER_CPU_DNNL") == "1") QSKIP("oneDNN sums in another order");
        QFETCH(int, format);
        const auto cpu = createCpuBackend({.threads = 2});
        const std::int64_t out = 1030, in = 768;
        const StoredMatrix w(WeightFormat(format), out, in, 5);
        std::vector<float> values = w.values();
        const auto wide = cpu->packLinear({values.data(), DType::F32, {out, in}}, {}, DType::F32);
        const auto kept = cpu->packStoredLinear({&w.matrix, 1}, {}, DType::F32);
        for (const std::int64_t rows : {1, 2, 97}) {
            verify::Fixture t(*cpu);
            const View x = t.put(verify::random({rows, in}, DType::F32, 1), DType::F32),
                       a = t.room({rows, out}, DType::F32), b = t.room({rows, out}, DType::F32);
            cpu->linear(x, *wide, a);
            cpu->linear(x, *kept, b);
            QCOMPARE(verify::differing(t.get(b), t.get(a)), 0.0);
        }
    }

    // The bytes told are those of the file and little more, and so is what the backend allocates (its pool deals in
    // pieces of 2 MB).
    void bytesAreTrue() {
        const auto cpu = createCpuBackend();
        for (int i = 0; i < weightFormatCount; ++i) {
            const StoredMatrix w(WeightFormat(i), 2048, 2048, 5);
            std::vector<float> bias(2048, 1.0f);
            const std::size_t before = cpu->memoryUse().current;
            const auto kept = cpu->packStoredLinear({&w.matrix, 1}, {bias.data(), DType::F32, {2048}}, DType::F32);
            const double file = double(w.bytes.size()), told = double(kept->bytes),
                         allocated = double(cpu->memoryUse().current - before);
            QVERIFY2(told >= file && told < 1.06 * file, infoOf(WeightFormat(i)).name);
            QVERIFY2(allocated >= file && allocated < 1.06 * file + (2 << 20), infoOf(WeightFormat(i)).name);
            cpu->trim();
        }
    }

    void allHalvesAndBytes() {
        std::vector<std::uint16_t> halves(65536);
        for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = std::uint16_t(i);
        std::vector<float> values(halves.size());
        decodeWeights(WeightFormat::F16, halves.data(), 65536, values.data());
        for (std::size_t i = 0; i < halves.size(); ++i) {
            const float want = f16ToFloat(halves[i]);
            QVERIFY(want == values[i] || (want != want && values[i] != values[i]));
        }
        // e4m3: bias 7, no infinity, 0x7f is NaN; e5m2 is the upper byte of a half.
        std::vector<std::uint8_t> bytes(256);
        for (std::size_t i = 0; i < 256; ++i) bytes[i] = std::uint8_t(i);
        decodeWeights(WeightFormat::F8E4M3, bytes.data(), 256, values.data());
        for (int i = 0; i < 256; ++i) {
            const int exponent = i >> 3 & 15, mantissa = i & 7;
            const double size =
                exponent ? std::ldexp(1 + mantissa / 8.0, exponent - 7) : std::ldexp(mantissa / 8.0, -6);
            if ((i & 127) == 127) QVERIFY(values[std::size_t(i)] != values[std::size_t(i)]);
            else QCOMPARE(double(values[std::size_t(i)]), i & 128 ? -size : size);
        }
        decodeWeights(WeightFormat::F8E5M2, bytes.data(), 256, values.data());
        for (int i = 0; i < 256; ++i) {
            const float want = f16ToFloat(std::uint16_t(i << 8));
            QVERIFY(want == values[std::size_t(i)] || want != want);
        }
    }

    void partsMustFit() {
        const auto cpu = createCpuBackend();
        const StoredMatrix a(WeightFormat::Q8_0, 4, 64, 1), b(WeightFormat::Q8_0, 4, 32, 1);
        const WeightMatrix both[] = {a.matrix, b.matrix}, odd[] = {{a.bytes.data(), WeightFormat::Q8_0, 1, 33}};
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, cpu->packStoredLinear(both, {}, DType::F32));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, cpu->packStoredLinear(odd, {}, DType::F32));
        QVERIFY_THROWS_EXCEPTION(std::invalid_argument, cpu->packStoredLinear({}, {}, DType::F32));
    }
};

QTEST_GUILESS_MAIN(WeightFormatsTest)
#include "tst_weight_formats.moc"
