// safetensors: what is written comes back; whatever is cut, lied about or mutated becomes a sentence, never a crash
// (run under ASan in the asan preset).
#include <QTemporaryDir>
#include <QtTest>
#include <cstring>
#include <random>

#include "engine/weights/formats/safetensors_writer.h"
#include "engine/weights/weight_file.h"

using namespace meander;

namespace {

HostTensor sequence(Shape s) {
    std::vector<float> v(std::size_t(s.count()));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = float(i) * 0.25f - 1;
    return HostTensor::fromFloats(s, v);
}

std::string goodFile() {
    const HostTensor a = sequence({2, 3}), b = sequence({4});
    return safetensorsBytes({{"layer.weight", a},
                             {"layer.bias", b},
                             {"half", a.toF16()},
                             {"wide", HostTensor::fromDoubles({2}, std::vector<double>{1.5, -2.5})}},
                            {{"format", "pt"}});
}

std::string withHeader(const std::string& header, const std::string& data = std::string(64, 'x')) {
    std::string file;
    for (int i = 0; i < 8; ++i) file += char(std::uint64_t(header.size()) >> (8 * i) & 0xff);
    return file + header + data;
}

// Opens and reads everything; true when all of it was fine.
bool readAll(const std::string& bytes) {
    const auto file = WeightFile::fromBytes(bytes, "test");
    if (!file) {
        if (file.error().text.empty()) qFatal("an error without a sentence");
        return false;
    }
    bool fine = true;
    for (const auto& [name, entry] : file->entries()) {
        try {
            const HostWeight w = file->read(name);
            if (w.floats().size() != std::size_t(w.shape.count())) qFatal("a tensor of the wrong size");
        } catch (const Failure&) {
            fine = false;
        }
    }
    return fine;
}

}  // namespace

