// Every tokenizer against its reference implementation on 1,000 texts (tests/golden/tokenizers), by small vocabularies
// that lie in the repository and by the published ones where they are beside it; ranges of tokens; damaged files.
#include <QtTest>

#include "engine/core/json.h"
#include "engine/models/tokenizers/split_rule.h"
#include "engine/models/tokenizers/tokenizer.h"

using namespace meander;

namespace {

const QString folder = MEANDER_SOURCE_DIR "/tests/golden/tokenizers/";

QString reference() {
    return qEnvironmentVariable("MEANDER_REFERENCE", MEANDER_SOURCE_DIR "/../shared/reference") + "/real/tokenizers/";
}

// FNV-1a, 32 bits, over four little-endian bytes an id.
std::string hashOf(const std::vector<int>& ids) {
    std::uint32_t h = 0x811c9dc5;
    for (const int id : ids)
        for (int shift = 0; shift < 32; shift += 8) h = (h ^ (std::uint32_t(id) >> shift & 255)) * 0x01000193;
    return QString("%1").arg(h, 8, 16, QChar('0')).toStdString();
}

std::vector<int> idsOf(const Tokenizer& t, const std::string& text) {
    std::vector<int> ids;
    for (const Token& k : t.encode(text)) ids.push_back(k.id);
    return ids;
}

// CLIP's texts are padded with the token that ends them, and may themselves hold it once.
std::vector<int> withoutPadding(std::vector<int> ids, const std::string& expected) {
    const std::vector<int> all = ids;
    while (ids.size() > 2 && ids.back() == ids[ids.size() - 2]) ids.pop_back();
    if (hashOf(ids) != expected && ids.size() < all.size()) ids.push_back(ids.back());
    return ids;
}

QByteArray bytesOf(const QString& path) {
    QFile f(path);
    return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray();
}

// With ' for ", which moc does not follow in raw strings.
QByteArray json(QByteArray text) { return text.replace('\'', '"'); }

void write(const QString& path, const QByteArray& bytes) {
    QFile f(path);
    if (!f.open(QIODevice::WriteOnly) || f.write(bytes) != bytes.size()) qFatal("cannot write");
}

}  // namespace

class TestTokenizers : public QObject {
    Q_OBJECT
    QTemporaryDir m_folders;
    std::vector<std::string> m_texts;
    Json m_expected;

    // A folder of its own with the files of a tokenizer; empty: its published vocabulary is not here.
    QString folderOf(const QString& name) {
        static const std::map<QString, std::vector<std::pair<QString, QString>>> published{
            {"clip", {{"clip_vocab.json", "vocab.json"}, {"clip_merges.txt", "merges.txt"}}},
            {"qwen25", {{"qwen25_vocab.json", "vocab.json"}, {"qwen25_merges.txt", "merges.txt"}}},
            {"t5", {{"t5_spiece.model", "spiece.model"}}}};
        const QString own = m_folders.filePath(name) + "/";
        QDir().mkpath(own);
        if (const auto it = published.find(name); it != published.end()) {
            for (const auto& [from, to] : it->second)
                if (!QFile::exists(own + to) && !QFile::copy(reference() + from, own + to)) return {};
            // Long enough that no text is cut.
            if (name == "clip") write(own + "tokenizer_config.json", json("{'model_max_length': 4096}"));
        } else if (name == "sentencepiece") {
            QFile::copy(folder + "spiece.model", own + "spiece.model");
        } else {
            QFile::copy(folder + name + ".tokenizer.json", own + "tokenizer.json");
            if (name == "clip_json") write(own + "tokenizer_config.json", json("{'model_max_length': 4096}"));
        }
        return own;
    }
    std::unique_ptr<Tokenizer> open(const QString& path) {
        auto t = openTokenizer(path.toStdString());
        if (!t) qFatal("%s", t.error().text.c_str());
        return std::move(*t);
    }
    void everyTokenizer() {
        QTest::addColumn<QString>("name");
        for (const auto& [name, _] : m_expected.items()) QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }

private slots:
    void initTestCase() {
        m_texts = readJsonFile((folder + "strings.json").toStdString())->get<std::vector<std::string>>();
        m_expected = *readJsonFile((folder + "expected.json").toStdString());
        QCOMPARE(int(m_texts.size()), 1000);
        QVERIFY(m_expected.size() >= 12);
    }

