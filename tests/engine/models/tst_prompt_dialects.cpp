// Prompts of A1111 and ComfyUI as conditions: weighted states against a computation of their own with transformers
// (tests/golden/prompts), texts that change in the course of a run, joined texts; and as recipes.
#include <QtTest>
#include <cmath>

#include "engine/core/resources.h"
#include "engine/models/text/conditioner.h"
#include "engine/weights/renamed.h"
#include "engine/weights/weight_file.h"
#include "tests/engine/run/engine_fixture.h"

using namespace meander;
using namespace meander::fixture;

namespace {

const std::string golden = MEANDER_SOURCE_DIR "/tests/golden/prompts/prompts.safetensors";

// The largest difference, relative to the root mean square of the expected values.
double difference(const HostTensor& a, const std::vector<float>& expected) {
    if (a.count() != std::int64_t(expected.size())) return 1e9;
    double worst = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        worst = std::max(worst, std::abs(a.at(i) - double(expected[std::size_t(i)])));
        square += double(expected[std::size_t(i)]) * expected[std::size_t(i)];
    }
    return worst / std::sqrt(square / double(a.count()));
}

Recipe sprites(const std::string& prompt, const char* dialect = "a1111") {
    Recipe r;
    r.prompt = prompt;
    r.promptDialect = dialect;
    r.steps = 4;
    r.attention = AttentionLevel::Off;
    r.precision = "f32";
    r.sampler = {"euler", {}};
    r.guidance = {{"cfg", {{"scale", 3.0}}}};
    return r;
}

}  // namespace

class TestPromptDialects : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    TextStage stage(const std::string& name) {
        auto weights = FileWeights::open(golden);
        if (!weights) qFatal("%s", weights.error().text.c_str());
        const Json config = Json::parse((*weights)->files().front().metadata().at(name));
        Renamed source(std::shared_ptr<FileWeights>(std::move(*weights)), NameTable::withPrefix(name + "."));
        NetworkBuilder builder(*m_backend, source, DType::F32);
        auto tokenizer = openTokenizer(*findResource("models/sprites-unet/tokenizer"));
        if (!tokenizer) qFatal("%s", tokenizer.error().text.c_str());
        const TextEncoderKind* kind = findTextEncoder(config["architectures"][0].get<std::string>());
        return {std::move(*tokenizer), kind->build(config, "the golden file", builder)};
    }

