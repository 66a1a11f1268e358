// Weights of prompts against what A1111 and ComfyUI make of them, and prompts in chunks.
#include <QtTest>
#include <cmath>

#include "engine/core/resources.h"
#include "engine/models/text/prompt_syntax.h"

using namespace meander;

namespace {

using Pieces = std::vector<WeightedText>;

bool areEqual(const Pieces& a, const Pieces& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
               return x.text == y.text && x.isBreak == y.isBreak && std::abs(x.weight - y.weight) < 1e-6;
           });
}

QString textOf(const Pieces& pieces) {
    QString all;
    for (const auto& p : pieces)
        all += p.isBreak ? QString("BREAK ") : QString("'%1' %2 ").arg(QString::fromStdString(p.text)).arg(p.weight);
    return all;
}

// [('a ', 1.0), ('b', 1.1)] as Python writes it; ('BREAK', -1) is a break.
Pieces piecesIn(const QString& line) {
    Pieces pieces;
    static const QRegularExpression piece(R"(\('((?:[^'\\]|\\.)*)', (-?[\d.]+)\))");
    for (auto it = piece.globalMatch(line); it.hasNext();) {
        const auto m = it.next();
        const QString text = m.captured(1).replace("\\\\", "\\");
        const double weight = m.captured(2).toDouble();
        if (text == "BREAK" && weight == -1) pieces.push_back({"", 1, true});
        else pieces.push_back({text.toStdString(), weight, false});
    }
    return pieces;
}

}  // namespace

class TestPromptSyntax : public QObject {
    Q_OBJECT
    std::unique_ptr<Tokenizer> m_tokenizer;

private slots:
    void initTestCase() {
        const auto folder = findResource("models/sprites-unet/tokenizer");
        QVERIFY(folder);
        auto t = openTokenizer(*folder);
        QVERIFY(t.ok());
        m_tokenizer = std::move(*t);
    }

    void reference() {
        const QString path = qEnvironmentVariable("MEANDER_REFERENCE", MEANDER_SOURCE_DIR "/../shared/reference")
                             + "/golden/prompt_weights_a1111_comfyui.txt";
        QFile f(path);
        if (!f.open(QIODevice::ReadOnly)) QSKIP("no reference prompts beside the repository");
        int compared = 0;
        std::string prompt;
        for (const QString& line : QString::fromUtf8(f.readAll()).split('\n')) {
            const QString kind = line.trimmed().section(' ', 0, 0);
            if (!line.startsWith("   ")) {
                prompt = line.toStdString();
                continue;
            }
            if (kind != "A1111" && kind != "Comfy") continue;
            const Pieces expected = piecesIn(line);
            QVERIFY(!expected.empty());
            const Pieces got = parsePrompt(prompt, kind == "A1111" ? PromptDialect::A1111 : PromptDialect::ComfyUi);
            QVERIFY2(areEqual(got, expected), qPrintable(line + "\nbecame " + textOf(got)));
            ++compared;
        }
        qInfo() << compared << "prompts";
        QVERIFY(compared >= 30);
    }

    void ownCases_data() {
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("a1111");
        QTest::addColumn<QString>("comfy");
        const auto add = [](const char* prompt, const char* a1111, const char* comfy) {
            QTest::newRow(prompt) << QString(prompt) << QString(a1111) << QString(comfy);
        };
        add("", "'' 1 ", "'' 1 ");
        add("()", "'' 1 ", "'' 1 ");
        add("(a)", "'a' 1.1 ", "'a' 1.1 ");
        add("[a]", "'a' 0.909091 ", "'[a]' 1 ");
        add("(a: 1.5 )", "'a' 1.5 ", "'a' 1.5 ");
        add("(a:b)", "'a:b' 1.1 ", "'a:b' 1.1 ");
        add("(a:-1)", "'a' -1 ", "'a' -1 ");
        add("a BREAK b BREAK", "'a' 1 BREAK 'b' 1 BREAK ", "'a BREAK b BREAK' 1 ");
        add("aBREAK BREAKs", "'aBREAK BREAKs' 1 ", "'aBREAK BREAKs' 1 ");
        add("a)b", "'a)b' 1 ", "'a)b' 1 ");
        add("a\\b", "'ab' 1 ", "'a\\b' 1 ");
        add("a:1.3)", "'a:1.3)' 1 ", "'a:1.3)' 1 ");
    }
    void ownCases() {
        QFETCH(QString, prompt);
        QFETCH(QString, a1111);
        QFETCH(QString, comfy);
        QCOMPARE(textOf(parsePrompt(prompt.toStdString(), PromptDialect::A1111)), a1111);
        if (prompt != "()") QCOMPARE(textOf(parsePrompt(prompt.toStdString(), PromptDialect::ComfyUi)), comfy);
        QCOMPARE(textOf(parsePrompt(prompt.toStdString(), PromptDialect::Plain)), QString("'%1' 1 ").arg(prompt));
    }