    void thousandTexts_data() { everyTokenizer(); }
    void thousandTexts() {
        QFETCH(QString, name);
        const QString own = folderOf(name);
        if (own.isEmpty()) QSKIP("no reference vocabularies beside the repository");
        const auto t = open(own);
        const std::string expected = m_expected[name.toStdString()];
        QCOMPARE(expected.size(), 8 * m_texts.size());
        int wrong = 0;
        for (std::size_t i = 0; i < m_texts.size(); ++i) {
            auto ids = idsOf(*t, m_texts[i]);
            if (t->length() > 0) ids = withoutPadding(ids, expected.substr(8 * i, 8));
            if (hashOf(ids) == expected.substr(8 * i, 8)) continue;
            if (++wrong > 10) continue;
            QString list;
            for (const int id : ids) list += QString::number(id) + " ";
            qWarning().noquote() << i << QString::fromStdString(m_texts[i]) << "became" << list;
        }
        qInfo().noquote() << name << m_texts.size() - std::size_t(wrong) << "of" << m_texts.size() << "texts equal";
        QCOMPARE(wrong, 0);
    }

    void goldenIds() {
        const auto golden = readJsonFile((reference() + "golden_ids.json").toStdString());
        if (!golden) QSKIP("no reference vocabularies beside the repository");
        const auto clip = open(folderOf("clip")), t5 = open(folderOf("t5"));
        int compared = 0;
        for (const auto& g : (*golden)["cases"]) {
            const std::string text = g["text"];
            auto ids = idsOf(*clip, text);
            const auto expected = g["clip"].get<std::vector<int>>();
            ids.resize(std::min(ids.size(), expected.size()));
            QVERIFY2(ids == expected, text.c_str());
            QVERIFY2(idsOf(*t5, text) == g["t5"].get<std::vector<int>>(), text.c_str());
            ++compared;
        }
        QVERIFY(compared >= 20);
    }

    // A token's text is its range of the normalised text; words count up; ids lie in the vocabulary.
    void ranges_data() { everyTokenizer(); }
    void ranges() {
        QFETCH(QString, name);
        const QString own = folderOf(name);
        if (own.isEmpty()) QSKIP("no reference vocabularies beside the repository");
        const auto t = open(own);
        auto texts = m_texts;
        texts.insert(texts.end(), {"\xff\xfe\x80 a", std::string(5000, 'x'), "\xf0\x9f\x98", "\xe2\x96", "a\xc3"});
        for (const std::string& text : texts) {
            const std::string normal = t->normalised(text);
            int word = 0;
            for (const Token& k : t->encode(text)) {
                QVERIFY(k.id >= 0 && k.id < t->vocabularySize());
                if (k.special) continue;
                QVERIFY(k.begin >= 0 && k.begin < k.end && k.end <= int(normal.size()));
                QCOMPARE(k.text, normal.substr(std::size_t(k.begin), std::size_t(k.end - k.begin)));
                QVERIFY(k.word >= word);
                word = k.word;
            }
        }
    }

    // SD 2 and the second text encoder of SDXL pad with "!", CLIP-L with the end token; both kinds of files say so.
    void paddingOfTheFolder() {
        for (const bool isJson : {false, true}) {
            const QString own = isJson ? folderOf("clip_json") : folderOf("clip");
            if (own.isEmpty()) continue;
            for (const QByteArray padding : {"", "'!'", "{'content': '!'}"}) {
                QFile::remove(own + "special_tokens_map.json");
                write(own + "tokenizer_config.json",
                      json("{'model_max_length': 77, 'tokenizer_class': 'CLIPTokenizer'}"));
                if (!padding.isEmpty()) write(own + "special_tokens_map.json", json("{'pad_token': " + padding + "}"));
                const auto t = open(own);
                const auto tokens = t->encode("a cat");
                QCOMPARE(int(tokens.size()), 77);
                const auto bang = t->encode("!");
                const auto end =
                    std::find_if(tokens.begin() + 1, tokens.end(), [](const Token& k) { return k.special; });
                QCOMPARE(end->text, std::string("<|endoftext|>"));
                QCOMPARE(tokens.back().id == end->id, padding.isEmpty());
                if (!padding.isEmpty() && !isJson) QCOMPARE(tokens.back().id, 0);
                QVERIFY(bang.size() == 77);
            }
        }
    }