class TestSafetensors : public QObject {
    Q_OBJECT
private slots:
    void roundTrip() {
        QTemporaryDir folder;
        const std::string path = folder.filePath("a.safetensors").toStdString();
        const HostTensor a = sequence({2, 3, 1});
        QVERIFY(writeSafetensors(path, {{"a", a}, {"h", a.toF16()}}, {{"key", "value"}}).ok());
        const auto file = WeightFile::open(path);
        QVERIFY2(file.ok(), file.ok() ? "" : file.error().text.c_str());
        QCOMPARE(file->metadata().at("key"), std::string("value"));
        QCOMPARE(file->parameters(), std::int64_t(12));
        const HostWeight w = file->read("a"), h = file->read("h");
        QVERIFY(w.shape == Shape({2, 3, 1}) && w.format == WeightFormat::F32 && h.format == WeightFormat::F16);
        QVERIFY(std::memcmp(w.bytes.data(), a.bytes().data(), w.bytes.size()) == 0);
        QCOMPARE(h.floats(), a.toFloats());
        QVERIFY_THROWS_EXCEPTION(Failure, file->read("b"));
    }
    void integersBecomeFloats() {
        std::string data(24, '\0');
        data[0] = 5;
        data[8] = char(0xff), data[9] = data[10] = data[11] = data[12] = data[13] = data[14] = data[15] = char(0xff);
        data[20] = 1;  // 2^32: too large
        const std::string header = R"({"ok":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},)"
                                   R"("large":{"dtype":"I64","shape":[1],"data_offsets":[16,24]}})";
        const auto file = WeightFile::fromBytes(withHeader(header, data), "test");
        QVERIFY(file.ok());
        const HostWeight w = file->read("ok");
        QVERIFY(w.format == WeightFormat::F32);
        QCOMPARE(w.floats(), (std::vector<float>{5, -1}));
        QVERIFY_THROWS_EXCEPTION(Failure, file->read("large"));
    }
    void shapesAreChecked() {
        std::vector<WeightFile> files;
        files.push_back(*WeightFile::fromBytes(goodFile(), "test"));
        FileWeights weights(std::move(files));
        QVERIFY(weights.has("layer.bias") && !weights.has("other"));
        QCOMPARE(weights.read("layer.bias", {4}).floats().at(3), -0.25f);
        QVERIFY_THROWS_EXCEPTION(Failure, weights.read("layer.bias", {5}));
        QVERIFY_THROWS_EXCEPTION(Failure, weights.read("layer.weight", {6}));
        QVERIFY_THROWS_EXCEPTION(Failure, weights.read("other", {4}));
    }
    void lies_data() {
        QTest::addColumn<QString>("header");
        const auto add = [](const char* name, const char* header) { QTest::newRow(name) << QString(header); };
        add("empty object is a file without tensors, but then text", R"({"a":1})");
        add("list", R"([1,2])");
        add("not json", R"({"a":)");
        add("no dtype", R"({"a":{"shape":[1],"data_offsets":[0,4]}})");
        add("unknown dtype", R"({"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}})");
        add("dtype a number", R"({"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})");
        add("negative extent", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})");
        add("fractional extent", R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})");
        add("extent a text", R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})");
        add("overflowing product", R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})");
        add("overflowing to a small size",
            R"({"a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,16]}})");
        add("beyond 64 bits", R"({"a":{"dtype":"F32","shape":[99999999999999999999999],"data_offsets":[0,4]}})");
        add("too many extents", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})");
        add("offsets swapped", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})");
        add("offsets of another size", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})");
        add("one offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})");
        add("beyond the end", R"({"a":{"dtype":"F32","shape":[100],"data_offsets":[0,400]}})");
        add("far beyond the end",
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[9223372036854775800,9223372036854775804]}})");
        add("overlap", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                       R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})");
        add("one name twice", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                              R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})");
        add("metadata a list", R"({"__metadata__":[],"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})");
        add("deep", R"({"a":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]})");
    }
    void lies() {
        QFETCH(QString, header);
        const auto file = WeightFile::fromBytes(withHeader(header.toStdString()), "test");
        QVERIFY(!file.ok());
        QVERIFY(file.error().text.size() > 20 && file.error().text.back() == '.');
    }
    void cutEverywhere() {
        const std::string good = goodFile();
        QVERIFY(readAll(good));
        for (std::size_t n = 0; n < good.size(); ++n)
            QVERIFY2(!WeightFile::fromBytes(good.substr(0, n), "test").ok(), qPrintable(QString::number(n)));
    }
    void headerLengthLies() {
        const std::string good = goodFile();
        for (std::uint64_t length : {std::uint64_t(0), std::uint64_t(1), std::uint64_t(good.size()),
                                     std::uint64_t(1) << 31, std::uint64_t(1) << 63, ~std::uint64_t(0)}) {
            std::string bad = good;
            for (int i = 0; i < 8; ++i) bad[std::size_t(i)] = char(length >> (8 * i) & 0xff);
            QVERIFY(!WeightFile::fromBytes(bad, "test").ok());
        }
    }
    // Several thousand mutations: flipped bits, replaced bytes, removed and doubled stretches, digits replaced by other
    // digits.
    void mutations() {
        const std::string good = goodFile();
        std::mt19937 random(12345);
        int stillFine = 0;
        for (int round = 0; round < 6000; ++round) {
            std::string bad = good;
            const std::size_t header = 8 + std::size_t(static_cast<unsigned char>(good[0]))
                                       + 256 * std::size_t(static_cast<unsigned char>(good[1]));
            for (int edits = 1 + int(random() % 4); edits > 0; --edits) {
                const std::size_t at = random() % std::min(bad.size(), random() % 3 ? header : bad.size());
                switch (random() % 5) {
                case 0: bad[at] = char(bad[at] ^ (1 << random() % 8)); break;
                case 1: bad[at] = char(random()); break;
                case 2: bad.erase(at, 1 + random() % 8); break;
                case 3: bad.insert(at, bad.substr(at, 1 + random() % 8)); break;
                default:
                    if (bad[at] >= '0' && bad[at] <= '9') bad[at] = char('0' + random() % 10);
                }
                if (bad.size() < 4) break;
            }
            stillFine += readAll(bad);
        }
        QVERIFY(stillFine > 0 && stillFine < 5000);
    }
    void noSuchFile() {
        const auto file = WeightFile::open("/nowhere/a.safetensors");
        QVERIFY(!file.ok());
        QVERIFY(!WeightFile::open("/").ok());
    }
};

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
