// PNG in and out, its texts, and files that lie.
#include <QtTest>
#include <random>

#include "engine/imaging/exif.h"
#include "engine/imaging/image_texts.h"
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

    // A head that declares more than 64 megapixels is refused by its size, before memory is taken.
    void declaredSizes() {
        auto bytes = *encodePng(gradient(16, 16));
        const auto declare = [&](std::uint32_t w, std::uint32_t h) {
            for (int i = 0; i < 4; ++i) {
                bytes[16 + std::size_t(i)] = std::byte(w >> (24 - 8 * i));
                bytes[20 + std::size_t(i)] = std::byte(h >> (24 - 8 * i));
            }
            const auto r = decodePng(bytes, "a large image");
            return r ? std::string() : r.error().text;
        };
        for (const auto& [w, h] :
             {std::pair(16384u, 16384u), std::pair(100000u, 4u), std::pair(0xffffffffu, 0xffffffffu)})
            QVERIFY2(declare(w, h).find("megapixels") != std::string::npos, declare(w, h).c_str());
        QVERIFY(declare(8192, 8192).find("megapixels") == std::string::npos);
        // Flat images pack well: one bit a pixel, 1000 times smaller than its colours, is read.
        const auto flat = *encodePng(Image(4000, 4000, {255, 255, 255}));
        QVERIFY(decodePng(flat, "a flat image").ok());
    }

    // Texts wherever they stand and whatever surrounds them.
    void textsAnywhere() {
        const auto good = *encodePng(gradient(8, 8), {{"a", "first"}});
        std::string file(reinterpret_cast<const char*>(good.data()), good.size());
        const auto chunk = [](const std::string& type, const std::string& data) {
            std::string c(4, '\0');
            for (int i = 0; i < 4; ++i) c[std::size_t(i)] = char(data.size() >> (24 - 8 * i));
            return c + type + data + "crc!";  // a wrong checksum
        };
        file.insert(file.find("IEND") - 4, chunk("tEXt", std::string("a\0second", 8))
                                               + chunk("tEXt", std::string("a\0first", 7))
                                               + chunk("zTXt", std::string("z\0\0damaged", 10)));
        const PngTextList list = pngTextsOf(std::as_bytes(std::span(file)));
        QVERIFY(list.texts == (PngTexts{{"a", "first"}, {"a (2)", "second"}}));
        QCOMPARE(list.skipped, 1);
        for (std::size_t n = 0; n < file.size(); ++n)
            static_cast<void>(pngTextsOf(std::as_bytes(std::span(file)).first(n)));
    }

    // EXIF of JPEG and WebP: both byte orders, both codes; damaged at every place.
    void metadataSegments() {
        const std::string comment = "a ball, caf\u00e9\nSteps: 20, Sampler: Euler a";
        for (const bool isBig : {true, false}) {
            const auto number = [&](std::uint32_t v, int n) {
                std::string s;
                for (int i = 0; i < n; ++i) s += char(v >> (isBig ? 8 * (n - 1 - i) : 8 * i));
                return s;
            };
            std::string value("UNICODE\0", 8);
            for (const QChar c : QString::fromStdString(comment)) value += number(c.unicode(), 2);
            const std::string tiff = (isBig ? "MM" : "II") + number(42, 2) + number(8, 4) + number(1, 2)
                                     + number(0x8769, 2) + number(4, 2) + number(1, 4) + number(26, 4) + number(0, 4)
                                     + number(1, 2) + number(0x9286, 2) + number(7, 2)
                                     + number(std::uint32_t(value.size()), 4) + number(44, 4) + number(0, 4) + value;
            const std::string exif = std::string("Exif\0\0", 6) + tiff;
            const std::string jpeg = std::string("\xff\xd8\xff\xe1") + char((exif.size() + 2) >> 8)
                                     + char(exif.size() + 2) + exif + "\xff\xda";
            std::string webp = "RIFF....WEBPEXIF";
            for (int i = 0; i < 4; ++i) webp += char(tiff.size() >> (8 * i));
            webp += tiff;
            QCOMPARE(jpegTextsOf(jpeg).texts.at("UserComment"), comment);
            QCOMPARE(webpTextsOf(webp).texts.at("UserComment"), comment);
            std::mt19937 random(7);
            for (int round = 0; round < 2000; ++round) {
                std::string j = jpeg, w = webp;
                j[random() % j.size()] = char(random());
                w[random() % w.size()] = char(random());
                static_cast<void>(jpegTextsOf(j.substr(0, random() % j.size())));
                static_cast<void>(jpegTextsOf(j));
                static_cast<void>(webpTextsOf(w));
            }
        }
        QCOMPARE(
            xmpUserComment("<exif:UserComment><rdf:Alt><rdf:li xml:lang=\"x-default\">{&quot;c&quot;: &quot;a &amp; "
                           "b&#233;&quot;}</rdf:li></rdf:Alt></exif:UserComment>"),
            std::string("{\"c\": \"a & b\u00e9\"}"));
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
