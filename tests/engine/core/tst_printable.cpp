// Text of files on a terminal: nothing steers it, everything else stays.
#include <QtTest>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "engine/core/printable.h"

using namespace meander;

class TestPrintable : public QObject {
    Q_OBJECT
private slots:
    void harmlessTextStays() {
        for (const char* text : {"", "a red circle", "ünïcode · σ → 0", "日本語", "😀", "a\\b\"c"})
            QCOMPARE(printable(text), std::string(text));
    }
    void everyControlCharacterIsWrittenOut() {
        for (int c = 0; c < 0x20; ++c) {
            const std::string out = printable(std::string(1, char(c)));
            QVERIFY2(out.starts_with("\\u00") && out.size() == 6, out.c_str());
        }
        QCOMPARE(printable("\x1b[2J\x1b]0;title\x07"), std::string("\\u001b[2J\\u001b]0;title\\u0007"));
        QCOMPARE(printable("\x7f"), std::string("\\u007f"));
        for (int c = 0x80; c < 0xA0; ++c)
            QCOMPARE(printable(std::string{'\xC2', char(c)}).substr(0, 4), std::string("\\u00"));
        QCOMPARE(printable("a\u202eb\u2066c\u2028d"), std::string("a\\u202eb\\u2066c\\u2028d"));
        QCOMPARE(printable("a\nb\tc", true), std::string("a\nb\tc"));
        QCOMPARE(printable("a\nb\tc"), std::string("a\\u000ab\\u0009c"));
    }
    void whatIsNotUtf8IsWrittenOut() {
        QCOMPARE(printable("\x9b"
                           "2J"),
                 std::string("\\x9b2J"));
        QCOMPARE(printable("\xc0\x9b"), std::string("\\xc0\\x9b"));           // overlong
        QCOMPARE(printable("\xed\xa0\x80"), std::string("\\xed\\xa0\\x80"));  // a surrogate
        QCOMPARE(printable("a\xe2\x82"), std::string("a\\xe2\\x82"));         // cut
        QCOMPARE(printable("\xf4\x90\x80\x80"), std::string("\\xf4\\x90\\x80\\x80"));
    }
    // A line of JSON means the same afterwards.
    void jsonKeepsItsMeaning() {
        const nlohmann::json j = {{"prompt", "a\x1b[2J\u0085b\u202ec\x7f"}};
        QVERIFY(nlohmann::json::parse(printable(j.dump())) == j);
    }
    void streamsInAnyPieces() {
        const std::string text = "σ → 0\n\x1b[0m 日本\u0085!\n";
        for (std::size_t size = 1; size < 8; ++size) {
            std::ostringstream target;
            {
                PrintableBuffer buffer(target.rdbuf());
                std::ostream out(&buffer);
                for (std::size_t i = 0; i < text.size(); i += size) out << text.substr(i, size);
                out.flush();
            }
            QCOMPARE(target.str(), printable(text, true));
        }
        std::ostringstream cut;
        {
            PrintableBuffer buffer(cut.rdbuf());
            std::ostream(&buffer) << "a\xe2";
        }
        QCOMPARE(cut.str(), std::string("a\\xe2"));
    }
};

QTEST_GUILESS_MAIN(TestPrintable)
#include "tst_printable.moc"
