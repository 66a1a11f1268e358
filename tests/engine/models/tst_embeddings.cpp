// Embeddings of textual inversion: files of every layout, found by name beside a model and used in prompts; what is
// missing or made for another family is named.
#include <QtTest>

#include "engine/models/text/embeddings.h"
#include "tests/engine/models/small_models.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using namespace meander::fixture;
using namespace meander::test;

class TestEmbeddings : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string m_model;
    int m_width = 0;

    static HostTensor vectors(std::int64_t count, std::int64_t width, std::uint32_t seed) {
        return HostTensor::fromFloats({count, width}, randomFloats(std::size_t(count * width), seed));
    }
    void write(const char* name, const std::string& bytes) const {
        writeText(m_folder.filePath(QString("embeddings/") + name), bytes);
    }
    Recipe recipe(const std::string& prompt, const char* dialect) const {
        Recipe r;
        r.model = m_model;
        r.prompt = prompt;
        r.promptDialect = dialect;
        r.steps = 2;
        r.attention = AttentionLevel::Off;
        return r;
    }
    HostTensor images(const std::string& prompt, const char* dialect) const {
        const auto run = carryOut(planned(recipe(prompt, dialect)));
        if (run->status != RunStatus::Finished) qFatal("%s", run->problem.c_str());
        return run->images;
    }

