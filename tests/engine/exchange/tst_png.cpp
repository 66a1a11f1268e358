// PNG in and out, its texts, and files that lie.
#include <QtTest>
#include <random>

#include "engine/imaging/png.h"

using namespace meander;

namespace {
Image gradient(int w, int h) {
    Image p(w, h);
    for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x) {
            p.at(x, y)[0] = std::uint8_t(x * 7);
            p.at(x, y)[1] = std::uint8_t(y * 5);
            p.at(x, y)[2] = std::uint8_t(x ^ y);
        }
    return p;
}
}  // namespace

class TestPng : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;

private slots:
    void roundTrip() {
        const Image p = gradient(37, 21);
        const PngTexts texts = {{"meander", std::string(5000, 'x') + "{\"a\": 1}"},
                                {"parameters", "a red circle\nSteps: 20"},
                                {"Umlaut", "ünïcode ✓"},
                                {"Long umlaut", "✓" + std::string(3000, 'y')}};
        const auto path = m_folder.filePath("p.png").toStdString();
        QVERIFY(writePng(path, p, texts).ok());
        const auto file = readPng(path);
        QVERIFY2(file.ok(), file ? "" : file.error().text.c_str());
        QVERIFY(file->image == p);
        QVERIFY(file->texts == texts);
        QVERIFY(*readPngTexts(path) == texts);
        const auto qt = QFile(QString::fromStdString(path)).size();
        QVERIFY(qt > 100);
    }

    void tensorsAndImages() {
        const Image p = gradient(8, 6);
        QVERIFY(imageOf(tensorOf(p)) == p);
        const float values[] = {-1, 0.5f, 2, std::numeric_limits<float>::quiet_NaN(), 1, 0};
        const Image q = imageOf(HostTensor::fromFloats({1, 1, 2, 3}, values));
        QCOMPARE(int(q.rgb[0]), 0);
        QCOMPARE(int(q.rgb[1]), 128);
        QCOMPARE(int(q.rgb[2]), 255);
        QCOMPARE(int(q.rgb[3]), 0);
        QVERIFY_THROWS_EXCEPTION(Failure, imageOf(HostTensor::fromFloats({2, 3}, values)));
        QCOMPARE(enlarged(p, 3).width, 24);
        QCOMPARE(beside({p, p, p}, 2).width, 28);
    }

    void limits() {
        QVERIFY(!encodePng(Image()).ok());
        Image wide;
        wide.width = 20000;
        wide.height = 1;
        wide.rgb.resize(60000);
        QVERIFY(!encodePng(wide).ok());
        QVERIFY(!readPng(m_folder.filePath("none.png").toStdString()).ok());
        QVERIFY(!decodePng({}, "nothing").ok());
        QVERIFY(!writePng("/nowhere/p.png", gradient(2, 2)).ok());
        // A head that promises 16384 × 16384 pixels in a few bytes.
        auto bytes = *encodePng(gradient(16, 16));
        const unsigned char big[] = {0, 0, 0x40, 0, 0, 0, 0x40, 0};
        std::memcpy(bytes.data() + 16, big, 8);
        const auto r = decodePng(bytes, "a liar");
        QVERIFY(!r.ok());
    }

    // A text that claims 2 GB in a small file takes no memory; one that is cut off in its pixels still gives its texts.
    void chunksThatLie() {
        const PngTexts texts = {{"k", "a text"}};
        auto bytes = *encodePng(gradient(16, 16), texts);
        const auto placeOf = [&](const char* type) {
            return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(type);
        };
        const auto path = m_folder.filePath("cut.png").toStdString();
        QFile file(QString::fromStdString(path));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(reinterpret_cast<const char*>(bytes.data()), qint64(placeOf("IDAT") + 8));
        file.close();
        QVERIFY(*readPngTexts(path) == texts);
        QVERIFY(!readPng(path).ok());
        const unsigned char huge[] = {0x7f, 0xff, 0xff, 0xff};
        std::memcpy(bytes.data() + placeOf("tEXt") - 4, huge, 4);
        const auto r = decodePng(bytes, "a liar");
        QVERIFY(!r.ok() && r.error().text.find("longer than the file") != std::string::npos);
    }

    // Bytes changed, removed and repeated: an image or a sentence, never a crash (run under ASan).
    void damagedFiles() {
        const auto good = *encodePng(gradient(33, 17), {{"parameters", std::string(2000, 'z')}, {"k", "ä"}});
        std::mt19937 random(3);
        int read = 0;
        for (int round = 0; round < 3000; ++round) {
            auto bytes = good;
            const int kind = round % 3;
            if (kind == 0)
                for (unsigned k = 0; k < 1 + random() % 8; ++k) bytes[random() % bytes.size()] = std::byte(random());
            else if (kind == 1) bytes.resize(random() % bytes.size());
            else {
                const std::size_t a = random() % bytes.size(), n = random() % (bytes.size() - a);
                bytes.insert(bytes.begin() + std::ptrdiff_t(random() % bytes.size()), good.begin() + std::ptrdiff_t(a),
                             good.begin() + std::ptrdiff_t(a + n));
            }
            const auto r = decodePng(bytes, "a damaged file");
            if (r) ++read;
            else QVERIFY(r.error().text.size() > 20);
        }
        QVERIFY(read < 3000);
    }
};

QTEST_GUILESS_MAIN(TestPng)
#include "tst_png.moc"