    // Cut anywhere, or with a byte changed: a sentence, or a tokenizer that works; never a crash.
    void damagedFiles_data() { everyTokenizer(); }
    void damagedFiles() {
        QFETCH(QString, name);
        static const std::map<QString, QString> files{
            {"clip", "merges.txt"}, {"qwen25", ""}, {"t5", ""}, {"sentencepiece", "spiece.model"}};
        const auto it = files.find(name);
        const QString file = it == files.end() ? "tokenizer.json" : it->second, own = folderOf(name);
        if (file.isEmpty() || own.isEmpty()) QSKIP("a small vocabulary of the same kind is damaged instead");
        const QByteArray whole = bytesOf(own + file);
        QVERIFY(whole.size() > 1000);
        QRandomGenerator rng(3);
        const int cases = std::max(1, qEnvironmentVariableIntValue("MEANDER_FUZZ")) * (name == "clip" ? 5 : 60);
        int refused = 0;
        for (int i = 0; i < cases; ++i) {
            QByteArray bytes = whole;
            if (i % 3 == 0) bytes.truncate(int(rng.bounded(quint32(bytes.size()))));
            else
                for (int n = 0; n < 1 + i % 5; ++n) {
                    // The head of a file holds its structure.
                    const quint32 range = i % 2 ? quint32(bytes.size()) : 300u;
                    bytes[int(rng.bounded(range))] = char(rng.bounded(256));
                }
            write(own + file, bytes);
            auto t = openTokenizer(own.toStdString());
            refused += !t.ok();
            if (t) idsOf(**t, "a cat, (日本:1.2) it's 8k é\xff");
            else QVERIFY(t.error().text.size() > 20);
        }
        write(own + file, whole);
        QVERIFY2(name == "clip" || refused > cases / 4, qPrintable(QString::number(refused)));
    }

