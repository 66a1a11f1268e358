// What a file is is said before it is called damaged; sound files that cannot be computed with are not damaged either.
#include <QTemporaryDir>

#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;
using namespace meander::test;

class TestWeightFile : public QObject {
    Q_OBJECT
private slots:
    void kinds_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("words");
        const auto add = [](const char* name, std::string_view head, const char* words) {
            QTest::newRow(name) << QByteArray(head.data(), qsizetype(head.size())).append(64, 'x') << QString(words);
        };
        using namespace std::string_view_literals;
        QTest::newRow("empty") << QByteArray() << QString("an empty file");
        add("page", "<!DOCTYPE html><html>"sv, "an HTML page");
        add("page after blanks", "\xef\xbb\xbf\n  <HTML lang='en'>"sv, "an HTML page");
        add("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0"sv, "Git LFS pointer");
        add("json", "{\"model_type\": \"clip\""sv, "JSON text");
        add("jpeg", "\xff\xd8\xff\xe0"sv, "a JPEG image");
        add("png", "\x89PNG\r\n\x1a\n"sv, "a PNG image");
        add("webp", "RIFF\x10\0\0\0WEBPVP8 "sv, "a WebP image");
        add("gif", "GIF89a"sv, "a GIF image");
        add("onnx", "\x08\x07\x12\x07pytorch"sv, "an ONNX model");
        add("hdf5", "\x89HDF\r\n\x1a\n"sv, "an HDF5 file");
        add("numpy", "\x93NUMPY\x01\0"sv, "a NumPy array");
        add("archive", "\x1f\x8b\x08"sv, "a compressed archive");
        add("database", "SQLite format 3\0"sv, "a database");
        add("pickle", "\x80\x04\x95"sv, "a Python pickle");
        add("noise", "\x01\x02\x03\x04"sv, "unknown kind");
    }
    void kinds() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, words);
        const auto file = WeightFile::fromBytes(bytes.toStdString(), "model.bin");
        QVERIFY(!file.ok());
        const std::string& text = file.error().text;
        QVERIFY2(text.find(words.toStdString()) != std::string::npos, text.c_str());
        if (!words.isEmpty()) QVERIFY2(text.find("damaged") == std::string::npos, text.c_str());
        QVERIFY(text.find("'model.bin'") != std::string::npos && text.back() == '.');
    }

    void legalTypesAreNamed_data() {
        QTest::addColumn<int>("elements");
        QTest::addColumn<int>("bytes");
        for (const auto& [type, elements, bytes] : {std::tuple{"F4", 8, 4},
                                                    {"F6_E2M3", 4, 3},
                                                    {"F6_E3M2", 4, 3},
                                                    {"F8_E8M0", 4, 4},
                                                    {"F8_E4M3FNUZ", 4, 4},
                                                    {"F8_E5M2FNUZ", 4, 4},
                                                    {"C64", 1, 8}})
            QTest::newRow(type) << elements << bytes;
    }
    void legalTypesAreNamed() {
        QFETCH(int, elements);
        QFETCH(int, bytes);
        const std::string type = QTest::currentDataTag();
        const auto file =
            WeightFile::fromBytes(safetensorsOf(type, elements, bytes, std::string(std::size_t(bytes), '\0')), "test");
        QVERIFY2(file.ok(), file.ok() ? "" : file.error().text.c_str());
        QCOMPARE(file->entries().at("w").count, elements);
        try {
            file->read("w");
            QFAIL("it was read");
        } catch (const Failure& f) {
            QVERIFY(std::string(f.what()).find(type) != std::string::npos);
            QVERIFY(std::string(f.what()).find("damaged") == std::string::npos);
        }
    }

    void casesOfReports() {
        const auto folder = reference("cases/files");
        if (!folder) QSKIP("the cases are not here");
        const std::map<std::string, std::string> want{{"dtype_c64.safetensors", ""},
                                                      {"dtype_f4.safetensors", ""},
                                                      {"dtype_f8_e8m0.safetensors", ""},
                                                      {"duplicate_key.safetensors", "two entries"},
                                                      {"empty.safetensors", "an empty file"},
                                                      {"lfs_pointer.safetensors", "Git LFS pointer"},
                                                      {"metadata_number.safetensors", ""},
                                                      {"model.ckpt", "Python pickle"},
                                                      {"model.gguf", ""},
                                                      {"only_metadata.safetensors", ""},
                                                      {"page_404.safetensors", "an HTML page"}};
        for (const auto& [name, words] : want) {
            const auto file = WeightFile::open((*folder + "/").toStdString() + name);
            const std::string text = file ? "" : file.error().text;
            QVERIFY2(words.empty() ? file.ok() : text.find(words) != std::string::npos, (name + ": " + text).c_str());
        }
    }

    // A header, then nothing but a hole: opened without looking at the data.
    void largeFilesOpenAtOnce() {
        QTemporaryDir folder;
        const QString path = folder.filePath("large.safetensors");
        const std::int64_t total = std::int64_t(12) << 30, tensors = 1500, each = total / tensors / 4 * 4;
        const QString entry =
            R"("blocks.%1.attention.weight": {"dtype": "F16", "shape": [%2], "data_offsets": [%3, %4]})";
        QStringList entries;
        for (std::int64_t i = 0; i < tensors; ++i)
            entries << entry.arg(i).arg(each / 2).arg(i * each).arg((i + 1) * each);
        const std::string header = "{" + entries.join(',').toStdString();
        QFile out(path);
        QVERIFY(out.open(QIODevice::WriteOnly));
        const std::string head = safetensorsFile(header + "}", "");
        out.write(head.data(), qint64(head.size()));
        if (!out.resize(qint64(head.size()) + tensors * each)) QSKIP("the disk makes no file with holes");
        out.close();
        QElapsedTimer timer;
        timer.start();
        const auto file = WeightFile::open(path.toStdString());
        const qint64 elapsed = timer.elapsed();
        QVERIFY2(file.ok(), file.ok() ? "" : file.error().text.c_str());
        QCOMPARE(file->entries().size(), std::size_t(tensors));
        QVERIFY2(elapsed < 300, qPrintable(QString::number(elapsed)));
        QCOMPARE(file->read("blocks.1499.attention.weight").bytes.size(), std::size_t(each));
    }

    void shrunkFilesAreNoticed() {
        QTemporaryDir folder;
        const QString path = folder.filePath("a.safetensors");
        QFile out(path);
        QVERIFY(out.open(QIODevice::WriteOnly));
        const std::string bytes = safetensorsOf("F32", 100000, 400000, std::string(400000, '\0'));
        out.write(bytes.data(), qint64(bytes.size()));
        out.close();
        const auto file = WeightFile::open(path.toStdString());
        QVERIFY(file.ok());
        file->read("w");
        QVERIFY(QFile::resize(path, 100));
        QVERIFY_THROWS_EXCEPTION(Failure, file->read("w"));
    }

    void shardsStayInTheirFolder() {
        QTemporaryDir folder;
        for (const char* shard : {"../a.safetensors", "/etc/passwd", "x/y.safetensors", "..\\\\a.safetensors", "C:a"}) {
            QFile index(folder.filePath("model.safetensors.index.json"));
            QVERIFY(index.open(QIODevice::WriteOnly | QIODevice::Truncate));
            index.write(QString(R"({"weight_map": {"w": "%1"}})").arg(shard).toUtf8());
            index.close();
            const auto weights = FileWeights::open(folder.path().toStdString(), "model");
            QVERIFY(!weights.ok());
            QVERIFY2(weights.error().text.find("outside its folder") != std::string::npos,
                     weights.error().text.c_str());
        }
    }

    void shardsAreOneSource() {
        QTemporaryDir folder;
        const auto write = [&](const char* name, const std::string& bytes) {
            QFile out(folder.filePath(name));
            if (!out.open(QIODevice::WriteOnly)) qFatal("cannot write");
            out.write(bytes.data(), qint64(bytes.size()));
        };
        const std::string one = Bytes().add(1.5f).add(2.5f), two = Bytes().add(3.5f);
        write("m-1.safetensors", safetensorsFile(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", one));
        write("m-2.safetensors", safetensorsFile(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", two));
        write("m.safetensors.index.json", R"({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}})");
        auto weights = FileWeights::open(folder.path().toStdString(), "m");
        QVERIFY2(weights.ok(), weights.ok() ? "" : weights.error().text.c_str());
        QCOMPARE((*weights)->parameters(), std::int64_t(3));
        QCOMPARE((*weights)->read("a", {2}).floats(), (std::vector<float>{1.5f, 2.5f}));
        QCOMPARE((*weights)->read("b", {1}).floats(), (std::vector<float>{3.5f}));
    }

    void bytesBehindTheTensorsAreANote() {
        const auto file = WeightFile::fromBytes(safetensorsOf("U8", 4, 4, std::string(9, 'x')), "test");
        QVERIFY(file.ok());
        QCOMPARE(file->notes().size(), std::size_t(1));
    }
};

QTEST_GUILESS_MAIN(TestWeightFile)
#include "tst_weight_file.moc"