    // Any text gives pieces, in the plain dialect the text itself, and no depth is too deep.
    void anyText() {
        QRandomGenerator rng(5);
        const std::string parts[] = {"(",     ")", "[", "]", ":", "1.2",   "\\",
                                     "BREAK", " ", "a", "é", ",", ":1.1)", "\x01"};
        for (int i = 0; i < 20000; ++i) {
            std::string text;
            for (int n = int(rng.bounded(30)); n > 0; --n) text += parts[rng.bounded(int(std::size(parts)))];
            for (const auto dialect : {PromptDialect::A1111, PromptDialect::ComfyUi}) {
                const Pieces pieces = parsePrompt(text, dialect);
                QVERIFY(!pieces.empty());
                for (const auto& p : pieces) QVERIFY(std::isfinite(p.weight));
            }
        }
        for (const auto dialect : {PromptDialect::A1111, PromptDialect::ComfyUi})
            QVERIFY(!parsePrompt(std::string(100000, '(') + std::string(100000, ')'), dialect).empty());
    }

    void chunks() {
        const std::size_t length = std::size_t(m_tokenizer->length()), room = length - 2;
        const auto of = [&](const std::string& prompt, PromptDialect d) {
            return promptChunks(parsePrompt(prompt, d), *m_tokenizer, d);
        };
        // A short prompt is what the tokenizer makes of it.
        for (const auto d : {PromptDialect::Plain, PromptDialect::A1111, PromptDialect::ComfyUi}) {
            for (const std::string text : {"", "a red circle, blue square"}) {
                const auto chunks = of(text, d);
                QCOMPARE(int(chunks.size()), 1);
                const auto whole = m_tokenizer->encode(text);
                for (std::size_t i = 0; i < length; ++i) {
                    QCOMPARE(chunks[0].tokens[i].id, whole[i].id);
                    QCOMPARE(chunks[0].tokens[i].word, whole[i].word);
                    QCOMPARE(chunks[0].weights[i], 1.0f);
                }
            }
        }
        std::string words;
        for (std::size_t i = 0; i < room + 3; ++i) words += "red ";
        QCOMPARE(int(of(words, PromptDialect::Plain).size()), 1);
        const auto two = of(words, PromptDialect::A1111);
        QCOMPARE(int(two.size()), 2);
        QVERIFY(two[0].tokens[room].text == "red" && two[1].tokens[3].text == "red" && two[1].tokens[4].special);
        QCOMPARE(two[0].tokens.size(), length);
        // BREAK, weights.
        const auto parts = of("red BREAK (blue:1.5)", PromptDialect::A1111);
        QCOMPARE(int(parts.size()), 2);
        QCOMPARE(parts[1].tokens[1].text, std::string("blue"));
        QCOMPARE(parts[1].weights[1], 1.5f);
        QCOMPARE(parts[1].weights[2], 1.0f);
        // What follows the last comma goes along.
        std::string comma;
        for (std::size_t i = 0; i + 3 < room; ++i) comma += "red ";
        const auto moved = of(comma + ", blue blue blue", PromptDialect::A1111);
        QCOMPARE(int(moved.size()), 2);
        QVERIFY(moved[0].tokens[room - 2].text == "," && moved[0].tokens[room - 1].special);
        QVERIFY(moved[1].tokens[1].text == "blue" && moved[1].tokens[3].text == "blue" && moved[1].tokens[4].special);
        const auto stays = of(comma + ", blue blue blue", PromptDialect::ComfyUi);
        QVERIFY(stays[0].tokens[room].text == "blue" && stays[1].tokens[1].text == "blue"
                && stays[1].tokens[2].special);
    }
};

QTEST_GUILESS_MAIN(TestPromptSyntax)
#include "tst_prompt_syntax.moc"