    // What each reader must refuse, and how.
    void hostileFiles_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QByteArray>("bytes");
        const auto add = [](const char* name, const char* file, const QByteArray& bytes) {
            QTest::newRow(name) << QString(file) << bytes;
        };
        add("empty", "tokenizer.json", "");
        add("a list", "tokenizer.json", "[]");
        add("no model", "tokenizer.json", "{}");
        add("deep", "tokenizer.json", QByteArray(100000, '['));
        add("other model", "tokenizer.json", json("{'model':{'type':'WordPiece','vocab':{}}}"));
        add("negative id", "tokenizer.json", json("{'model':{'type':'BPE','vocab':{'a':-1},'merges':[]}}"));
        add("huge id", "tokenizer.json", json("{'model':{'type':'BPE','vocab':{'a':4000000000},'merges':[]}}"));
        add("merge of three", "tokenizer.json",
            json("{'model':{'type':'BPE','vocab':{'a':0},'merges':[['a','a','a']]}}"));
        add("merge with nothing", "tokenizer.json", json("{'model':{'type':'BPE','vocab':{'a':0},'merges':['a ']}}"));
        add("unknown token", "tokenizer.json",
            json("{'model':{'type':'BPE','vocab':{'a':0},'merges':[],'unk_token':'b'}}"));
        add("no pieces", "tokenizer.json", json("{'model':{'type':'Unigram','vocab':[],'unk_id':0}}"));
        add("unknown id", "tokenizer.json", json("{'model':{'type':'Unigram','vocab':[['a',0]],'unk_id':7}}"));
        add("score as text", "tokenizer.json", json("{'model':{'type':'Unigram','vocab':[['a','b']],'unk_id':0}}"));
        add("other pattern", "tokenizer.json",
            json("{'pre_tokenizer':{'type':'Split','pattern':{'Regex':'(a+)+$'},'behavior':'Isolated'},'model':{'type':"
                 "'BPE','vocab':{'a':0},'merges':[]}}"));
        add("other normaliser", "tokenizer.json",
            json("{'normalizer':{'type':'StripAccents'},'model':{'type':'BPE','vocab':{'a':0},'merges':[]}}"));
        add("charsmap too short", "tokenizer.json",
            json("{'normalizer':{'type':'Precompiled','precompiled_charsmap':'/////"
                 "w=='},'model':{'type':'Unigram','vocab':[['a',0]],'unk_id':0}}"));
        add("no protocol buffer", "spiece.model", "hello");
        add("length beyond the end", "spiece.model", QByteArray::fromHex("0affffffffffffffffff01"));
        add("endless number", "spiece.model", QByteArray(40, '\xff'));
        add("no pieces in it", "spiece.model", QByteArray::fromHex("1202 1801"));
        add("piece without end", "spiece.model", QByteArray::fromHex("0a03 0aff61"));
        add("unknown id outside", "spiece.model", QByteArray::fromHex("0a03 0a0161 1203 c00207"));
        add("byte pairs", "spiece.model", QByteArray::fromHex("0a03 0a0161 1202 1802"));
        add("charsmap of 4 GB", "spiece.model", QByteArray::fromHex("0a03 0a0161 1a07 1205 fcffffff00"));
    }
    void hostileFiles() {
        QFETCH(QString, file);
        QFETCH(QByteArray, bytes);
        QTemporaryDir own;
        write(own.filePath(file), bytes);
        const auto t = openTokenizer(own.path().toStdString());
        QVERIFY(!t.ok());
        QVERIFY2(QString::fromStdString(t.error().text).contains(own.path()), t.error().text.c_str());
    }

    // A trie that points outside itself, or back at itself, ends.
    void hostileCharsmap() {
        for (const QByteArray& units :
             {QByteArray::fromHex("ffffffff"), QByteArray::fromHex("00040000 61010000 ffffff7f"),
              QByteArray(4096, '\x61'), QByteArray(4096, '\xff')}) {
            QByteArray map(4, 0);
            qToLittleEndian(quint32(units.size()), map.data());
            map += units + QByteArray("x\0y", 3);
            const QByteArray file = json("{'normalizer':{'type':'Precompiled','precompiled_charsmap':'" + map.toBase64()
                                         + "'},'model':{'type':'Unigram','vocab':[['a',0],['?',-1]],'unk_id':1}}");
            QTemporaryDir own;
            write(own.filePath("tokenizer.json"), file);
            const auto t = open(own.path());
            QVERIFY(idsOf(*t, "aaaa\xff日").size() >= 1);
        }
    }

    // Rules that double the text forty times stop at a text that no encoder reads.
    void multiplyingRules() {
        QByteArray steps;
        for (int i = 0; i < 40; ++i)
            steps += (i ? "," : "") + json("{'type':'Replace','pattern':{'String':'a'},'content':'aa'}");
        QTemporaryDir own;
        write(own.filePath("tokenizer.json"),
              json("{'normalizer':{'type':'Sequence','normalizers':[") + steps
                  + json("]},'model':{'type':'Unigram','vocab':[['aaaaaaaaaaaaaaaa',0],['?',-1]],'unk_id':1}}"));
        QVERIFY(idsOf(*open(own.path()), "a").size() <= (1 << 20));
    }

    void splits() {
        const auto pieces = [](const SplitRule& rule, const std::string& text) {
            QStringList list;
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t end = pieceEnd(rule, text, at);
                list << QString::fromStdString(text.substr(at, end - at));
                at = end;
            }
            return list.join('|');
        };
        QCOMPARE(pieces(qwenSplit(), "I'M 42  red\n\n cats!!\n"), QString("I|'M| |4|2| | red|\n\n| cats|!!\n"));
        QCOMPARE(pieces(gpt2Split(), "I'm 42  red"), QString("I|'m| 42| | red"));
        QVERIFY(!findSplitRule("a*"));
    }
};

QTEST_GUILESS_MAIN(TestTokenizers)
#include "tst_tokenizers.moc"
