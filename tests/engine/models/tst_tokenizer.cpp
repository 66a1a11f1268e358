// CLIP's tokenizer against tokens made by the training scripts, and its ranges and words.
#include <QtTest>

#include "engine/core/json.h"
#include "engine/core/resources.h"
#include "engine/models/tokenizers/clip_bpe.h"
#include "engine/models/tokenizers/unicode.h"

using namespace meander;

namespace {
ClipTokenizer sprites() {
    const auto folder = findResource("models/sprites-unet/tokenizer");
    if (!folder) qFatal("the built-in models are missing");
    auto t = ClipTokenizer::open(*folder);
    if (!t) qFatal("%s", t.error().text.c_str());
    return std::move(*t);
}
}  // namespace

class TestTokenizer : public QObject {
    Q_OBJECT
private slots:
    void golden() {
        const ClipTokenizer t = sprites();
        for (const char* model : {"sprites-unet", "sprites-dit", "sprites-lcm"}) {
            const auto path = findResource(std::string("models/") + model + "/golden_tokens.json");
            if (!path) continue;
            const auto golden = readJsonFile(*path);
            QVERIFY(golden.ok());
            for (const auto& g : *golden) {
                std::vector<int> ids;
                for (const auto& token : t.encode(g["text"].get<std::string>())) ids.push_back(token.id);
                QVERIFY2(ids == g["ids"].get<std::vector<int>>(), g["text"].get<std::string>().c_str());
            }
        }
    }
    void wordsAndRanges() {
        const ClipTokenizer t = sprites();
        const std::string normal = ClipTokenizer::normalForm("  A RED\t\tcircle,  zebra ");
        QCOMPARE(normal, std::string("a red circle, zebra"));
        const auto tokens = t.encode("  A RED\t\tcircle,  zebra ");
        QCOMPARE(int(tokens.size()), t.length());
        QVERIFY(tokens.front().special && tokens.front().word == -1 && tokens.back().special);
        int word = -1;
        std::string joined;
        for (const auto& k : tokens) {
            if (k.special) continue;
            QVERIFY(k.word == word || k.word == word + 1);
            word = k.word;
            QCOMPARE(normal.substr(std::size_t(k.begin), std::size_t(k.end - k.begin)), k.text);
            joined += k.text;
        }
        QCOMPARE(joined, std::string("aredcircle,zebra"));
        QCOMPARE(word, 4);  // a, red, circle, comma, zebra
    }
    void hostileText() {
        const ClipTokenizer t = sprites();
        for (const std::string& text : {std::string("\xff\xfe\x80 a"), std::string(5000, 'x'), std::string("a\0b", 3),
                                        std::string("\xf0\x9f\x98"), std::string("<|endoftext|><|startoftext|>")}) {
            const auto tokens = t.encode(text);
            QCOMPARE(int(tokens.size()), t.length());
            for (const auto& k : tokens) QVERIFY(k.id >= 0 && k.id < t.vocabularySize());
        }
    }
    void unicode() {
        QVERIFY(isLetter('a') && isLetter(U'é') && isLetter(U'赤') && !isLetter('1') && !isLetter('_') && isNumber(U'٣')
                && isSpace(0xa0));
        QCOMPARE(lowerCase(U'É'), U'é');
        QCOMPARE(lowerCase(U'Σ'), U'σ');
        QCOMPARE(lowerCase(U'Я'), U'я');
        QCOMPARE(lowerCase(U'ß'), U'ß');
    }
    // The reference tokenizer composes (NFC) before it lower-cases; İ becomes two characters.
    void normalisation() {
        QCOMPARE(ClipTokenizer::normalForm("re\u0301d CAFE\u0301"), std::string("r\u00e9d caf\u00e9"));
        QCOMPARE(ClipTokenizer::normalForm("\u0130stanbul"), std::string("i\u0307stanbul"));
        QCOMPARE(composed("\u1100\u1161\u11a8"), std::string("\uac01"));  // Hangul
        QCOMPARE(composed("a\u0323\u0302"), std::string("\u1ead"));       // two marks
        QCOMPARE(composed("a\u0302\u0323"), std::string("\u1ead"));       // in the other order
        QCOMPARE(composed("\u212b"), std::string("\u00c5"));              // Ångström sign
        QCOMPARE(composed("\u0958"), std::string("\u0915\u093c"));        // never composed again
        QCOMPARE(composed("a red circle"), std::string("a red circle"));
    }

    // Ids of the reference implementation for awkward strings, with CLIP's own vocabulary.
    void referenceIds() {
        const QString folder =
            qEnvironmentVariable("MEANDER_REFERENCE", MEANDER_SOURCE_DIR "/../shared/reference") + "/real/tokenizers/";
        if (!QFile::exists(folder + "golden_ids.json")) QSKIP("no reference vocabularies beside the repository");
        QTemporaryDir own;
        QVERIFY(QFile::copy(folder + "clip_vocab.json", own.filePath("vocab.json"))
                && QFile::copy(folder + "clip_merges.txt", own.filePath("merges.txt")));
        const auto t = ClipTokenizer::open(own.path().toStdString());
        QVERIFY2(t.ok(), t ? "" : t.error().text.c_str());
        const auto golden = readJsonFile((folder + "golden_ids.json").toStdString());
        QVERIFY(golden.ok());
        int compared = 0;
        for (const auto& g : (*golden)["cases"]) {
            auto ids = g["clip"].get<std::vector<int>>();
            const int end = ids.back();
            if (ids.size() > std::size_t(t->length())) {  // the reference's are not cut
                ids.resize(std::size_t(t->length()) - 1);
                ids.push_back(end);
            }
            const std::string text = g["text"].get<std::string>();
            const auto tokens = t->encode(text);
            for (std::size_t i = 0; i < tokens.size(); ++i)
                QVERIFY2(tokens[i].id == (i < ids.size() ? ids[i] : end), text.c_str());
            ++compared;
        }
        qInfo() << compared << "strings";
        QVERIFY(compared >= 20);
    }
    void damagedFolder() { QVERIFY(!ClipTokenizer::open("/nowhere").ok()); }
};

QTEST_GUILESS_MAIN(TestTokenizer)
#include "tst_tokenizer.moc"
