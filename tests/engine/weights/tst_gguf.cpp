// GGUF: every block type gives the values of an independent implementation, metadata and shapes are read, and each of
// the lies that readers of this format fell for is a sentence.
#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;
using namespace meander::test;

namespace {

enum : std::uint32_t { U8 = 0, U32 = 4, Text = 8, List = 9 };

Bytes header(std::uint64_t tensors, std::uint64_t values, std::uint32_t version = 3) {
    Bytes b;
    b.raw("GGUF").add(version).add(tensors).add(values);
    return b;
}

void addTensor(Bytes& b, const std::string& name, std::vector<std::uint64_t> extents, std::uint32_t type,
               std::uint64_t offset) {
    b.text(name).add(std::uint32_t(extents.size()));
    for (const auto e : extents) b.add(e);
    b.add(type).add(offset);
}

// One tensor, with its data behind the padding.
std::string oneTensor(std::vector<std::uint64_t> extents, std::uint32_t type, std::uint64_t offset = 0,
                      std::size_t dataSize = 64, Bytes b = header(1, 0)) {
    addTensor(b, "t", std::move(extents), type, offset);
    b.append((32 - b.size() % 32) % 32, '\0');
    b.append(dataSize, 'x');
    return b;
}

std::string smallFile() {
    Bytes b = header(2, 2);
    b.text("general.name").add(std::uint32_t(Text)).text("small");
    b.text("list").add(std::uint32_t(List)).add(std::uint32_t(U8)).add(std::uint64_t(3)).raw("\1\2\3");
    addTensor(b, "a", {4, 2}, 0, 0);
    addTensor(b, "q", {32}, 8, 32);
    b.append((32 - b.size() % 32) % 32, '\0');
    return b.append(32 + 34, '\0');
}

std::string textOf(const std::string& bytes) {
    const auto file = WeightFile::fromBytes(bytes, "test");
    return file ? std::string() : file.error().text;
}

}  // namespace