private slots:
    // A copy of the built-in model in a folder of its own, with embeddings beside it.
    void initTestCase() {
        const QDir from(QString::fromStdString(*findResource("models/sprites-unet")));
        for (const QString& part : from.entryList(QDir::Dirs | QDir::NoDotAndDotDot))
            for (const QString& name : QDir(from.filePath(part)).entryList(QDir::Files))
                writeText(m_folder.filePath("model/" + part + "/" + name), fileBytes(from.filePath(part + "/" + name)));
        writeText(m_folder.filePath("model/model_index.json"), fileBytes(from.filePath("model_index.json")));
        m_model = m_folder.filePath("model").toStdString();
        const Json config = Json::parse(fileBytes(from.filePath("text_encoder/config.json")));
        m_width = config["hidden_size"].get<int>();
        write("a-style.safetensors", safetensorsBytes({{"emb_params", vectors(2, m_width, 1)}}));
        write("a-style2.safetensors", safetensorsBytes({{"emb_params", vectors(2, m_width, 2)}}));
        write("xl.safetensors", safetensorsBytes({{"clip_l", vectors(1, 768, 3)}, {"clip_g", vectors(1, 1280, 4)}}));
        write("learned.bin", torchBytes({{"<token>", vectors(1, m_width, 5)}}));
        write("old.pt", torchBytes({{"string_to_param.*", vectors(3, m_width, 6)}}));
        write("pair.bin", torchBytes({{"<s1>", vectors(1, m_width, 7)}, {"<s2>", vectors(2, m_width, 8)}}));
        write("note.txt", "no embedding");
    }

    void layouts() {
        const auto read = [&](const char* name) {
            return readEmbedding(m_folder.filePath(QString("embeddings/") + name).toStdString());
        };
        QCOMPARE(read("a-style.safetensors").ofWidth(m_width)->values.size(), std::size_t(2 * m_width));
        QCOMPARE(read("learned.bin").ofWidth(m_width)->values.size(), std::size_t(m_width));
        QCOMPARE(read("old.pt").ofWidth(m_width)->values.size(), std::size_t(3 * m_width));
        // Tokens learned together.
        const std::vector<float> pair = read("pair.bin").ofWidth(m_width)->values,
                                 second = vectors(2, m_width, 8).toFloats();
        QCOMPARE(pair.size(), std::size_t(3 * m_width));
        QVERIFY(std::equal(second.begin(), second.end(), pair.begin() + m_width));
        const Embedding xl = read("xl.safetensors");
        QVERIFY(xl.ofWidth(768) && xl.ofWidth(1280) && !xl.ofWidth(1024));
        QVERIFY_EXCEPTION_THROWN(read("../model/unet/diffusion_pytorch_model.safetensors"), Failure);
    }
    void realFile() {
        const QString path = qEnvironmentVariable("MEANDER_REFERENCE", MEANDER_SOURCE_DIR "/../shared/reference")
                             + "/real/lora/textual_inversion_learned_embeds.bin";
        if (!QFile::exists(path)) QSKIP("no reference embedding beside the repository");
        const Embedding e = readEmbedding(path.toStdString());
        QVERIFY(e.ofWidth(768));
        QCOMPARE(e.ofWidth(768)->values.size(), std::size_t(768));
    }

    // Names in prompts: the longest that fits, between other words, in the syntax of each program.
    void namesInPrompts() {
        const EmbeddingFolder folder(m_model);
        QCOMPARE(int(folder.entries().size()), 6);
        const auto pieces = [&](const std::string& prompt, PromptDialect d) {
            QString all;
            for (const WeightedText& p : withEmbeddings(parsePrompt(prompt, d), folder, m_width, d))
                all +=
                    p.vectors
                        ? QString("<%1×%2> ").arg(QString::fromStdString(p.text)).arg(int(p.vectors->size()) / m_width)
                        : QString("'%1' ").arg(QString::fromStdString(p.text));
            return all;
        };
        QCOMPARE(pieces("A-Style, red", PromptDialect::A1111), QString("<a-style×2> ', red' "));
        QCOMPARE(pieces("in a-style2 old", PromptDialect::A1111), QString("'in ' <a-style2×2> ' ' <old×3> "));
        QCOMPARE(pieces("bold olden xa-style a-style-3", PromptDialect::A1111),
                 QString("'bold olden xa-style a-style-3' "));
        QCOMPARE(pieces("(learned:1.3) embedding:old", PromptDialect::ComfyUi), QString("'learned' ' ' <old×3> "));
        QCOMPARE(pieces("red embedding:nothing, blue", PromptDialect::ComfyUi), QString("'red ' ', blue' "));
        QCOMPARE(pieces("a-style", PromptDialect::Plain), QString("'a-style' "));
        QVERIFY_EXCEPTION_THROWN(pieces("xl", PromptDialect::A1111), Failure);
    }

    // In a recipe: the vectors act, by the name of each program, and weights act on them.
    void recipes() {
        const HostTensor named = images("a red circle, a-style", "a1111");
        QVERIFY(named.sameBits(images("a red circle, embedding:a-style", "comfyui")));
        QVERIFY(!named.sameBits(images("a red circle, a-style", "plain")));
        QVERIFY(!named.sameBits(images("a red circle, a-style2", "a1111")));
        QVERIFY(!named.sameBits(images("a red circle, (a-style:1.3)", "a1111")));
        // One that is missing is left out, and named before the run.
        QVERIFY(images("red embedding:none blue", "comfyui").sameBits(images("red blue", "comfyui")));
        const Plan p = planned(recipe("red embedding:none blue", "comfyui"));
        QVERIFY(std::any_of(p.notes.begin(), p.notes.end(), [](const PlanNote& n) {
            return n.kind == NoteKind::Warning && n.key == "prompt" && n.text.find("'none'") != std::string::npos;
        }));
        const auto other = carryOut(planned(recipe("xl", "a1111")));
        QVERIFY(other->status == RunStatus::Failed
                && QString::fromStdString(other->problem).contains("another family"));
    }
    // The vectors of an embedding are those of words: those of "red" make the image of "red".
    void wordAsEmbedding() {
        const auto weights = FileWeights::open(m_model + "/text_encoder", "model");
        QVERIFY(weights.ok());
        const WeightFile& file = (*weights)->files().front();
        std::string table;
        for (const auto& [name, entry] : file.entries())
            if (name.ends_with("token_embedding.weight")) table = name;
        const auto tokenizer = openTokenizer(m_model + "/tokenizer");
        QVERIFY(tokenizer.ok());
        const int id = (*tokenizer)->encode("red")[1].id;
        const std::vector<float> all = file.read(table).floats();
        const std::vector<float> row(all.begin() + std::ptrdiff_t(id) * m_width,
                                     all.begin() + std::ptrdiff_t(id + 1) * m_width);
        write("crimson.safetensors", safetensorsBytes({{"emb_params", HostTensor::fromFloats({1, m_width}, row)}}));
        QVERIFY(images("a crimson circle", "a1111").sameBits(images("a red circle", "a1111")));
    }
};

QTEST_GUILESS_MAIN(TestEmbeddings)
#include "tst_embeddings.moc"
