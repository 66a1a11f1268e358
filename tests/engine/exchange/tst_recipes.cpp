// Recipes through pictures and files, arrays, tables, and a run as a folder.
#include <QtTest>

#include "engine/exchange/npy.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/exchange/run_export.h"
#include "engine/exchange/state_pictures.h"
#include "engine/exchange/table.h"
#include "tests/engine/project/fake_run.h"

using namespace meander;

class TestRecipes : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string at(const char* name) { return m_folder.filePath(name).toStdString(); }

private slots:
    void ourOwnComesBackExactly() {
        const Run run = fake::finished(fake::run(1));
        QVERIFY(writePng(at("p.png"), pictureOf(run.pictures, 1), textsOf(run, 1)).ok());
        const auto read = readRecipeFrom(at("p.png"));
        QVERIFY2(read.ok(), read ? "" : read.error().text.c_str());
        QVERIFY(read->isExact());
        QVERIFY(read->recipe == run.recipe);
        QVERIFY(writeRecipeFile(at("r.json"), run.recipe).ok());
        QVERIFY(readRecipeFrom(at("r.json"))->recipe == run.recipe);
    }

    void parametersOfOthers() {
        const auto r = recipeFromParameters("a cat, (best:1.2)\nsecond line\nNegative prompt: dog,\nblurry\nSteps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 1234567890, Size: 512x768, Model hash: abc, Model: sd15, "
                                            "Lora hashes: \"a: 1, b: 2\", Version: v1.9");
        QCOMPARE(r.recipe.prompt, std::string("a cat, (best:1.2)\nsecond line"));
        QCOMPARE(r.recipe.negativePrompt, std::string("dog,\nblurry"));
        QCOMPARE(r.recipe.steps, 28);
        QCOMPARE(r.recipe.seed, std::uint64_t(1234567890));
        QCOMPARE(r.recipe.sampler.id, std::string("dpmpp_2m"));
        QCOMPARE(r.recipe.schedule.id, std::string("karras"));
        QCOMPARE(std::get<double>(r.recipe.guidance.at(0).params.at("scale")), 6.5);
        const std::vector<std::string> left = {"Size: 512x768", "Model hash: abc", "Model: sd15", "Lora hashes: a: 1, b: 2"};
        QVERIFY(r.notUnderstood == left);
        const auto other = recipeFromParameters("x\nSteps: 4, Sampler: Restart, Schedule type: Beta, CFG scale: 1, Seed: -1");
        QCOMPARE(other.recipe.guidance.size(), 0u);
        QCOMPARE(other.notUnderstood.size(), 3u);
        for (const char* odd : {"", "Steps:", "Steps: a, b:, \"", "Negative prompt:", "Steps: 5, X: \"unclosed"}) static_cast<void>(recipeFromParameters(odd));
    }

    void ourParametersReadBack() {
        Recipe r;
        r.prompt = "a red circle";
        r.seed = 77;
        r.steps = 12;
        r.guidance = {{"cfg", {{"scale", 3.0}}}};
        const auto back = recipeFromParameters(parametersText(r, 32, 32, "Sprites"));
        QCOMPARE(back.recipe.prompt, r.prompt);
        QCOMPARE(back.recipe.steps, 12);
        QCOMPARE(back.recipe.seed, r.seed);
        QVERIFY(back.recipe.sampler == r.sampler && back.recipe.schedule == r.schedule && back.recipe.guidance == r.guidance);
    }

    void noiseOfOthers() {
        const auto r = recipeFromParameters("x\nSteps: 4, Sampler: Euler a, Seed: 5, Variation seed: 77, Variation seed strength: 0.25, Seed resize from: 512x384, RNG: NV, ENSD: 31337, SGM noise multiplier: True");
        QVERIFY(r.notUnderstood.empty());
        QCOMPARE(r.recipe.noise.id, std::string("nv_philox"));
        const Params expected = {{"variation_seed", std::int64_t(77)}, {"variation_strength", 0.25}, {"variation_rule", std::string("a1111")}, {"resize_width", std::int64_t(64)},
                                 {"resize_height", std::int64_t(48)}, {"step_noise", std::string("restart")}, {"step_seed_delta", std::int64_t(31337)}, {"initial_scale", std::string("unit_variance")}};
        QVERIFY(r.recipe.noise.params == expected);
        QVERIFY(recipeFromParameters(parametersText(r.recipe, 512, 512, "m")).recipe.noise == r.recipe.noise);
        // without a word about the source their streams are a GPU's; without any word about noise ours is left alone
        QCOMPARE(recipeFromParameters("x\nSteps: 4, ENSD: 3").recipe.noise.id, std::string("torch_cuda"));
        QCOMPARE(recipeFromParameters("x\nSteps: 4, Seed: 3").recipe.noise.id, std::string("philox"));
        for (const char* odd : {"Steps: 4, RNG: dice", "Steps: 4, Seed resize from: 0x0", "Steps: 4, Variation seed strength: 7"}) QCOMPARE(recipeFromParameters(odd).notUnderstood.size(), 1u);
    }

    void arrays() {
        for (const HostTensor& t : {fake::noise({3, 4}, 1), fake::noise({5}, 2).toF16(), HostTensor::fromDoubles({2, 1, 2}, std::vector<double>{1, 2, 3, 4})}) {
            QVERIFY(writeNpy(at("a.npy"), t).ok());
            const auto back = readNpy(at("a.npy"));
            QVERIFY2(back.ok(), back ? "" : back.error().text.c_str());
            QVERIFY(back->sameBits(t));
        }
        QFile f(QString::fromStdString(at("a.npy")));
        QVERIFY(f.open(QIODevice::ReadOnly));
        const QByteArray good = f.readAll();
        for (int n = 0; n < good.size(); n += 3) {
            QFile cut(QString::fromStdString(at("cut.npy")));
            QVERIFY(cut.open(QIODevice::WriteOnly));
            cut.write(good.left(n));
            cut.close();
            QVERIFY(!readNpy(at("cut.npy")).ok());
        }
    }

    void tables() {
        Table t({"a", "b,c"});
        t.add({"1", "say \"x\""});
        QCOMPARE(t.csv(), std::string("a,\"b,c\"\r\n1,\"say \"\"x\"\"\"\r\n"));
        QCOMPARE(numberText(0.1), std::string("0.1"));
        QCOMPARE(numberText(std::nan("")), std::string());
        QCOMPARE(numberText(-INFINITY), std::string("-inf"));
    }

    void picturesOfShuffledStates() {
        Run run = fake::run(3, 2, 1, 4);
        auto t = std::make_shared<Trajectory>();
        t->initial = fake::noise({1, 2, 2, 12}, 4);
        run.trajectory = t;
        // Channel c·4 + dy·2 + dx of place (y, x) is pixel (2y + dy, 2x + dx) of colour c; picture = 0.1 · state + 0.4.
        const auto v = t->initial.toFloats();
        std::vector<float> p(48);
        for (int y = 0; y < 4; ++y)
            for (int x = 0; x < 4; ++x)
                for (int c = 0; c < 3; ++c) p[std::size_t((y * 4 + x) * 3 + c)] = 0.1f * v[std::size_t(((y / 2) * 2 + x / 2) * 12 + c * 4 + (y % 2) * 2 + x % 2)] + 0.4f;
        run.pictures = HostTensor::fromFloats({1, 4, 4, 3}, p);
        const StatePictures known(run);
        QVERIFY(known.isPossible());
        const auto back = known(t->initial).toFloats();
        for (std::size_t i = 0; i < 48; ++i) QVERIFY(std::abs(back[i] - p[i]) < 1e-5f);
        run.pictures = fake::noise({1, 5, 4, 3}, 1);
        QVERIFY(!StatePictures(run).isPossible());
    }

    void folderOfARun() {
        const Run run = fake::finished(fake::run(2));
        const auto files = exportRun(run, at("folder"));
        QVERIFY2(files.ok(), files ? "" : files.error().text.c_str());
        for (const char* name : {"picture-1.png", "picture-2.png", "strip-1.png", "trajectory.csv", "diagnostics.csv", "recipe.json", "run.json", "attention/picture-1/1-circle.png", "attention/picture-1/about.json", "attention/picture-1/raw.npy"})
            QVERIFY2(QFile::exists(m_folder.filePath("folder/") + name), name);
        for (const auto& f : *files) QVERIFY(QFile::exists(m_folder.filePath("folder/") + QString::fromStdString(f)));
        QCOMPARE(readNpy(at("folder/attention/picture-1/raw.npy"))->shape().text(), std::string("(5, 6, 6)"));
        QVERIFY(readPng(at("folder/attention/picture-1/1-circle.png"))->texts.at("Description").find("mean of 2 layers, 4 heads, steps 0–3") != std::string::npos);
        const Picture strip = filmStrip(run, 0, 12);
        QCOMPARE(strip.width, 5 * 12 + 4 * 4);
        QVERIFY(!exportRun(run, "/proc/nowhere").ok());
    }
};

QTEST_GUILESS_MAIN(TestRecipes)
#include "tst_recipes.moc"