class TestGguf : public QObject {
    Q_OBJECT
private slots:
    void goldenValues() {
        const auto file = WeightFile::open(goldenPath("golden.gguf").toStdString());
        QVERIFY2(file.ok(), file.ok() ? "" : file.error().text.c_str());
        int types = 0;
        for (const auto& [name, entry] : file->entries()) {
            if (!file->entries().contains(name + ".values")) continue;
            QCOMPARE(std::string(entry.type->name), name);
            QCOMPARE(entry.extents, (std::vector<std::int64_t>{2, 256}));
            const auto got = file->read(name).floats(), want = file->read(name + ".values").floats();
            QCOMPARE(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)), 0);
            ++types;
        }
        QCOMPARE(types, 13);
        QCOMPARE(file->metadata().at("general.name"), std::string("golden"));
        QCOMPARE(file->metadata().at("test.number"), std::string("7"));
        QCOMPARE(file->metadata().at("test.words"), std::string("20 texts"));
    }

    // Without a copy: what is read lies in the mapping.
    void nothingIsCopied() {
        const auto file = WeightFile::open(goldenPath("golden.gguf").toStdString());
        const HostWeight a = file->read("Q4_K"), b = file->read("Q4_K");
        QVERIFY(a.bytes.data() == b.bytes.data());
    }

    void shapesAreRestored() {
        std::vector<WeightFile> files;
        files.push_back(*WeightFile::open(goldenPath("golden.gguf").toStdString()));
        FileWeights weights(std::move(files));
        QVERIFY(*weights.shapeOf("reshaped") == kernels::Shape({2, 1, 16, 8}));
        // Leading axes of extent 1 are lost in the file.
        QVERIFY(weights.read("trimmed", {1, 4}).shape == kernels::Shape({1, 4}));
        QVERIFY_THROWS_EXCEPTION(Failure, weights.read("trimmed", {2, 2}));
    }

    void liesAreSentences_data() {
        QTest::addColumn<QByteArray>("bytes");
        const auto add = [](const char* name, const std::string& bytes) {
            if (bytes.size() >= 300) qFatal("a case of %zu bytes", bytes.size());
            QTest::newRow(name) << QByteArray::fromStdString(bytes);
        };
        const std::uint64_t large = std::uint64_t(1) << 63;
        add("a: product of extents overflows", oneTensor({std::uint64_t(1) << 32, std::uint64_t(1) << 32}, 0));
        add("a: to a small number", oneTensor({4, (std::uint64_t(1) << 62) + 1}, 0));
        add("b: bytes of blocks overflow", oneTensor({32, std::uint64_t(1) << 57}, 3));
        add("b: bytes of elements overflow", oneTensor({std::uint64_t(1) << 62}, 0));
        add("c: padding of an offset near 2^64", oneTensor({8}, 0, ~std::uint64_t(0) & ~std::uint64_t(31)));
        add("d: offset and size wrap", oneTensor({16}, 0, (std::uint64_t(1) << 63) + (std::uint64_t(1) << 62)));
        add("e: data begin beyond the end", header(1, 0).append(30, '\0'));
        for (const std::uint32_t alignment : {0u, 3u, 48u, 1u << 31}) {
            Bytes b = header(1, 1);
            b.text("general.alignment").add(std::uint32_t(U32)).add(alignment);
            add(qPrintable(QString("f: alignment %1").arg(alignment)), oneTensor({8}, 0, 0, 64, b));
        }
        Bytes b = header(1, 1);
        b.text("general.alignment").add(std::uint32_t(Text)).text("32");
        add("f: alignment a text", oneTensor({8}, 0, 0, 64, b));
        add("g: an extent of 0", oneTensor({0, 4}, 0));
        add("g: a negative extent", oneTensor({~std::uint64_t(0)}, 0));
        add("h: many values", header(0, large).append(20, 'x'));
        add("h: many tensors", header(large, 0).append(20, 'x'));
        add("h: a long key", header(0, 1).add(large).append(30, 'x'));
        add("h: a long text", header(0, 1).text("k").add(std::uint32_t(Text)).add(~std::uint64_t(0)).append(30, 'x'));
        for (const std::uint32_t type : {U8, Text}) {
            b = header(0, 1);
            b.text("k").add(std::uint32_t(List)).add(type).add(large).append(30, 'x');
            add(type == U8 ? "h: a long list" : "h: a long list of texts", b);
        }
        b = header(0, 1);
        b.text("k").add(std::uint32_t(List));
        for (int i = 0; i < 6; ++i) b.add(std::uint32_t(List)).add(std::uint64_t(1));
        add("h: lists of lists", b.append(30, 'x'));
        add("i: rows that are no whole blocks", oneTensor({33}, 8));
        add("j: an unknown type", oneTensor({8}, 77));
        add("j: a removed type", oneTensor({32}, 4));
        add("k: not aligned", oneTensor({4}, 0, 4));
        add("k: beyond the end", oneTensor({1024}, 0));
        b = header(2, 0);
        addTensor(b, "a", {16}, 0, 0);
        addTensor(b, "b", {16}, 0, 32);
        b.append((32 - b.size() % 32) % 32, '\0');
        add("k: overlapping", b.append(128, 'x'));
        add("l: five dimensions", oneTensor({1, 1, 1, 1, 8}, 0));
        b = header(2, 0);
        addTensor(b, "a", {8}, 0, 0);
        addTensor(b, "a", {8}, 0, 32);
        add("l: a name twice", b.append(96, 'x'));
        b = header(0, 2);
        for (int i = 0; i < 2; ++i) b.text("k").add(std::uint32_t(U8)).add(std::uint8_t(1));
        add("l: a key twice", b.append(30, 'x'));
        b = header(0, 1);
        b.text("k").add(std::uint32_t(99));
        add("a value of an unknown type", b.append(30, 'x'));
        add("version 1", header(0, 0, 1).append(30, 'x'));
        add("big-endian", header(0, 0, 0x03000000).append(30, 'x'));
        add("an old GGML file", Bytes().raw("tjgg").append(40, 'x'));
    }
    void liesAreSentences() {
        QFETCH(QByteArray, bytes);
        const std::string text = textOf(bytes.toStdString());
        QVERIFY(!text.empty());
        QVERIFY2(text.size() > 20 && text.back() == '.', text.c_str());
    }

    void unknownTypesAreNamed() {
        QVERIFY(textOf(oneTensor({8}, 77)).find("77") != std::string::npos);
        // A known type that cannot be computed is not damage.
        const auto file = WeightFile::fromBytes(oneTensor({256}, 18, 0, 98), "test");
        QVERIFY(file.ok());
        try {
            file->read("t");
            QFAIL("IQ3_XXS was read");
        } catch (const Failure& f) {
            QVERIFY(std::string(f.what()).find("IQ3_XXS") != std::string::npos);
            QVERIFY(std::string(f.what()).find("damaged") == std::string::npos);
        }
    }

    void cutEverywhere() {
        const std::string good = smallFile();
        QVERIFY2(readsWell(good), textOf(good).c_str());
        for (std::size_t n = 0; n < good.size(); ++n)
            QVERIFY2(!WeightFile::fromBytes(good.substr(0, n), "test").ok(), qPrintable(QString::number(n)));
    }

    void mutations() {
        const int readable = readableMutants(smallFile(), 150, 5000);
        QVERIFY(readable > 0 && readable < 4000 * std::max(1, qEnvironmentVariableIntValue("MEANDER_FUZZ")));
    }

    // Bulk reading: a vocabulary of 163,000 texts does not show.
    void largeListsAreQuick() {
        Bytes b = header(0, 1);
        b.text("tokenizer.ggml.tokens").add(std::uint32_t(List)).add(std::uint32_t(Text)).add(std::uint64_t(163'000));
        for (int i = 0; i < 163'000; ++i) b.text("token" + std::to_string(i));
        QElapsedTimer timer;
        timer.start();
        const auto file = WeightFile::fromBytes(b, "test");
        QVERIFY(file.ok());
        QVERIFY2(timer.elapsed() < 300, qPrintable(QString::number(timer.elapsed())));
    }
};

QTEST_GUILESS_MAIN(TestGguf)
#include "tst_gguf.moc"