private slots:
    void goldenStates() {
        auto file = WeightFile::open(golden);
        QVERIFY(file.ok());
        const Json cases = Json::parse(file->metadata().at("cases"));
        std::map<std::string, std::vector<TextStage>> stages;
        stages["clip"].push_back(stage("l"));
        stages["sdxl"].push_back(stage("l"));
        stages["sdxl"].push_back(stage("g"));
        double worst = 0;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const Json& c = cases[i];
            const std::string id = c["conditioner"].get<std::string>(), n = std::to_string(i);
            const Prompt prompt{.text = c["prompt"].get<std::string>(),
                                .classIndex = {},
                                .dialect = promptDialect(c["dialect"].get<std::string>()),
                                .clipSkip = c["clip_skip"].get<int>()};
            std::vector<Token> tokens;
            const Conditions got = findConditioner(id)->encode(stages[id], prompt, tokens);
            const HostTensor context = download(got.at(condition::context));
            QCOMPARE(context.shape()[1], std::int64_t(tokens.size()));
            const double d = difference(context, file->read("context." + n).floats());
            QVERIFY2(d < 1e-5, (n + " " + c.dump() + ": " + std::to_string(d)).c_str());
            worst = std::max(worst, d);
            if (id == "sdxl")
                QVERIFY(difference(download(got.at(condition::pooled)), file->read("pooled." + n).floats()) < 1e-5);
        }
        QVERIFY(cases.size() >= 18);
        qInfo() << cases.size() << "weighted prompts, largest relative difference" << worst;
    }

    // The prompt at each of ten steps, as intervals of equal texts: "1 a | 10 b" is a in the first step, then b.
    void schedules_data() {
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("expected");
        const auto add = [](const char* prompt, const char* expected) {
            QTest::newRow(prompt) << QString(prompt) << QString(expected);
        };
        add("test", "10 test");
        add("a [b:3]", "3 a |10 a b");
        add("a [b: 3]", "3 a |10 a b");
        add("a [[[b]]:2]", "2 a |10 a [[b]]");
        add("[(a:2):3]", "3 |10 (a:2)");
        add("a [b : c : 1] d", "1 a b  d|10 a  c  d");
        add("a[b:[c:d:2]:1]e", "1 abe|2 ace|10 ade");
        add("a [unbalanced", "10 a [unbalanced");
        add("a [b:.5] c", "5 a  c|10 a b c");
        add("((a][:b:c [d:3]", "3 ((a][:b:c |10 ((a][:b:c d");
        add("[a|(b:1.1)]", "1 a|2 (b:1.1)|3 a|4 (b:1.1)|5 a|6 (b:1.1)|7 a|8 (b:1.1)|9 a|10 (b:1.1)");
        add("[fe|||]male", "1 female|4 male|5 female|8 male|9 female|10 male");
        add("a [b:1.5] c", "10 a  c");
        add("\\[a:b:3\\]", "10 \\[a:b:3\\]");
    }
    void schedules() {
        QFETCH(QString, prompt);
        QFETCH(QString, expected);
        QString got, last;
        for (int step = 0; step <= 10; ++step) {
            const QString now =
                step < 10 ? QString::fromStdString(promptAt(prompt.toStdString(), PromptDialect::A1111, step, 10))
                          : QString("\x01");
            if (step > 0 && now != last) got += (got.isEmpty() ? "" : "|") + QString::number(step) + " " + last;
            last = now;
        }
        QCOMPARE(got, expected);
        for (const auto d : {PromptDialect::Plain, PromptDialect::ComfyUi})
            QCOMPARE(QString::fromStdString(promptAt(prompt.toStdString(), d, 3, 10)), prompt);
    }
    void joined() {
        const auto text = [](const char* prompt) {
            QString all;
            for (const auto& p : joinedPrompts(prompt, PromptDialect::A1111))
                all += QString("'%1' %2 ").arg(QString::fromStdString(p.text)).arg(p.weight);
            return all;
        };
        QCOMPARE(text("a cat"), QString("'a cat' 1 "));
        QCOMPARE(text("a cat :1.2 AND a dog AND a:b:-1"), QString("'a cat' 1.2 ' a dog ' 1 ' a:b' -1 "));
        QCOMPARE(text("SAND AND ANDES"), QString("'SAND ' 1 ' ANDES' 1 "));
        QCOMPARE(text("(a:1.2)"), QString("'(a:1.2)' 1 "));
        QCOMPARE(joinedPrompts("a AND b", PromptDialect::ComfyUi).size(), std::size_t(1));
    }
    // Any text at any depth has an answer, quickly.
    void anyText() {
        QRandomGenerator rng(7);
        const char parts[] = "()[]:|\\a1.5 ";
        for (int i = 0; i < 20000; ++i) {
            std::string text;
            for (int n = int(rng.bounded(40)); n > 0; --n) text += parts[rng.bounded(int(sizeof parts) - 1)];
            promptAt(text, PromptDialect::A1111, int(rng.bounded(10)), 10);
            QVERIFY(!joinedPrompts(text, PromptDialect::A1111).empty());
        }
        for (const char* bracket : {"[", "(", "[a:", "[a|"}) {
            std::string deep;
            for (int i = 0; i < 20000; ++i) deep += bracket;
            QVERIFY(promptAt(deep, PromptDialect::A1111, 0, 10).size() == deep.size());
        }
    }

    // A text that changes halfway is the run of the first text, branched there with the second.
    void scheduledRecipe() {
        const auto run = carryOut(planned(sprites("a [red:blue:0.5] circle above a green square")));
        const auto first = carryOut(planned(sprites("a red circle above a green square")));
        Recipe second = sprites("a blue circle above a green square");
        second.branch = BranchPoint{first->id, 2};
        const auto branched = carryOut(planned(second, first.get()), first);
        QVERIFY(run->status == RunStatus::Finished && branched->status == RunStatus::Finished);
        QVERIFY(run->images.sameBits(branched->images));
        QVERIFY(!run->images.sameBits(first->images));
    }
    // Without syntax the dialects are the plain text, in every bit; with it they differ from each other.
    void dialectsOfRecipes() {
        const std::string text = "a red circle above a blue square";
        const auto plain = carryOut(planned(sprites(text, "plain")));
        for (const auto& d : promptDialects()) {
            const auto same = carryOut(planned(sprites(text, d.id)));
            QVERIFY2(same->images.sameBits(plain->images), d.id);
        }
        std::vector<HostTensor> images{plain->images};
        for (const auto& d : promptDialects())
            images.push_back(carryOut(planned(sprites("a (red:1.4) circle above a blue square", d.id)))->images);
        for (std::size_t i = 0; i < images.size(); ++i)
            for (std::size_t k = 0; k < i; ++k)
                QVERIFY2(!images[i].sameBits(images[k]), qPrintable(QString::number(i)));
        Recipe skipped = sprites(text, "plain");
        skipped.clipSkip = 2;
        QVERIFY(!carryOut(planned(skipped))->images.sameBits(plain->images));
        skipped.clipSkip = 30;
        const auto failed = carryOut(planned(skipped));
        QVERIFY(failed->status == RunStatus::Failed && QString::fromStdString(failed->problem).contains("CLIP skip"));
        QVERIFY(!plan(sprites(text, "a1112")).ok());
    }
    // What is behind the tokens of one call counts in chunks, and is cut in plain text, which the plan says.
    void longPrompts() {
        std::string text;
        for (int i = 0; i < 5; ++i) text += "a red circle above a blue square, ";
        const auto images = [&](const std::string& end, const char* dialect) {
            return carryOut(planned(sprites(text + end, dialect)))->images;
        };
        QVERIFY(images("", "plain").sameBits(images("green", "plain")));
        QVERIFY(!images("", "a1111").sameBits(images("green", "a1111")));
        QVERIFY(!images("", "comfyui").sameBits(images("green", "comfyui")));
        const auto ignores = [&](const char* dialect) {
            for (const PlanNote& n : planned(sprites(text, dialect)).notes)
                if (n.key == "prompt" && n.kind == NoteKind::Warning) return true;
            return false;
        };
        QVERIFY(ignores("plain") && !ignores("a1111"));
        // The whole attention is recorded, a map for each token of all chunks.
        Recipe recorded = sprites(text);
        recorded.attention = AttentionLevel::Summary;
        const auto run = carryOut(planned(recorded));
        QCOMPARE(run->status, RunStatus::Finished);
        QVERIFY(run->trajectory->tokens.size() > 24 && run->trajectory->tokens.size() % 24 == 0);
    }
    // D = D(∅) + Σ wᵢ (D(cᵢ) − D(∅)); a part counts once however it is joined.
    void joinedRecipe() {
        const std::string a = "a red circle above a blue square", b = "a green square";
        Recipe one = sprites(a), joined = sprites(a + " AND " + b + " :0"),
               twice = sprites(a + " :0.25 AND " + a + " :0.75");
        one.guidance.clear();
        const Plan p = planned(joined);
        QCOMPARE(p.evaluations, 12);  // two texts and the empty one at each of four steps
        const auto single = carryOut(planned(sprites(a)));
        const auto closeTo = [&](const Recipe& r) {
            const auto run = carryOut(planned(r));
            if (run->status != RunStatus::Finished) return false;
            double worst = 0;
            for (std::int64_t i = 0; i < run->images.count(); ++i)
                worst = std::max(worst, std::abs(run->images.at(i) - single->images.at(i)));
            return worst < 1e-3;
        };
        QVERIFY(closeTo(joined));
        QVERIFY(closeTo(twice));
        // A weight on the only text is guidance.
        Recipe weighted = sprites(a + " :3");
        weighted.guidance.clear();
        QVERIFY(closeTo(weighted));
        QVERIFY(!closeTo(sprites(a + " AND " + b)));
        // A branch and a replay go on with all parts.
        const auto run = carryOut(planned(sprites(a + " AND " + b)));
        Recipe child = sprites(a + " AND " + b);
        child.branch = BranchPoint{run->id, 2};
        QVERIFY(carryOut(planned(child, run.get()), run)->images.sameBits(run->images));
    }
};

QTEST_GUILESS_MAIN(TestPromptDialects)
#include "tst_prompt_dialects.moc"
